"""The local engine: a pool of processes, each with its own models; a worker that dies is replaced."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool

from mvr.config.workers import worker_processes
from mvr.embeddings.extraction.jobs import ExtractSettings, Job, Outcome, encode_job
from mvr.embeddings.system import System, load_backbones

_system: System | None = None  # of a worker process, set once when it starts


def run_locally(jobs: Sequence[Job], settings: ExtractSettings) -> Iterator[Outcome]:
    """Outcomes as they come; jobs in flight when a worker dies are tried once more, one by one."""
    suspects: list[Job] = []
    waiting = list(jobs)
    while waiting:
        finished: set[int] = set()
        with worker_processes(max(1, settings.workers), _start, (settings.system,)) as pool:
            futures = {pool.submit(_encode, job): number for number, job in enumerate(waiting)}
            yield from _results(futures, finished)
        suspects = [job for number, job in enumerate(waiting) if number not in finished]
        if not suspects:
            return
        yield from _alone(suspects[: settings.workers * 2], settings)
        waiting = suspects[settings.workers * 2 :]


def _results(futures: dict[Future[Outcome], int], finished: set[int]) -> Iterator[Outcome]:
    for future in as_completed(futures):
        try:
            outcome = future.result()
        except BrokenProcessPool:
            continue
        finished.add(futures[future])
        yield outcome


def _alone(jobs: Sequence[Job], settings: ExtractSettings) -> Iterator[Outcome]:
    """Each job in a process of its own: the one that kills its worker is found and passed over."""
    for job in jobs:
        with worker_processes(1, _start, (settings.system,)) as pool:
            try:
                yield pool.submit(_encode, job).result()
            except BrokenProcessPool:
                yield Outcome(job=job, error=f"{job.path.name}: the process that was reading it died")


def _start(name: str) -> None:
    global _system
    stay_on_one_thread()
    _system = load_backbones(name)


def stay_on_one_thread() -> None:
    """Parallel over files, not inside one; and a sum over one thread has the same bits everywhere."""
    from threadpoolctl import threadpool_limits

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for libraries that are loaded later
    if "torch" in sys.modules:  # loaded later it reads the variables; the default system never loads it
        sys.modules["torch"].set_num_threads(1)
    threadpool_limits(1)


def _encode(job: Job) -> Outcome:
    assert _system is not None
    return encode_job(_system, job)
