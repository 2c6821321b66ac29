"""Work on files that nobody waits for any more ends soon and leaves nothing behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.frames import sample_frames
from mvr.media.mux import mux_music
from mvr.media.sound import read_sound
from mvr.media.stopping import Stopped, Wanted, while_wanted


def asked(times: int) -> Wanted:
    """Wanted until it was asked so often."""
    count = itertools.count()
    return lambda: next(count) < times


def test_ffmpeg_that_would_never_end_is_killed_within_a_moment(tmp_path: Path) -> None:
    endless = ["-f", "lavfi", "-i", "testsrc2=s=16x16", "-f", "null", "-"]
    begun = time.monotonic()
    with while_wanted(asked(3)), pytest.raises(Stopped):
        run_ffmpeg(endless, tmp_path / "endless.mp4", timeout_s=100)
    assert time.monotonic() - begun < 10


def test_decoding_stops_between_two_packets(
    make_clip: Callable[..., Path], make_tone: Callable[..., Path], tmp_path: Path
) -> None:
    clip, tone = make_clip(tmp_path / "clip.mp4", seconds=3.0), make_tone(tmp_path / "tone.wav", seconds=3.0)
    with while_wanted(asked(10)), pytest.raises(Stopped):
        sample_frames(clip, rate_hz=10)
    with while_wanted(asked(10)), pytest.raises(Stopped):
        read_sound(tone, 22_050)
    assert len(read_sound(tone, 22_050)) == 3 * 22_050, "afterwards all is wanted as before"


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_a_film_that_is_wanted_no_more_leaves_nothing_behind(
    make_clip: Callable[..., Path], make_tone: Callable[..., Path], tmp_path: Path, share: float
) -> None:
    clip, tone = make_clip(tmp_path / "clip.mp4", seconds=3.0), make_tone(tmp_path / "tone.wav", seconds=3.0)
    before, done = set(tmp_path.iterdir()), [-1.0]
    (out := tmp_path / "films").mkdir()
    with while_wanted(lambda: done[-1] < share), pytest.raises(Stopped):
        mux_music(clip, tone, out / "film.mp4", progress=done.append)
    assert not list(out.iterdir()) and set(tmp_path.iterdir()) == {*before, out}
