"""Running the bundled ffmpeg: argument lists only, the same guards as for decoding, a deadline that kills."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from mvr.errors import Truncated
from mvr.media.container import AUDIO_DECODERS, FORMATS, VIDEO_DECODERS
from mvr.media.limits import Deadline, MediaLimits
from mvr.media.stopping import Wanted, check_wanted, wanted_here

_LOOK_S = 0.1  # how often is asked whether the work is still wanted
Progress = Callable[[float], None]
"""Called with the fraction done, 0 to 1."""


def input_arguments(path: Path, limits: MediaLimits) -> list[str]:
    """Arguments that open one input behind the format, protocol and codec lists; the name is never bare."""
    return [
        "-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS),
        "-codec_whitelist", ",".join((*VIDEO_DECODERS, *AUDIO_DECODERS)),
        "-max_pixels", str(limits.side_px**2), "-i", f"file:{path.absolute()}",
    ]  # fmt: skip


def run_ffmpeg(
    arguments: Sequence[str],
    source: Path,
    timeout_s: float,
    duration_s: float = 0.0,
    progress: Progress | None = None,
) -> None:
    """Run the bundled ffmpeg and wait for it.

    Args:
        arguments: everything after the global options; inputs by `input_arguments`.
        source: the user's file, for messages.
        timeout_s: after so many seconds the process is killed.
        duration_s: length of the output, for the progress.
        progress: called as ffmpeg goes along.

    Raises:
        TooSlow: killed at the deadline.
        Stopped: killed, for nobody wants it any more.
        Truncated: ffmpeg gave up; its last sentence is part of the message.
        OSError: there is no room for what it writes.
    """
    exe = imageio_ffmpeg.get_ffmpeg_exe()
    command = [exe, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *arguments]
    if progress is not None:
        command[1:1] = ["-progress", "pipe:1", "-nostats"]
    wanted, deadline = wanted_here(), Deadline(source, timeout_s)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process,
        _killed_in_time(process, deadline, wanted),
    ):
        assert process.stdout is not None
        for line in process.stdout:
            _report(line, duration_s, progress)
        code = process.wait()
        if code != 0:
            check_wanted(wanted)
            deadline.check()
            reason = _last_line(errors)
            if os.strerror(errno.ENOSPC) in reason:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise Truncated(f"{source.name}: cannot be converted; the file is damaged: {reason}")
    if progress is not None:
        progress(1.0)


def _report(line: bytes, duration_s: float, progress: Progress | None) -> None:
    key, _, value = line.decode("ascii", "replace").strip().partition("=")
    if progress is not None and key == "out_time_us" and value.lstrip("-").isdigit() and duration_s > 0:
        progress(min(1.0, max(0.0, int(value) / 1e6 / duration_s)))


@contextlib.contextmanager
def _killed_in_time(
    process: subprocess.Popen[bytes], deadline: Deadline, wanted: Wanted | None
) -> Iterator[None]:
    """Kill a process at the deadline, when it is wanted no more, and when this ends before it."""
    ended = threading.Event()

    def watch() -> None:
        while deadline.left_s and (wanted is None or wanted()):
            if ended.wait(deadline.left_s if wanted is None else min(_LOOK_S, deadline.left_s)):
                return
        process.kill()

    watcher = threading.Thread(target=watch, name="mvr-ffmpeg", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        if process.poll() is None:
            process.kill()


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = errors.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else "no reason given"
