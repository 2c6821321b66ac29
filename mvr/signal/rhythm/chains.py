"""Chains that could be the beats of a piece, at its tempo and an octave off, and what speaks for each as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray, Times
from mvr.signal.onsets import FRAME_RATE_HZ, onset_times
from mvr.signal.rhythm.beats import STIFF, apart_s, beat_candidates
from mvr.signal.rhythm.clicks import FEWEST, Click, find_click, on_click
from mvr.signal.rhythm.tempo import SOFTEST_DB, tempi_of

TRAITS = (
    "log odds of the tempo", "octaves from 120 bpm", "those squared", "the likeliest tempo", "the strongest chain",
    "strength on beats", "midway", "at thirds", "bass on beats", "bass midway", "bass at thirds", "unevenness",
)  # fmt: skip
_PARTS = ((0.0,), (0.5,), (1 / 3, 2 / 3))  # of a beat
_REACH = 2  # frames on each side that belong to a moment
_SCALE = 4.0  # shares and unevenness weigh as much as other columns, so that no weight has to be large
_SAME = 0.2  # of a beat: a loose and a stiff chain so near to each other are the same beats
_STIFF_SHARE = 0.85  # of a stiff chain that keeps a click: it keeps to a line by itself, too
_LEAST_A_SECOND = 0.25  # of onsets: slow strings have .5, wind .27, rain .07, hiss up to .2
_EVEN = 10.0  # times the deviation of a beat's length; 1 is uneven


@dataclass(frozen=True, kw_only=True)
class Chain:
    """Attributes: bpm, of its click where it keeps one.   on_click: whether it does.   times_s: of its beats.
    heard_s: as they were heard, each by itself.   traits: (12,) `TRAITS`.
    """

    bpm: float
    on_click: bool
    times_s: Times
    heard_s: Times
    traits: FloatArray


def find_chains(envelopes: FloatArray, fewest: int) -> list[Chain]:
    """Chains of at least `fewest` beats at each tempo that the piece could have; none where it has no pulse.

    Args:
        envelopes: (4, frames) of `mvr.signal.onsets.onset_envelopes`.
        fewest: beats, at least two.
    """
    chains: list[Chain] = []
    if not begins_often(envelopes):
        return chains
    totals = [np.concatenate([[0.0], np.cumsum(row, dtype=np.float64)]) for row in envelopes[:2]]
    for bpm, log_odds in tempi_of(envelopes):
        octaves = np.log2(bpm / 120)
        for place, (click, heard) in enumerate(_candidates(envelopes, bpm)):
            times = heard if click is None else on_click(click, heard)
            if len(times) < fewest:
                continue
            head = [log_odds, octaves, octaves**2, float(log_odds == 0), float(place == 0)]
            shares = [share for total in totals for share in _shares(total, times)]
            uneven = min(1.0, _EVEN * float(np.std(np.log(np.diff(times) / np.median(np.diff(times))))))
            traits = np.array([*head, *(_SCALE * each for each in (*shares, uneven))], np.float32)
            kept_bpm = bpm if click is None else 60 / click.period_s
            chains.append(
                Chain(bpm=kept_bpm, on_click=click is not None, times_s=times, heard_s=heard, traits=traits)
            )
    return chains


def begins_often(envelopes: FloatArray) -> bool:
    """Whether enough begins in a sound for a pulse; in hiss, wind and tones hardly anything does.

    Args:
        envelopes: (4, frames) of `mvr.signal.onsets.onset_envelopes`.
    """
    onsets = onset_times(envelopes[0], SOFTEST_DB)
    return bool(len(onsets) >= _LEAST_A_SECOND * envelopes.shape[1] / FRAME_RATE_HZ)


def _candidates(envelopes: FloatArray, bpm: float) -> list[tuple[Click | None, Times]]:
    """Chains at a tempo as they are heard, each with its click where it keeps one.

    A loose chain follows what swells and strums off the beat. Where it keeps no click, a stiff one may; live music,
    whose tempo drifts, keeps none either way.
    """
    stiff: list[Times] | None = None
    found: list[tuple[Click | None, Times]] = []
    for times in beat_candidates(envelopes, bpm):
        click = find_click(times)
        if click is None and len(times) >= FEWEST:
            stiff = beat_candidates(envelopes, bpm, STIFF) if stiff is None else stiff
            near = [other for other in stiff if len(other) > 1 and apart_s(times, other) < _SAME * 60 / bpm]
            clicks = [(find_click(other, _STIFF_SHARE), other) for other in near]
            click, times = next(((each, other) for each, other in clicks if each is not None), (None, times))
        found.append((click, times))
    return found


def _shares(total: FloatArray, times_s: Times) -> list[float]:
    """Share of an envelope (sums before each frame) that lies on the beats, midway and at thirds between them."""
    steps, last = np.diff(times_s), len(total) - 1
    ends_s = np.array([times_s[0] - steps[0] / 2, times_s[-1] + steps[-1] / 2])
    first, end = np.clip(np.ceil(ends_s * FRAME_RATE_HZ).astype(np.int64), 0, last)
    whole = max(float(total[end] - total[first]), 1e-6)
    shares = []
    for parts in _PARTS:
        moments = np.concatenate([times_s[:-1] + part * steps for part in parts])
        begin = np.clip(np.rint(moments * FRAME_RATE_HZ).astype(np.int64) - _REACH, 0, last)
        until = np.clip(begin + 2 * _REACH + 1, 0, last)
        shares.append(float((total[until] - total[begin]).sum()) / whole)
    return shares
