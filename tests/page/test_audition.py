"""Excerpts and levels for the player: what is heard on the clip is what the export writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.speed.ear import write_wave
from mvr.media.loudness import RATE_HZ, loudness_of
from mvr.media.mux import MuxSettings, mux_music
from mvr.media.sound import read_stereo
from mvr.page.search.audition import LEVELS_HOP_S, own_levels, write_excerpt
from mvr.page.serving.room import make_room


def test_an_excerpt_is_sample_by_sample_what_the_export_lays_on_the_clip(
    tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    t = np.arange(9 * RATE_HZ) / RATE_HZ
    music = write_wave(tmp_path / "m.wav", 0.3 * np.sin(2 * np.pi * (300 * t + 40 * t * t)))
    clip = make_clip(tmp_path / "clip.mp4", seconds=4.0)
    write_excerpt(music, tmp_path / "x.flac", 3.0, 4.0)
    mux_music(clip, music, tmp_path / "out.mp4", MuxSettings(start_s=3.0))
    heard = read_stereo(tmp_path / "x.flac", RATE_HZ)[:, 0]
    taken = read_stereo(tmp_path / "out.mp4", RATE_HZ)[:, 0]
    whole = slice(RATE_HZ // 2, 2 * RATE_HZ)  # before the fade-out
    lags = range(-2400, 2401, 12)
    likeness = [float(np.dot(heard[whole], np.roll(taken, lag)[whole])) for lag in lags]
    assert abs(lags[int(np.argmax(likeness))]) <= 0.005 * RATE_HZ, "at the same place within 5 ms"
    assert np.abs(np.sqrt(np.mean(heard[whole] ** 2)) / np.sqrt(np.mean(taken[whole] ** 2)) - 1) < 0.1
    assert len(heard) == 4.5 * RATE_HZ, "the clip's length and a margin"


def test_music_that_is_too_short_starts_over_and_never_passes_the_peak(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    clicks = np.zeros(3 * RATE_HZ)
    clicks[:: RATE_HZ // 4] = 0.9
    music = write_wave(tmp_path / "m.wav", clicks + 0.002 * rng.standard_normal(len(clicks)))
    write_excerpt(music, tmp_path / "x.flac", 1.0, 8.0)
    samples = read_stereo(tmp_path / "x.flac", RATE_HZ)
    assert np.abs(samples[int(5 * RATE_HZ) : int(6 * RATE_HZ)]).max() > 0.1, "still music after its end"
    found = loudness_of(samples, RATE_HZ)
    assert found.true_peak_dbtp is not None and found.true_peak_dbtp <= -1.4


def test_the_levels_are_the_exports_and_a_silent_clip_has_none(
    tmp_path: Path, make_clip: Callable[..., Path]
) -> None:
    import subprocess

    import imageio_ffmpeg

    clip, spoken = tmp_path / "spoken.mp4", tmp_path / "own.wav"
    t = np.arange(8 * RATE_HZ) / RATE_HZ
    write_wave(spoken, 0.2 * np.sin(2 * np.pi * 700 * t) * (t < 3))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "color=s=64x64:d=8:r=10"]
    subprocess.run([*command, "-i", str(spoken), "-pix_fmt", "yuv420p", str(clip)], check=True, timeout=60)
    levels = own_levels(clip, 8.0)
    curve = np.array(levels["duck_db"])
    assert len(curve) == pytest.approx(8 / LEVELS_HOP_S, abs=1)
    assert curve[int(1 / LEVELS_HOP_S)] == -14 and curve[int(6 / LEVELS_HOP_S)] == 0, "down while it is heard"
    assert levels["mix_db"] == -6
    assert own_levels(make_clip(tmp_path / "silent.mp4"), 2.0)["duck_db"] == []


def test_room_is_made_by_age_and_the_newest_stay(tmp_path: Path) -> None:
    import os

    for age in range(8):
        file = tmp_path / f"{age}.flac"
        file.write_bytes(bytes(1000))
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    make_room(tmp_path, "*.flac", 5500)
    assert sorted(path.name for path in tmp_path.glob("*.flac")) == [f"{age}.flac" for age in range(5)]
    make_room(tmp_path, "*.flac", 0)
    assert len(list(tmp_path.glob("*.flac"))) == 4
