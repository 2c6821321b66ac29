"""Excerpts of pictures and sounds for blind playing, each made once and kept while there is room.

Sound is 16 bit PCM of one length, rate, loudness and file size, so that neither a header nor a size tells two sides
apart; pictures have neither sound nor tags, and those that compete one canvas (`mvr.page.voting.twins`).
"""

from __future__ import annotations

import hashlib
import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mvr.config.outputs import written_whole
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.limits import ONE_THREAD
from mvr.media.loudness import RATE_HZ
from mvr.media.probe import MediaInfo, probe
from mvr.media.proxy import encode_arguments, fits, is_browser_safe
from mvr.media.sound import read_stereo
from mvr.media.soundtrack import MuxSettings, fitted_blocks, read_music, write_sound
from mvr.media.straight import picture_input
from mvr.page.serving import PerKey
from mvr.page.serving.room import make_room
from mvr.page.voting.twins import canvas_px, write_rival

VERSION = "2"  # another one makes all kept files anew
_SIDES_PX = (854, 480)
_KEPT_BYTES = 2 << 30
_KEPT_SHAPES = 10_000


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file to take excerpts of.

    Attributes:
        path: the file.
        content: SHA-256 of its bytes, or another name that no other file has.
        folder: where excerpts go that must be deleted with something else; None for the common folder.
    """

    path: Path
    content: str
    folder: Path | None = None


class Excerpts:
    """Files by what they are an excerpt of; two visitors who ask at once wait for one making. Safe between threads.

    Args:
        folder: where they are kept, also from one start of the server to the next.
        kept_bytes: above this the ones that were not asked for longest are deleted.
    """

    def __init__(self, folder: Path, kept_bytes: int = _KEPT_BYTES) -> None:
        self._folder, self._kept_bytes = folder, kept_bytes
        self._making: PerKey[Path, None] = PerKey(0)
        self._shapes: PerKey[str, tuple[int, int]] = PerKey(_KEPT_SHAPES)

    def picture(self, source: Source, length_s: float) -> Path:
        """The first `length_s` seconds of a video, silent.

        Raises:
            MediaError: the file cannot be used.
        """
        out = self._place(source, f"picture {length_s:.3f}", ".mp4")
        return self._made(out, lambda: write_picture(source.path, out, length_s))

    def rivals(self, clips: Sequence[Source], length_s: float) -> list[Path]:
        """The first `length_s` seconds of clips that compete, silent and on one canvas.

        Raises:
            MediaError: a file cannot be used.
        """
        canvas = canvas_px([self._shapes.get(clip.content, partial(_shape_px, clip.path)) for clip in clips])
        outs = [self._place(clip, f"rival {length_s:.3f} {canvas}", ".mp4") for clip in clips]
        for clip, out in zip(clips, outs, strict=True):
            self._made(out, partial(write_rival, clip.path, out, length_s, canvas))
        return outs

    def sound(self, source: Source, start_s: float, length_s: float) -> Path:
        """`length_s` seconds of music from `start_s` on.

        Raises:
            MediaError: the file cannot be used.
        """
        out = self._place(source, f"sound {start_s:.3f} {length_s:.3f}", ".wav")
        return self._made(out, lambda: write_excerpt(source.path, out, start_s, length_s))

    def _place(self, source: Source, what: str, suffix: str) -> Path:
        name = hashlib.sha256(f"{VERSION} {source.content} {what}".encode()).hexdigest()[:32]
        return (source.folder or self._folder) / f"{name}{suffix}"

    def _made(self, out: Path, make: Callable[[], None]) -> Path:
        def missing() -> None:
            if out.exists():
                out.touch()  # asked for now: kept longer than the others
                return
            out.parent.mkdir(parents=True, exist_ok=True)
            make()
            make_room(self._folder, "[0-9a-f]*.*", self._kept_bytes)

        self._making.get(out, missing)
        return out


def write_excerpt(music: Path, out: Path, start_s: float, length_s: float) -> None:
    """-16 LUFS with true peak at most -1.5 dBTP, exactly `length_s` long, as 16 bit PCM."""
    settings = MuxSettings(start_s=start_s)
    length = round(length_s * RATE_HZ)
    track, begin_s = read_music(music, length, start_s, ONE_THREAD)
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        encoded = Path(folder) / "sound.m4a"
        write_sound(fitted_blocks(track, length, settings, begin_s), encoded, settings)
        samples = read_stereo(encoded, RATE_HZ, limits=ONE_THREAD)[:length]
    samples = np.pad(samples, ((0, length - len(samples)), (0, 0)))
    with written_whole(out) as part, wave.open(str(part), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())


def write_picture(video: Path, out: Path, length_s: float) -> None:
    """The picture alone, H.264 in MP4 without tags, at most 854 x 480; one that is so already may be copied."""
    info = probe(video, ONE_THREAD, needs=("picture",))
    assert info.video is not None
    encode = ["-c:v", "copy"] if _is_ready(info, length_s) else encode_arguments(info.video, _SIDES_PX)
    with picture_input(info, ONE_THREAD) as (opened, shown), written_whole(out) as part:
        run_ffmpeg(
            [
                *opened, "-map", shown, "-an", "-t", f"{length_s:.3f}",
                *encode, "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags", "+faststart",
                "-f", "mp4", f"file:{part.absolute()}",
            ],
            video,
            ONE_THREAD.timeout_s,
        )  # fmt: skip


def _shape_px(video: Path) -> tuple[int, int]:
    info = probe(video, ONE_THREAD, needs=("picture",))
    assert info.video is not None
    return info.video.width_px, info.video.height_px


def _is_ready(info: MediaInfo, length_s: float) -> bool:
    assert info.video is not None
    return is_browser_safe(info) and fits(info.video, _SIDES_PX) and info.duration_s <= length_s + 0.05
