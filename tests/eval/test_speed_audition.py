"""What the benchmark of auditions says of its numbers, and its tones."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from eval.speed.audition import faster
from eval.speed.ear import RATE_HZ, TONES_HZ, write_tone


def test_how_many_times_sooner_the_sound_comes_is_the_ratio_of_the_medians() -> None:
    rows = {"the page": {"facts": {"p50 ms": 40}}, "the page before": {"facts": {"p50 ms": 1800}}}
    assert faster(rows) == {"the page": {"times sooner": 45.0}}
    assert faster({"the page": rows["the page"]}) == {}, "without an earlier page there is nothing to compare"


@pytest.mark.parametrize("hz", TONES_HZ)
def test_a_tone_leads_its_own_melody(tmp_path: Path, hz: int) -> None:
    with wave.open(str(write_tone(tmp_path, hz, 4))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() * RATE_HZ / len(samples) == pytest.approx(hz, abs=1)
