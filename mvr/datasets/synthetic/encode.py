"""Writing rendered films and music as MP4 and M4A files with PyAV (H.264, AAC), playable in every browser."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class EncodeSettings:
    """Attributes: music_kbps, film_kbps: AAC bit rates of tracks and of films' sound; crf: quality of H.264, lower
    is better; rate_fps, width_px, height_px: of films; sample_rate_hz: of all sound."""

    music_kbps: int = 80
    film_kbps: int = 64
    crf: int = 27
    rate_fps: int = 24
    width_px: int = 432
    height_px: int = 768
    sample_rate_hz: int = 44_100


def write_music(path: Path, stereo: FloatArray, settings: EncodeSettings, tags: dict[str, str]) -> None:
    """Write (n, 2) sound as AAC in M4A with tags (title, artist, genre, copyright, ...)."""
    import av

    with av.open(str(path), "w", format="ipod", options={"movflags": "+faststart"}) as out:
        out.metadata.update(tags)
        _encode_sound(out, _sound_stream(out, settings, settings.music_kbps), stereo, settings.sample_rate_hz)


def write_film(
    path: Path, frames: Iterable[Pixels], stereo: FloatArray, settings: EncodeSettings, tags: dict[str, str]
) -> None:
    """Write frames (H, W, 3) and (n, 2) sound as H.264 and AAC in MP4."""
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        out.metadata.update(tags)
        picture: Any = out.add_stream("libx264", rate=Fraction(settings.rate_fps))
        picture.width, picture.height, picture.pix_fmt = settings.width_px, settings.height_px, "yuv420p"
        picture.thread_count = 1  # one thread: the same bytes on every machine
        picture.options = {"crf": str(settings.crf), "preset": "slow", "tune": "animation", "g": "48"}
        sound = _sound_stream(out, settings, settings.film_kbps)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = number
            frame.time_base = Fraction(1, settings.rate_fps)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        _encode_sound(out, sound, stereo, settings.sample_rate_hz)


def _sound_stream(out: Any, settings: EncodeSettings, kbps: int) -> Any:
    stream = out.add_stream("aac", rate=settings.sample_rate_hz)
    stream.layout = "stereo"
    stream.bit_rate = kbps * 1000
    return stream


def _encode_sound(out: Any, stream: Any, stereo: FloatArray, sample_rate_hz: int) -> None:
    import av

    size = 1024
    for start in range(0, len(stereo), size):
        block = np.ascontiguousarray(stereo[start : start + size].T, np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate = sample_rate_hz
        frame.pts = start
        frame.time_base = Fraction(1, sample_rate_hz)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
