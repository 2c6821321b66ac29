"""Running a contest: one process for each candidate, alternated rounds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eval.speed.contest import Contest, Timing
from eval.speed.inputs import Inputs

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True)
class Result:
    """Timings of a contest by candidate, and the load (1 minute) before and after."""

    part: str
    contest: Contest
    timings: dict[str, list[Timing]]
    load_before: float
    load_after: float


class CandidateFailed(Exception):
    """A candidate could not be prepared or its work failed; the message has its last lines."""


def run_contest(part: str, contest: Contest, inputs: Inputs, rounds: int) -> Result:
    """Prepare every candidate, then let them take turns.

    Raises:
        CandidateFailed: one of them failed.
    """
    before = os.getloadavg()[0]
    timings: dict[str, list[Timing]] = {name: [] for name in contest.candidates}
    with contextlib.ExitStack() as stack:
        workers = {
            name: stack.enter_context(_worker([part, contest.name, name, str(inputs.folder), _short(inputs)]))
            for name in contest.candidates
        }
        for _ in range(rounds):
            for name, worker in workers.items():
                timings[name].append(_ask(name, worker))
    return Result(
        part=part, contest=contest, timings=timings, load_before=before, load_after=os.getloadavg()[0]
    )


def _short(inputs: Inputs) -> str:
    return "short" if inputs.short else "full"


@contextlib.contextmanager
def _worker(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "eval.speed.worker", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            if process.stdout.readline().strip() != "ready":
                raise CandidateFailed(
                    f"candidate {arguments[2]!r} of {arguments[1]} could not be prepared (see above)"
                )
            yield process
        finally:
            process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()


def _ask(name: str, worker: subprocess.Popen[str]) -> Timing:
    assert worker.stdin is not None and worker.stdout is not None
    worker.stdin.write("go\n")
    worker.stdin.flush()
    line = worker.stdout.readline()
    if not line:
        raise CandidateFailed(f"candidate {name!r} failed while it was timed (see above)")
    return Timing(**json.loads(line))
