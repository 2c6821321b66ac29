"""What a media file may cost: refused from the header where possible, enforced while decoding too."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from mvr.errors import TooSlow

_SMALL_PX = 500_000
_MOST_THREADS = 4


@dataclass(frozen=True, kw_only=True)
class MediaLimits:
    """Limits on one file: size, length, pixels, memory and time.

    Attributes:
        video_s: longest video.
        music_s: longest piece of music (a file used for its sound alone).
        size_mb: most bytes on disk, in 10^6.
        side_px: most pixels on either side of the picture.
        memory_mb: most memory, in 10^6 bytes, that the returned frames or samples may take.
        decode_errors: damaged packets that are skipped before the file counts as damaged beyond use.
        timeout_s: wall time of one operation on one file.
        threads: threads of the picture decoder; 0: see `decoder_threads` (faster for one person),
            1 costs the least processor time and memory (better for a server and for bulk work).
    """

    video_s: float = 600.0
    music_s: float = 1200.0
    size_mb: float = 500.0
    side_px: int = 8192
    memory_mb: float = 2000.0
    decode_errors: int = 64
    timeout_s: float = 300.0
    threads: int = 0

    def decoder_threads(self, pixels: int) -> int:
        """How many threads decode a picture of so many pixels.

        Small pictures: one, for handing frames from thread to thread takes a tenth of their decoding. Others: one for
        each core, at most four, for each holds a frame more; FFmpeg's own choice is one more than cores, up to 16.
        """
        if self.threads or pixels <= _SMALL_PX:
            return self.threads or 1
        return min(_MOST_THREADS, os.cpu_count() or 1)


DEFAULT_LIMITS = MediaLimits()
ONE_THREAD = MediaLimits(threads=1)


class Deadline:
    """A point in time after which work on a file stops.

    Args:
        path: the file, for the message.
        timeout_s: seconds from now.
    """

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.path = path
        self.timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds left, 0 when none are."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise TooSlow once the time is over."""
        if time.monotonic() >= self._end:
            self.expire()

    def expire(self) -> NoReturn:
        """Raise TooSlow now."""
        raise TooSlow(
            f"{self.path.name}: not finished within {self.timeout_s:g} s; use a shorter or smaller file"
        )
