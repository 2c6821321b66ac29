"""How far work is: shares of stretches in a whole, and seconds that are really decoded."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from mvr.media.frames import sample_frames
from mvr.media.progress import stretch, tell_done, telling
from mvr.media.sound import read_sound


def test_stretches_are_parts_of_the_whole_and_nothing_is_taken_back() -> None:
    told: list[float] = []
    with telling(told.append):
        with stretch(0.0, 0.5):
            tell_done(0.5)
            tell_done(0.2)  # a second look at the same file
            with stretch(0.5, 1.0):
                tell_done(0.5)
        with stretch(0.5, 1.0):
            tell_done(7.0)
    assert told == pytest.approx([0.25, 0.375, 0.5, 1.0])


def test_where_nobody_asked_nothing_is_told_and_nothing_is_left_behind() -> None:
    with stretch(0.0, 0.5):
        tell_done(1.0)
    told: list[float] = []
    with telling(told.append):
        pass
    tell_done(1.0)
    assert told == []


def test_a_picture_tells_the_second_that_is_decoded(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip, told = make_clip(tmp_path / "clip.mp4", seconds=4.0), list[float]()
    with telling(told.append):
        sample_frames(clip, times_s=[0.5, 1.0, 2.0])
    assert told == sorted(told) and len(told) > 5
    assert told[-1] == pytest.approx(0.5, abs=0.2)  # 2 of 4 s: nothing after the last picture is decoded


def test_sound_tells_its_way_to_the_end(make_tone: Callable[..., Path], tmp_path: Path) -> None:
    tone, told = make_tone(tmp_path / "tone.wav", seconds=4.0), list[float]()
    with telling(told.append):
        read_sound(tone, 22050)
    assert told == sorted(told) and told[-1] > 0.9
    assert max(after - before for before, after in itertools.pairwise(told)) < 0.1
