"""A clip's two files keep the clip's clock: what was seen and heard at once still is, each file read by itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from mvr.datasets.svm10k.media import write_pictures, write_sound

RATE_HZ, FLASH_S = 48_000, 1.2


def film(path: Path, picture_s: float, sound_s: float) -> Path:
    """2 s at 25 fps, a white frame and a click at 1.2 s; picture and sound begin when told."""
    sound = np.zeros(2 * RATE_HZ, np.float32)
    sound[round(FLASH_S * RATE_HZ) :][:480] = 0.9
    with av.open(path, "w") as out:
        video, audio = out.add_stream("libx264", rate=25), out.add_stream("aac", rate=RATE_HZ, layout="mono")
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for n in range(round(picture_s * 25), 50):
            grey = np.full((48, 64, 3), 255 * (n == round(FLASH_S * 25)), np.uint8)
            picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
            picture.pts, picture.time_base = n, Fraction(1, 25)
            out.mux(video.encode(picture))
        for start in range(round(sound_s * RATE_HZ), len(sound) - 1023, 1024):
            frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
            out.mux(audio.encode(frame))
        out.mux(video.encode())
        out.mux(audio.encode())
    return path


def seen_s(path: Path) -> float:
    """When the white frame is shown, from the first picture on."""
    with av.open(path) as media:
        frames = [(frame.time, frame.to_ndarray(format="gray").mean()) for frame in media.decode(video=0)]
    return next(time for time, grey in frames if grey > 100) - frames[0][0]


def heard_s(path: Path) -> float:
    """When the click is heard, from the first sample on."""
    with av.open(path) as media:
        rate_hz = media.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in media.decode(audio=0)])
    return float(np.flatnonzero(np.abs(sound) > 0.3)[0] / rate_hz)


@pytest.mark.parametrize(
    ("name", "picture_s", "sound_s", "borders"),
    [
        ("even.mp4", 0.0, 0.0, None),
        ("late-sound.mp4", 0.0, 0.5, None),
        ("late-picture.mp4", 0.48, 0.0, None),
        ("late-picture-cut.mp4", 0.48, 0.0, (0, 0, 48, 48)),
        ("late-sound.ts", 0.0, 0.5, (0, 0, 48, 48)),
        ("late-picture.ts", 0.48, 0.0, None),
    ],
)
def test_picture_and_sound_stay_together_whichever_begins_late(
    tmp_path: Path, name: str, picture_s: float, sound_s: float, borders: tuple[int, int, int, int] | None
) -> None:
    source = film(tmp_path / name, picture_s, sound_s)
    write_pictures(source, tmp_path / "pictures.mp4", borders)
    write_sound(source, tmp_path / "sound.m4a")
    seen, heard = seen_s(tmp_path / "pictures.mp4"), heard_s(tmp_path / "sound.m4a")
    assert seen == pytest.approx(heard, abs=0.005)
    assert heard == pytest.approx(
        FLASH_S, abs=0.025
    )  # in MPEG-TS the clock starts with the encoder's own silence
