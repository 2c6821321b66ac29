"""The process of one candidate: prepares it, runs it once for each line on standard input, prints timings as JSON.

Run by `eval.speed.rounds`; what the work prints goes to standard error.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from eval.speed.contest import Timing, Work
from eval.speed.inputs import Inputs
from eval.speed.parts import contests_of

LONG_S = 6.0  # a work that takes longer is not run beforehand
_UNIT = 1e6 if sys.platform == "darwin" else 1e3  # of ru_maxrss, per MB


def main(part: str, contest: str, candidate: str, folder: str, short: str) -> None:
    """Serve rounds until standard input ends."""
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        inputs = Inputs(Path(folder), short == "short")
        found = next(c for c in contests_of(part, inputs) if c.name == contest)
        rounds = runs(found.candidates[candidate]())
        print("ready", file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps(dataclasses.asdict(next(rounds))), file=answers, flush=True)


def runs(work: Work) -> Iterator[Timing]:
    """Runs of a work that has run once before: caches, lazy imports and first calls are not timed, except where that
    run took so long that they are lost in it; then it is the first that counts."""
    first = timed(work)
    return itertools.chain([first] if first.wall_s > LONG_S else [], (timed(work) for _ in itertools.count()))


def timed(work: Work) -> Timing:
    """Run the work once. Processor time is of this process and of the children it waited for."""
    cpu, wall = _cpu_s(), time.perf_counter()
    facts = work()
    wall_s = time.perf_counter() - wall
    told = dict(facts) if isinstance(facts, dict) else {}
    measured = {"wall_s": wall_s, "cpu_s": _cpu_s() - cpu, "peak_mb": _peak_mb(resource.RUSAGE_SELF)}
    own = told.pop("own", {})  # of a process that lives on after the work, by its own word
    return Timing(**measured | own, child_peak_mb=_peak_mb(resource.RUSAGE_CHILDREN), facts=told)


def _cpu_s() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def _peak_mb(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / _UNIT


if __name__ == "__main__":
    main(*sys.argv[1:])
