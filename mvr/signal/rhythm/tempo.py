"""Tempo without octave errors, as far as music itself has one.

Every tempo from 50 to 220 bpm is a hypothesis. What speaks for it is how much the onset envelopes (all
bands, bass, middle, treble) repeat after a quarter of its beat, a half, one, two, four, ... beats: a beat
that is halved too often has nothing between its beats at the half, one that is doubled has as much there as
on them. A network of six hidden numbers weighs the 25 numbers of a hypothesis. It was fitted on rendered
pieces and click and drum patterns of known tempo (`python -m eval.timing.models.tempo_model` writes
`tempo_model.json`); nothing recorded was used.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray
from mvr.signal.onsets import FRAME_RATE_HZ, autocorrelation, onset_envelopes, onset_times, smooth
from mvr.signal.spectrum import mel_db, power_spectrogram

TEMPI_BPM = 50.0 * 2.0 ** np.arange(0, 2.14, 1 / 48)  # 50 .. 220 bpm in steps of 1.5 %
NO_TEMPO_BPM = 120.0  # what stands in a feature for silence and for sound without any onset
_MULTIPLES = (0.25, 1 / 3, 0.5, 2 / 3, 1, 1.5, 2, 3, 4, 6, 8)  # of a beat, all bands together
_BAND_MULTIPLES = (0.5, 1, 2, 4)  # of a beat, each band
SOFTEST_DB = 0.5  # rise of the mean band that is an onset
_FEWEST_ONSETS = 3  # the start and the end of a tone are no rhythm
_RELATED = (-48, 48, -28, 28)  # steps of `TEMPI_BPM` to an octave and a fifth
_ABOUT = 2  # steps around those
_UNLIKELY = 5.0  # log odds at which another tempo is not looked at
_AS_LIKELY = 2.0  # log odds at which any tempo nearer than an octave is: 4/3 or 4/5 of the true one
_MOST_TEMPI = 4
SILENT_RMS = 1e-5  # -100 dBFS: below lies dither
MODEL = Path(__file__).with_name("tempo_model.json")


def hypotheses(envelopes: FloatArray) -> FloatArray:
    """What speaks for each tempo: (tempi, 25).

    Args:
        envelopes: (4, frames) of `mvr.signal.onsets.onset_envelopes`.

    Columns: autocorrelation of all bands at `_MULTIPLES` of the beat, of each of three bands at `_BAND_MULTIPLES`, both
    as a share of their largest value between 0.25 and 2 s; octaves from 120 bpm, and those squared.
    """
    columns: list[npt.NDArray[np.float64]] = []
    period = FRAME_RATE_HZ * 60.0 / TEMPI_BPM
    for band, envelope in enumerate(envelopes):
        correlation = autocorrelation(smooth(envelope))
        first, last = int(0.25 * FRAME_RATE_HZ), min(len(correlation) - 1, int(2 * FRAME_RATE_HZ))
        largest = max(float(correlation[first:last].max(initial=0.0)), 0.05)
        lags = np.arange(len(correlation))
        for multiple in _MULTIPLES if band == 0 else _BAND_MULTIPLES:
            at = np.interp(period * multiple, lags, correlation, right=0)
            columns.append(at / largest)
    octaves = np.log2(TEMPI_BPM / 120)
    return np.stack([*columns, octaves, octaves**2], axis=1).astype(np.float32)


def tempo_scores(envelopes: FloatArray) -> FloatArray:
    """Log odds of every tempo of `TEMPI_BPM`, up to a constant: (tempi,)."""
    model = _model()
    features: FloatArray = (hypotheses(envelopes) - model["mean"]) / model["deviation"]
    hidden = np.tanh(features @ model["hidden"] + model["bias"])
    scores: FloatArray = features @ model["direct"] + hidden @ model["out"]
    return scores


def tempi_of(envelopes: FloatArray, least_db: float = SOFTEST_DB) -> list[tuple[float, float]]:
    """Tempi in bpm, 49..223, that a sound could have, and by how many log odds each is less likely than the first (0
    or less): up to four, the others an octave or a fifth away or nearly as likely. Empty where nothing begins or
    repeats.

    Args:
        envelopes: (4, frames) of `mvr.signal.onsets.onset_envelopes`.
        least_db: rise of the mean band from which something begins. Strings reach 0.5 dB, white noise does not.
    """
    onsets = onset_times(envelopes[0], least_db)
    if envelopes.shape[1] < FRAME_RATE_HZ or len(onsets) < _FEWEST_ONSETS:
        return []
    scores = tempo_scores(envelopes)
    best = int(np.argmax(scores))
    found = [best]
    for steps in _RELATED:
        near = np.arange(best + steps - _ABOUT, best + steps + _ABOUT + 1)
        near = near[(near >= 0) & (near < len(scores))]
        if len(near) and scores[near].max() > scores[best] - _UNLIKELY:
            found.append(int(near[np.argmax(scores[near])]))
    found += [
        place
        for place in range(max(0, best + _RELATED[0]), min(len(scores), best + _RELATED[1]))
        if scores[place] > scores[best] - _AS_LIKELY
        and scores[place] == scores[max(0, place - 2 * _ABOUT) : place + 2 * _ABOUT + 1].max()
        and all(abs(place - other) > 2 * _ABOUT for other in found)
    ]
    found = sorted(found, key=lambda place: -scores[place])[:_MOST_TEMPI]
    correlation = autocorrelation(smooth(envelopes[0]))
    return [
        (_refined(correlation, float(TEMPI_BPM[place])), float(scores[place] - scores[best]))
        for place in found
    ]


def tempo_of(envelopes: FloatArray, least_db: float = SOFTEST_DB) -> float | None:
    """The likeliest of `tempi_of`; None where there is none. Beats and harmony may tell another one of them."""
    tempi = tempi_of(envelopes, least_db)
    return tempi[0][0] if tempi else None


def _refined(correlation: FloatArray, bpm: float) -> float:
    """The tempo within 2 % whose 1, 2, 4, 8 beats repeat best."""
    tempi = bpm * 2 ** np.linspace(-1 / 36, 1 / 36, 81)
    lags = np.arange(len(correlation))
    support = sum(
        np.interp(FRAME_RATE_HZ * 60 * beats / tempi, lags, correlation, right=0) for beats in (1, 2, 4, 8)
    )
    return float(tempi[int(np.argmax(support))])


def envelopes_of(samples: FloatArray) -> FloatArray | None:
    """Onset envelopes (4, frames) of mono sound at `SAMPLE_RATE_HZ`, whatever its gain; None for silence."""
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0
    if rms < SILENT_RMS:
        return None
    return onset_envelopes(mel_db(power_spectrogram(samples / np.float32(rms))))


@lru_cache(maxsize=1)
def _model() -> dict[str, FloatArray]:
    stored = json.loads(MODEL.read_text(encoding="utf-8"))["weights"]
    return {name: np.array(values, np.float32) for name, values in stored.items()}
