"""What `make demo` puts on a bare machine, against an earlier build: megabytes, and seconds until its page answers.

Wheels are made beforehand (`MVR_SPEED_WHEELS`, by default a temporary folder), so that neither the network nor an
index is timed: a new environment, the packages that the build's own list names, the checkout, its page.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs
from eval.speed.weight import BEFORE, Build, answer_of, build_before, build_here, temporary_folder


def contests(_inputs: Inputs) -> Iterator[Contest]:
    """One: both builds' `make demo`."""
    before = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
    peer = f"mvr {before}"
    yield Contest(
        name="weight-install",
        title="make demo",
        work="wheels at hand: a new environment, its packages, the checkout, and the page until it answers",
        ours="mvr",
        candidates={  # as each build's Makefile has it
            "mvr": lambda: _demo(build_here(), "requirements-core.txt", "--no-compile"),
            peer: lambda: _demo(build_before(before), "requirements.txt"),
        },
        aims=(
            Aim(
                text="page usable within 0.4 of the earlier build's time",
                against=peer,
                wall_ratio_at_most=0.4,
            ),
            Aim(
                text="at most 0.15 of its installed size",
                against=peer,
                fact="installed MB",
                fact_ratio_at_most=0.15,
            ),
        ),
    )


def _demo(build: Build, listed: str, *options: str) -> Work:
    wheels = _wheels(build.root / listed)

    def work() -> dict[str, Any]:
        begun = time.perf_counter()
        place = temporary_folder() / "venv"
        python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
        _run(sys.executable, "-m", "venv", place)
        install = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", wheels]
        _run(*install, *options, "-r", build.root / listed)
        answer_of(build, str(python))
        took = {"wall_s": time.perf_counter() - begun}  # to count and to delete gigabytes is not part of it
        facts = {"installed MB": _megabytes(place), "packages": len([*place.glob("**/*.dist-info")])}
        shutil.rmtree(place)
        return {**facts, "own": took}

    return work


def _wheels(listed: Path) -> Path:
    """A folder with a wheel of everything that a list names; made once where `MVR_SPEED_WHEELS` names a folder."""
    kept = os.environ.get("MVR_SPEED_WHEELS")
    folder = (Path(kept) if kept else temporary_folder()) / listed.stem
    if not folder.is_dir():
        making = folder.with_name(f"{folder.name}.part")
        _run(sys.executable, "-m", "pip", "wheel", "--quiet", "-r", listed, "-w", making)
        making.rename(folder)
    return folder


def _run(*command: object) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr[-400:]}")


def _megabytes(folder: Path) -> float:
    """Bytes of all its files, links not followed, in 10^6."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1e6
