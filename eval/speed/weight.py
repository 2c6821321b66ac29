"""What one command takes, start and imports included, against an earlier build of this repository in the same run.

The earlier build is checked out into a temporary git work tree (`MVR_SPEED_BEFORE`, by default the last commit of the
first version) and run with this environment's packages, so what differs is the program. Every run is a process of its
own; its processor time holds its children, its peak memory is that of the largest process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from eval.speed.contest import Aim, Contest, Prepare, Work
from eval.speed.inputs import Inputs

ROOT = Path(__file__).parents[2]
BEFORE = "2576e23"
START_TIMEOUT_S = 120.0
_UNPLACED = "mvr, timing off"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A checkout with a home of its own, where features of the demo library are kept from run to run."""

    root: Path
    home: Path

    def run(self, *words: object) -> None:
        """One `mvr` command."""
        command = [sys.executable, "-m", "mvr", *map(str, words)]
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr[-400:]}")

    @property
    def environment(self) -> dict[str, str]:
        """Its own code before anything installed, compiled once as an installed build's is."""
        own = {"PYTHONPATH": str(self.root), "MVR_HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": ""}
        return {**os.environ, **own}


def contests(inputs: Inputs) -> Iterator[Contest]:
    """One contest for each work of the table in docs/numbers.md."""
    small = inputs.short
    for name, clip, ratio, most_mb in (
        ("30 s 480p", inputs.video("phone", seconds=30 / (10 if small else 1), size=(854, 480)), 0.42, 230),
        ("15 s 1080p", inputs.video("phone", seconds=15 / (5 if small else 1)), 0.55, 200),
        (
            "10 s portrait 4K60",
            inputs.video("phone", seconds=1 if small else 10, size=(2160, 3840), rate=60),
            0.68,
            300,
        ),
    ):
        yield _recommend(name, clip, ratio, most_mb)
    yield _contest("doctor", 0.2, partial(_command, words=("doctor", "--json")))
    yield _contest("library list", 0.4, partial(_command, words=("library", "list", "--json")))
    yield _contest("library add, 4 tracks of 30 s", 1.1, lambda build: _adding(build, inputs), 300)
    yield _contest("the page to its first answer", 0.8, _page, 320)
    long_s, short_s = (8.0, 4.0) if small else (360.0, 15.0)
    yield _long(
        inputs.video("phone", seconds=long_s, size=(640, 360)),
        inputs.video("phone", seconds=short_s, size=(640, 360)),
    )
    yield _wide(inputs)
    yield _bulk(inputs)
    yield _export(
        inputs.video("phone", seconds=20 if small else 600, size=(640, 360)),
        inputs.music("music", seconds=30),
    )


def _recommend(name: str, clip: Path, ratio: float, most_mb: float) -> Contest:
    """With starts placed in time, which the earlier build did not do, and without: both under the same aims."""
    words = ("recommend", clip, "--json")
    whole = _contest(f"recommend, {name}", ratio, partial(_command, words=words), most_mb)
    aims = tuple(replace(aim, of=_UNPLACED, text=f"{_UNPLACED}: {aim.text}") for aim in whole.aims)
    unplaced: dict[str, Prepare] = {
        _UNPLACED: lambda: _command(build_here(), (*words, "--timing", "off")),
    }
    return replace(whole, candidates=unplaced | dict(whole.candidates), aims=(*whole.aims, *aims))


def _contest(
    title: str, ratio: float, prepare: Callable[[Build], Work], most_mb: float | None = None
) -> Contest:
    candidates: dict[str, Prepare] = {"mvr": lambda: prepare(build_here())}
    before = os.environ.get("MVR_SPEED_BEFORE", BEFORE)
    candidates[f"mvr {before}"] = lambda: prepare(build_before(before))
    aims = [
        Aim(
            text=f"at most {ratio:g} of the earlier build's processor time",
            against=f"mvr {before}",
            cpu_ratio_at_most=ratio,
        )
    ]
    if most_mb is not None:
        aims.append(Aim(text=f"at most {most_mb:g} MB at its peak", child_peak_mb_at_most=most_mb))
    name = "weight-" + "".join(c if c.isalnum() else "-" for c in title.lower())
    return Contest(
        name=name,
        title=title,
        work=f"{title}, one process",
        ours="mvr",
        candidates=candidates,
        aims=tuple(aims),
    )


def build_here() -> Build:
    """This checkout."""
    return Build(root=ROOT, home=temporary_folder())


def build_before(revision: str) -> Build:
    """An earlier commit, in a work tree that goes with this process."""
    tree = temporary_folder() / "tree"
    git = ["git", "-C", str(ROOT)]
    subprocess.run([*git, "worktree", "add", "--detach", "--quiet", str(tree), revision], check=True)
    atexit.register(subprocess.run, [*git, "worktree", "remove", "--force", str(tree)], check=False)
    return Build(root=tree, home=temporary_folder())


