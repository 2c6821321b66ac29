from __future__ import annotations

import numpy as np

from mvr.signal.onsets import FRAME_RATE_HZ, onset_envelopes
from mvr.signal.rhythm.moments import SPANS, WIDTH, Moments

BEAT_S = 0.5
CHORDS = np.eye(12, dtype=np.float32)[[0, 5, 7, 9, 2, 4]]  # six chords, four beats each


def piece(stroke_db: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bands, pitch classes and beats of chords that last four beats, a stroke half a beat after each beat."""
    time_s = np.arange(int(24 * BEAT_S * FRAME_RATE_HZ)) / FRAME_RATE_HZ
    classes = CHORDS[(time_s / BEAT_S / 4).astype(int)] + 0.01
    decibels = np.repeat(classes, 4, axis=1)[:, :40] * 10
    late = np.abs((time_s / BEAT_S) % 1 - 0.5) < 0.05
    return decibels + stroke_db * late[:, None], classes, np.arange(24) * BEAT_S


def test_a_row_says_on_which_beats_a_chord_that_lasts_changes():
    decibels, classes, beats = piece(stroke_db=20.0)
    rows = Moments(decibels, classes, onset_envelopes(decibels)).beaten(beats)
    assert rows.shape == (24, WIDTH) and np.isfinite(rows).all()
    harmony = rows[:, WIDTH - len(SPANS) + SPANS.index(("harmony", 4))]
    assert set(np.argsort(-harmony)[:5]) == {4, 8, 12, 16, 20}


def test_nothing_changes_in_one_held_chord():
    decibels, classes = np.zeros((430, 40), np.float32), np.ones((430, 12), np.float32)
    rows = Moments(decibels, classes, onset_envelopes(decibels)).beaten(np.arange(1, 19) * BEAT_S)
    assert np.isfinite(rows).all() and np.abs(rows[:, -len(SPANS) :]).max() < 1
