"""The pictures of real files: every rate, variable ones, turned ones, HEVC, odd containers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mvr.delivery.clock import read_clock
from mvr.errors import NoPicture, NotMedia

RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_rate_and_number_of_frames_are_exact(film: Callable[..., Path], rate: str, ending: str) -> None:
    clock = read_clock(film(f"{rate.replace('/', '-')}.{ending}", rate, 77, sound=False))
    assert clock.rate.per_s == Fraction(rate)
    assert (clock.frames, clock.pictures, clock.variable) == (77, 77, False)


def test_hevc_avi_and_transport_streams_count_alike(film: Callable[..., Path]) -> None:
    hevc = film("hevc.mp4", "30000/1001", 50, "-c:v", "libx265", "-x265-params", "log-level=none:bframes=3")
    avi = film("old.avi", "30000/1001", 50, "-c:v", "mpeg4", "-bf", 2, sound=False)
    stream = film("stream.ts", "30000/1001", 50, "-c:v", "libx264", "-preset", "ultrafast", sound=False)
    for path in (hevc, avi, stream):
        clock = read_clock(path)
        assert (clock.rate.name, clock.frames, clock.variable) == ("29.97", 50, False), path.name


def test_a_slow_clip_is_cut_on_the_grid_of_twice_its_rate(film: Callable[..., Path]) -> None:
    clock = read_clock(film("slow.mp4", "15", 45, sound=False))
    assert (clock.rate.name, clock.frames, clock.pictures) == ("30", 90, 45)


def test_a_phone_s_uneven_pictures_are_conformed_by_time(
    film: Callable[..., Path], run_ffmpeg: Callable[..., None], tmp_path: Path
) -> None:
    even, uneven = film("even.mp4", "30", 120, sound=False), tmp_path / "uneven.mp4"
    every = "settb=1/90000,setpts='(N*1001/30000+if(eq(mod(N,3),1),0.004,0))/TB'"
    how = ["-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-c:v", "libx264"]
    run_ffmpeg("-i", even, "-vf", every, *how, uneven)
    clock = read_clock(uneven)
    assert clock.variable and clock.pictures == 120
    assert clock.rate.name == "29.97" and clock.frames == 120


def test_dropped_pictures_do_not_change_the_rate_a_clip_was_filmed_at(
    film: Callable[..., Path], run_ffmpeg: Callable[..., None], tmp_path: Path
) -> None:
    even, gaps = film("whole.mp4", "24000/1001", 96, sound=False), tmp_path / "gaps.mp4"
    how = ["-vf", "select='lt(mod(n,8),7)'", "-fps_mode", "passthrough", "-c:v", "libx264"]
    run_ffmpeg("-i", even, *how, gaps)
    clock = read_clock(gaps)
    assert clock.variable and clock.pictures == 84 and float(clock.measured_hz) < 21.5
    assert clock.rate.name == "23.976" and abs(clock.frames - 95) <= 1


def test_one_picture_is_one_frame(film: Callable[..., Path]) -> None:
    clock = read_clock(film("one.mp4", "25", 1, sound=False))
    assert (clock.frames, clock.rate.name) == (1, "25")


def test_sound_alone_and_text_are_refused(make_tone: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(NoPicture, match="no picture"):
        read_clock(make_tone(tmp_path / "tone.wav", seconds=1))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(NotMedia, match="not a video"):
        read_clock(tmp_path / "text.mp4")
