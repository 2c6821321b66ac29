"""Where parts of a piece begin."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.signal.onsets import FRAME_RATE_HZ
from mvr.signal.rhythm.parts import Parts

BAR_S, BARS = 2.0, 48
FOUR_BARS = round(4 * BAR_S * FRAME_RATE_HZ)


def piece(seed: int, part_bars: int | None) -> np.ndarray:
    """Mel bands of bars that each sound alike in themselves, loud and soft by turns; each part has other bands."""
    rng = np.random.default_rng(seed)
    frames = np.arange(round(BARS * BAR_S * FRAME_RATE_HZ))
    bar, within = np.divmod(frames / FRAME_RATE_HZ, BAR_S)
    stroke = 20 * np.sin(2 * np.pi * within / BAR_S)[:, None] * rng.uniform(0, 1, 40)
    part = np.zeros(len(frames), int) if part_bars is None else (bar // part_bars).astype(int)
    return (stroke + rng.uniform(-4, 4, (BARS, 40))[part]).astype(np.float32)


@pytest.mark.parametrize("part_bars", [6, 8, 12])
def test_parts_begin_where_bars_become_others_not_where_a_bar_is_loud(part_bars):
    begin_s = Parts(piece(3, part_bars)).begin_s(FOUR_BARS)
    true = BAR_S * np.arange(part_bars, BARS, part_bars)
    away = np.abs(begin_s[:, None] - true).min(axis=1)
    inside = true[(true >= 4 * BAR_S) & (true <= (BARS - 4) * BAR_S)]
    assert np.median(away) <= 0.03 and len(begin_s) >= len(inside) - 1


def test_music_that_goes_on_as_it_began_has_no_parts_and_speaks_for_no_beat():
    parts = Parts(piece(5, None))
    assert len(parts.begin_s(FOUR_BARS)) == 0
    assert not parts.speak_for(np.arange(0, BARS * BAR_S, 0.5), 4).any()


def test_too_little_music_has_no_parts():
    assert len(Parts(piece(5, 8)[: round(11 * BAR_S * FRAME_RATE_HZ)]).begin_s(FOUR_BARS)) == 0


def test_parts_speak_for_the_beats_that_they_begin_on():
    times_s = np.arange(0.0, BARS * BAR_S, 0.5)
    odds = Parts(piece(3, 8)).speak_for(times_s, 4)
    assert odds[::4].sum() > 5 and np.abs(odds).sum() < 1.2 * odds[::4].sum()
