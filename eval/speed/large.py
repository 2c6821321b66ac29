"""Libraries of 10,000 and 100,000 tracks and indexes of a million segments, beside the first version in one run.

Each candidate is a process of its own build (see `eval.speed.weight`) that prepares once and then does its round on
demand, so times and memory are of the work alone: building an index, moving the slider, with a filter, with a file
that is gone. A library is written once, in a process of its own, and kept among the inputs (`--inputs`).
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
_IN_A_LIBRARY = ("build", "moves", "filter", "gone", "edited", "removed")


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest for each line of the table in docs/numbers.md."""
    small, large, rows = (300, 600, 5000) if inputs.short else (10_000, 100_000, 1_000_000)
    sides = _Sides(inputs)
    for count, peak_mb in ((small, 400.0), (large, 1500.0)):
        memory = Aim(text=f"within {peak_mb:g} MB", peak_mb_at_most=peak_mb)
        aims = (sides.aim(0.4), memory)
        yield sides.contest("build", count, f"Building an index of {count:,} tracks", aims)
    moves = (sides.aim(0.3),)
    yield sides.contest("moves", large, f"Eleven slider moves over {large:,} tracks, 50 results", moves)
    yield sides.contest("filter", large, f"Eleven slider moves over {large:,} tracks behind a filter", moves)
    yield _gone(sides, small)
    yield _followed(sides, large)
    yield _added(sides, small, large)
    for kind, title, wall_s in (
        ("first", f"A first search over {rows:,} segments", 0.15),
        ("each", f"Eleven moves over {rows:,} segments", 11 * 0.03),
    ):
        aims = (sides.aim(1.0), Aim(text=f"within {1000 * wall_s:.0f} ms", wall_s_at_most=wall_s))
        yield sides.contest(kind, rows, title, aims)


class _Sides:
    """This build and the earlier one."""

    def __init__(self, inputs: Inputs) -> None:
        self._libraries = inputs.folder / "libraries"
        self._revision = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
        self.here, self.before = "mvr", f"mvr {self._revision}"

    def aim(self, ratio: float) -> Aim:
        """How much of the earlier build's processor time there may be."""
        text = f"at most {ratio:g} of the earlier build's processor time"
        return Aim(text=text, against=self.before, cpu_ratio_at_most=ratio)

    def contest(self, kind: str, count: int, title: str, aims: tuple[Aim, ...]) -> Contest:
        """One step of both builds."""
        return Contest(
            name=f"large-{kind}-{count}",
            title=title,
            work="in a process of the build that has prepared; control-mvr-mini, three segments a track, or 2 x 128",
            ours=self.here,
            candidates={side: self.steps(side, kind, count) for side in (self.here, self.before)},
            aims=aims,
        )

    def steps(self, side: str, kind: str, count: int) -> Prepare:
        """One step of one of them."""
        return partial(self._prepared, side, kind, count)

    def _prepared(self, side: str, kind: str, count: int) -> Work:
        build = build_here() if side == self.here else build_before(self._revision)
        if kind not in _IN_A_LIBRARY:
            return steps_of(build, kind, count, temporary_folder())
        library = self._libraries.resolve() / side.replace(" ", "-") / str(count)
        library.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(_command("make", count, library), cwd=build.root, env=build.environment, check=True)
        return steps_of(build, kind, count, library)


def _gone(sides: _Sides, count: int) -> Contest:
    here, before = f"{sides.here}, one gone", f"{sides.before}, one gone"
    normal = f"{sides.here}, all there"
    return Contest(
        name=f"large-gone-{count}",
        title=f"Eleven slider moves over {count:,} tracks, one file gone",
        work="as above; the file that leads the list is deleted before the first round",
        ours=here,
        candidates={
            normal: sides.steps(sides.here, "moves", count),
            here: sides.steps(sides.here, "gone", count),
            before: sides.steps(sides.before, "gone", count),
        },
        aims=(
            Aim(text="at most 1.2 of a normal move", against=normal, cpu_ratio_at_most=1.2),
            Aim(text="at most 0.3 of the earlier build's", against=before, cpu_ratio_at_most=0.3),
        ),
    )


def _followed(sides: _Sides, count: int) -> Contest:
    here, before = f"{sides.here}, a title changed", f"{sides.before}, a title changed"
    moves = f"{sides.here}, eleven moves"
    return Contest(
        name=f"large-followed-{count}",
        title=f"The first list of {count:,} tracks after one was changed",
        work="a title changed by another process, then a list; a track removed, a list, the track restored, a list",
        ours=here,
        candidates={
            moves: sides.steps(sides.here, "moves", count),
            here: sides.steps(sides.here, "edited", count),
            f"{sides.here}, removed and restored": sides.steps(sides.here, "removed", count),
            before: sides.steps(sides.before, "edited", count),
        },
        aims=(
            Aim(text="at most eleven moves", against=moves, cpu_ratio_at_most=1.0),
            Aim(text="at most 0.1 of the earlier build's", against=before, cpu_ratio_at_most=0.1),
        ),
    )


def _added(sides: _Sides, small: int, large: int) -> Contest:
    candidates = {
        f"{side}, {count:,}": sides.steps(side, "add", count)
        for count in (small, large)
        for side in (sides.here, sides.before)
    }
    few = f"{sides.here}, {small:,}"
    return Contest(
        name=f"large-add-{large}",
        title=f"Adding one file to {small:,} and to {large:,} tracks",
        work="three seconds of noise, compared with the signatures of all tracks; the library is opened each time",
        ours=f"{sides.here}, {large:,}",
        candidates=candidates,
        aims=(Aim(text=f"at most 1.2 of adding it to {small:,}", against=few, cpu_ratio_at_most=1.2),),
    )


def _command(kind: str, count: int, folder: Path) -> list[str]:
    return [sys.executable, str(_STEPS), kind, str(count), str(folder)]


def steps_of(build: Build, kind: str, count: int, folder: Path) -> Work:
    """A round in the build's own process; it tells its times and memory itself."""
    process = subprocess.Popen(
        _command(kind, count, folder),
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
