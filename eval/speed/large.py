"""Libraries of 10,000 and 100,000 tracks and indexes of a million segments, beside the first version in one run.

Each candidate is a process of its own build (see `eval.speed.weight`) that prepares once and then does its round on
demand, so times are of the work alone: building an index, moving the slider, with a filter, with a file that is gone.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Prepare, Work
from eval.speed.inputs import Inputs
from eval.speed.weight import BEFORE, Build, build_before, build_here, temporary_folder

_STEPS = Path(__file__).with_name("large_steps.py")


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest for each line of the table in docs/numbers.md."""
    small, large, rows = (300, 600, 5000) if inputs.short else (10_000, 100_000, 1_000_000)
    yield _contest("build", small, "Building an index of {:,} tracks", 0.4)
    yield _contest("build", large, "Building an index of {:,} tracks", 0.4)
    yield _contest("moves", large, "Eleven slider moves over {:,} tracks, 50 results", 0.3)
    yield _contest("filter", large, "Eleven slider moves over {:,} tracks behind a filter", 0.3)
    yield _gone(small)
    yield _added(small, large)
    yield _contest("first", rows, "A first search over {:,} segments", 1.0, wall_s=0.15)
    yield _contest("each", rows, "Eleven moves over {:,} segments", 1.0, wall_s=0.33)


def _contest(kind: str, count: int, title: str, ratio: float, wall_s: float | None = None) -> Contest:
    before = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
    candidates: dict[str, Prepare] = {
        "mvr": lambda: _steps(build_here(), kind, count),
        f"mvr {before}": lambda: _steps(build_before(before), kind, count),
    }
    text = f"at most {ratio:g} of the earlier build's processor time"
    aims = [Aim(text=text, against=f"mvr {before}", cpu_ratio_at_most=ratio)]
    if wall_s is not None:
        aims.append(Aim(text=f"within {1000 * wall_s:.0f} ms", wall_s_at_most=wall_s))
    return Contest(
        name=f"large-{kind}-{count}",
        title=title.format(count),
        work="in a process of the build's own that has prepared; control-mvr-mini, three segments a track, or 2 x 128",
        ours="mvr",
        candidates=candidates,
        aims=tuple(aims),
    )


def _gone(count: int) -> Contest:
    before = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
    return Contest(
        name=f"large-gone-{count}",
        title=f"Eleven slider moves over {count:,} tracks, one file gone",
        work="as above; the file that leads the list is deleted before the first round",
        ours="mvr, one gone",
        candidates={
            "mvr, one gone": lambda: _steps(build_here(), "gone", count),
            "mvr, all there": lambda: _steps(build_here(), "moves", count),
            f"mvr {before}, one gone": lambda: _steps(build_before(before), "gone", count),
        },
        aims=(
            Aim(text="at most 1.2 of a normal move", against="mvr, all there", cpu_ratio_at_most=1.2),
            Aim(
                text="at most 0.3 of the earlier build's",
                against=f"mvr {before}, one gone",
                cpu_ratio_at_most=0.3,
            ),
        ),
    )


def _added(small: int, large: int) -> Contest:
    before = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
    candidates: dict[str, Prepare] = {}
    for count in (small, large):
        candidates[f"mvr, {count:,}"] = partial(_added_here, count)
        candidates[f"mvr {before}, {count:,}"] = partial(_added_before, before, count)
    return Contest(
        name=f"large-add-{large}",
        title=f"Adding one file to {small:,} and to {large:,} tracks",
        work="three seconds of noise, compared with the signatures of all tracks; the library is opened each time",
        ours=f"mvr, {large:,}",
        candidates=candidates,
        aims=(
            Aim(
                text=f"at most 1.2 of adding it to {small:,}",
                against=f"mvr, {small:,}",
                cpu_ratio_at_most=1.2,
            ),
        ),
    )


def _added_here(count: int) -> Work:
    return _steps(build_here(), "add", count)


def _added_before(revision: str, count: int) -> Work:
    return _steps(build_before(revision), "add", count)


def _steps(build: Build, kind: str, count: int) -> Work:
    """A round in the build's own process; it tells its times and memory itself."""
    command = [sys.executable, str(_STEPS), kind, str(count), str(temporary_folder())]
    process = subprocess.Popen(
        command,
        cwd=build.root,
        env=build.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.kill)
    ask = _asking(process)
    ask()

    def work() -> dict[str, Any]:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        return {"own": json.loads(ask())}

    return work


def _asking(process: subprocess.Popen[str]) -> Callable[[], str]:
    def ask() -> str:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("a build's own process ended (see above)")
        return line

    return ask