def temporary_folder() -> Path:
    """A folder that goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="mvr-speed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _command(build: Build, words: tuple[object, ...]) -> Work:
    return lambda: build.run(*words)


def _adding(build: Build, inputs: Inputs) -> Work:
    """Real music that ships: the demo tracks, into a library that is empty each time."""
    tracks = sorted((ROOT / "assets" / "demo" / "tracks").iterdir())[: 1 if inputs.short else 4]

    def work() -> dict[str, Any]:
        library = temporary_folder()
        build.run("library", "add", *tracks, "--library", library)
        return {"minutes of music": 0.5 * len(tracks)}

    return work


def _page(build: Build) -> Work:
    return partial(answer_of, build, sys.executable)


def answer_of(build: Build, python: str) -> None:
    """From nothing to an answer of the server; its processor time counts when it has ended."""
    port = _free_port()
    environment = {**build.environment, "GRADIO_SERVER_PORT": str(port)}
    with subprocess.Popen(
        [python, "app.py"],
        cwd=build.root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/config")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310 - this machine
                answer.read()
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError("the page did not start")


def _long(long: Path, short: Path) -> Contest:
    return Contest(
        name="weight-long",
        title="A long clip against a short one",
        work="recommend for 360 s and for 15 s of 640x360, one process each",
        ours="360 s",
        candidates={
            f"{seconds}{', timing off' if off else ''}": partial(_listing, clip, off)
            for seconds, clip in (("360 s", long), ("15 s", short))
            for off in (("--timing", "off"), ())
        },
        aims=(
            # placed in time, all of a film is looked at once
            Aim(
                text="timing off: at most 1.1 of the short clip's processor time",
                of="360 s, timing off",
                against="15 s, timing off",
                cpu_ratio_at_most=1.1,
            ),
        ),
    )


def _listing(clip: Path, options: tuple[str, ...]) -> Work:
    return _command(build_here(), ("recommend", clip, "--json", *options))


def _wide(inputs: Inputs) -> Contest:
    """Browsers show pixels that are not square as they are meant, so such a picture is copied, too."""
    size, seconds = ((320, 180), 4.0) if inputs.short else ((1280, 720), 44.0)
    square = inputs.video("phone", seconds=seconds, size=size)
    return Contest(
        name="weight-wide-pixels",
        title="A clip with pixels that are not square made playable",
        work=f"{seconds:g} s of H.264, pixels 4:3 and square, the same picture otherwise, one process each",
        ours="pixels 4:3",
        candidates={
            "pixels 4:3": lambda: _playable(inputs.wide(square)),
            "square pixels": lambda: _playable(square),
        },
        aims=(Aim(text="at most 1.1 of square pixels", against="square pixels", cpu_ratio_at_most=1.1),),
    )


def _bulk(inputs: Inputs) -> Contest:
    from eval.speed.extract import extract_work

    count = 8 if inputs.short else 200
    clips = [inputs.video(f"bulk{number % 4}", seconds=2, size=(320, 180)) for number in range(count)]
    return Contest(
        name="weight-bulk",
        title="Bulk embedding, two workers against one",
        work=f"{count} clips of 2 s to a feature store, both backbones; processes and their models included",
        ours="2 workers",
        candidates={
            "2 workers": lambda: extract_work(clips, 2),
            "1 worker": lambda: extract_work(clips, 1),
        },
        aims=(Aim(text="at most 1.15 of one worker's", against="1 worker", cpu_ratio_at_most=1.15),),
    )


def _playable(clip: Path) -> Work:
    script = "import sys; from mvr.media.proxy import make_proxy; make_proxy(*sys.argv[1:])"

    def work() -> None:
        command = [sys.executable, "-c", script, str(clip), str(temporary_folder() / "playable.mp4")]
        subprocess.run(command, cwd=ROOT, env=build_here().environment, check=True)

    return work


def _export(clip: Path, music: Path) -> Contest:
    return Contest(
        name="weight-export",
        title="Ten minutes with music, own sound muted",
        work="a 600 s clip with 30 s of music repeated, -16 LUFS, picture copied",
        ours="mvr",
        candidates={
            "mvr": lambda: _mux(clip, music),
            "ffmpeg, one pass of loudnorm": lambda: _loudnorm(clip, music),
        },
        aims=(
            Aim(
                text="at most 0.8 of ffmpeg's one-pass loudnorm",
                against="ffmpeg, one pass of loudnorm",
                cpu_ratio_at_most=0.8,
            ),
            Aim(text="at most 500 MB at its peak", child_peak_mb_at_most=500),
        ),
    )


def _mux(clip: Path, music: Path) -> Work:
    """In a process of its own, so that memory is that of one export."""
    script = "import sys; from mvr.media.mux import mux_music; mux_music(*sys.argv[1:])"

    def work() -> None:
        command = [sys.executable, "-c", script, str(clip), str(music), str(temporary_folder() / "out.mp4")]
        subprocess.run(command, cwd=ROOT, env=build_here().environment, check=True)

    return work


def _loudnorm(clip: Path, music: Path) -> Work:
    import imageio_ffmpeg

    def work() -> None:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", "-i", str(clip)]
        command += [
            "-stream_loop",
            "-1",
            "-i",
            str(music),
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c:v",
            "copy",
            "-shortest",
        ]
        command += [
            "-af",
            "loudnorm=I=-16:TP=-1.5",
            "-ar",
            "48000",
            "-c:a",
            "aac",
            str(temporary_folder() / "out.mp4"),
        ]
        subprocess.run(command, check=True)

    return work
