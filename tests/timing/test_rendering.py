from __future__ import annotations

import numpy as np
import pytest

from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece
from mvr.timing.fitting.rendering import render_fit

RATE_HZ = 8_000


def a_plan(crossfade_s: float, first_s: float = 4.0) -> FitPlan:
    """Two stretches of 2 s, the second from `first_s` of the track on."""
    pieces = (
        Piece(source_start_s=0.0, source_end_s=2.0, start_s=0.0),
        Piece(source_start_s=first_s, source_end_s=first_s + 2, start_s=2.0, crossfade_s=crossfade_s),
    )
    return FitPlan(pieces=pieces, length_s=4.0, method=Method.BARS, ending=Ending.REAL)


def level_db(sound: np.ndarray, at_s: float, width_s: float = 0.1) -> float:
    around = sound[round((at_s - width_s / 2) * RATE_HZ) : round((at_s + width_s / 2) * RATE_HZ)]
    return float(10 * np.log10(np.mean(around**2)))


@pytest.mark.parametrize("crossfade_s", [0.02, 1.0])
def test_a_bar_that_is_repeated_joins_without_a_sound_of_its_own(crossfade_s):
    bar = 0.3 * np.random.default_rng(1).standard_normal((2 * RATE_HZ, 2))
    music = np.tile(bar, (4, 1)).astype(np.float32)
    np.testing.assert_allclose(
        render_fit(music, a_plan(crossfade_s), RATE_HZ), music[: 4 * RATE_HZ], atol=1e-6
    )


def test_bars_that_have_nothing_to_do_with_each_other_join_at_their_own_level():
    music = (0.3 * np.random.default_rng(2).standard_normal((8 * RATE_HZ, 1))).astype(np.float32)
    fitted = render_fit(music, a_plan(1.0), RATE_HZ)
    usual = level_db(music, 4.0, 8.0)
    assert all(abs(level_db(fitted, at_s) - usual) < 1.0 for at_s in np.arange(0.1, 3.9, 0.05))


def test_sounds_that_cancel_each_other_are_not_raised_without_end():
    tone = 0.3 * np.sin(2 * np.pi * 100 * np.arange(8 * RATE_HZ) / RATE_HZ)
    fitted = render_fit(tone[:, None].astype(np.float32), a_plan(1.0, first_s=4.005), RATE_HZ)
    assert np.abs(fitted).max() < 0.6
