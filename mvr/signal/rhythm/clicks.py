"""The click that a piece was made to: one period and one moment that most of its beats keep.

A chain of beats wanders in breaks, follows the strokes between the beats in an intro, and jitters where strings
swell; a click does none of it. Where most beats of a chain lie on one line, all between its first and its last
do: a chain that comes back to the line has never left it. Beyond those, a stretch as long as it likes half a
beat off, or a short one at nearly the same pace, belongs to the click too; any other stays as it was heard, for
there a piece may slow down or go on at another tempo. Music that drifts has no click.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from mvr.datatypes import Times

FEWEST = 16  # beats
ON_LINE_S = 0.02
_NEAR_S = 0.03  # beats that tell where the line lies
_LEAST_S = 0.005  # from the line: nearer beats weigh no more
_WIDTH = 0.006  # by which the period may differ from the usual step between beats
_STEP_S = 0.005  # of periods, by where the last beat then lies, and of moments
_LONGEST_S = 1200.0  # a mix of an hour has no click; the search grows with the square of the length
_RUN = 8  # beats on the line, one after another, do not lie there by chance
_SHORT = 24  # beats
_HALF_OFF = 0.5  # of a stretch that lie on the line or half a beat off; of another tempo's beats a sixth do
_SAME_PACE = 0.04  # of the period, by which the mean step of a stretch may differ where the pace is the same
_OFTEN = 0.35  # of the beats that lie on a click that a chain leaves again and again
_STAYS_S, _STAY = 0.008, 0.75  # so near to the line are so many of those on it, if they stay there
_FAR = 0.15  # of the period: other strokes lie so far off, swung ones at a third
_EXPLAINED = 0.8  # of the beats, on the line or away and back
_SLOWER = 1.12  # of the period: a longer step is a piece that slows down


@dataclass(frozen=True)
class Click:
    """Attributes: `period_s`; `first_s`, one of its moments."""

    period_s: float
    first_s: float

    def numbers(self, times_s: Times) -> Times:
        """The nearest moment of each time, counted from `first_s`: whole numbers."""
        counted: Times = np.rint((times_s - self.first_s) / self.period_s)
        return counted

    def away_s(self, times_s: Times) -> Times:
        """How far each time comes after its nearest moment."""
        return times_s - self.first_s - self.period_s * self.numbers(times_s)

    def kept(self, times_s: Times, within_s: float = ON_LINE_S) -> float:
        """Share of the times that lie so near to a moment."""
        return float((np.abs(self.away_s(times_s)) <= within_s).mean())


def find_click(times_s: Times, share: float = 0.7) -> Click | None:
    """The click that a `share` of the beats keeps, or that they leave and come back to; else None.

    None of few beats and of a mix of hours, too.
    """
    click = commonest_click(times_s)
    if click is None:
        return None
    return click if click.kept(times_s) >= share or _left_in_vain(click, times_s) else None


def commonest_click(times_s: Times) -> Click | None:
    """The click that most beats keep, be they few; None of few beats and of a mix of hours."""
    if len(times_s) < FEWEST or times_s[-1] - times_s[0] > _LONGEST_S:
        return None
    click = _commonest(times_s)
    for _ in range(4):
        click = _refined(click, times_s)
    return click


def on_click(click: Click, times_s: Times, near_s: float = ON_LINE_S) -> Times:
    """A chain of beats with those that belong to its click where the click has them, the others as they were heard.

    Args:
        click: that most beats keep within `near_s`.
        times_s: (beats,) as they are heard.
    """
    if not click.kept(times_s, near_s):
        return times_s  # none belongs to it
    first, last = _span(click, times_s, near_s)
    numbers = click.numbers(times_s[[first, last]])
    beats = click.first_s + click.period_s * np.arange(numbers[0], numbers[1] + 1)
    before, after = times_s[:first], times_s[last + 1 :]
    apart_s = click.period_s / 2
    return np.concatenate([before[before < beats[0] - apart_s], beats, after[after > beats[-1] + apart_s]])


def _left_in_vain(click: Click, times_s: Times) -> bool:
    """Whether a chain that leaves a click again and again comes back to it each time, from far off.

    It then followed other strokes for a while (swung ones, those between the beats). Whoever plays freely passes the
    line, but does not stay on it; beats at another tempo come back one too many or too few.
    """
    near = np.abs(click.away_s(times_s)) <= ON_LINE_S
    if near.mean() < _OFTEN or click.kept(times_s, _STAYS_S) < _STAY * near.mean():
        return False
    numbers, on_line = click.numbers(times_s), np.flatnonzero(near)
    explained = len(on_line)
    for left, back in itertools.pairwise(on_line):
        between = np.abs(click.away_s(times_s[left + 1 : back]))
        in_step = numbers[back] - numbers[left] == back - left
        if len(between) and in_step and between.max() >= _FAR * click.period_s:
            explained += len(between)
    return bool(explained >= _EXPLAINED * len(times_s))


def _commonest(times_s: Times) -> Click:
    """The period and moment that most beats keep, of a grid of both."""
    since_s = times_s - times_s[0]
    usual_s = float(np.median(np.diff(times_s)))
    periods = usual_s * (1 + _WIDTH * np.linspace(-1, 1, 3 + int(2 * _WIDTH * since_s[-1] / _STEP_S)))
    bins, reach = 1 + int(periods[-1] / _STEP_S), round(ON_LINE_S / _STEP_S)
    places = np.minimum(((since_s / periods[:, None]) % 1 * bins).astype(np.int64), bins - 1)
    rows = places + bins * np.arange(len(periods))[:, None]
    counts = np.bincount(rows.ravel(), minlength=bins * len(periods)).reshape(len(periods), bins)
    around = np.concatenate([counts[:, -reach:], counts, counts[:, :reach]], axis=1)
    total = np.pad(np.cumsum(around, axis=1), ((0, 0), (1, 0)))
    near = total[:, 2 * reach + 1 :] - total[:, : -2 * reach - 1]
    row, place = np.unravel_index(int(near.argmax()), near.shape)
    period_s = float(periods[row])
    return Click(period_s, float(times_s[0]) + (float(place) + 0.5) / bins * period_s)


def _refined(click: Click, times_s: Times) -> Click:
    """The line through the beats near a click with the least sum of distances: one step towards it."""
    numbers, away_s = click.numbers(times_s), np.abs(click.away_s(times_s))
    weights = (away_s <= _NEAR_S) / np.maximum(away_s, _LEAST_S)
    if np.count_nonzero(weights) < 2:
        return click
    weights = weights / weights.sum()
    middle, mean_s = float(weights @ numbers), float(weights @ times_s)
    wide = float(weights @ (numbers - middle) ** 2)
    period_s = float(weights @ ((numbers - middle) * (times_s - mean_s))) / wide
    return Click(period_s, mean_s - period_s * middle)


def _span(click: Click, times_s: Times, near_s: float) -> tuple[int, int]:
    """The first and the last beat that belong to the click."""
    near = np.abs(click.away_s(times_s)) <= near_s
    runs = np.convolve(near, np.ones(_RUN), mode="valid") == _RUN
    if not runs.any():
        kept = np.flatnonzero(near)
        return int(kept[0]), int(kept[-1])
    first, last = int(np.flatnonzero(runs)[0]), int(np.flatnonzero(runs)[-1]) + _RUN - 1
    if _belongs(click, times_s[: first + 1]):
        first = 0
    if _belongs(click, times_s[last:]):
        last = len(times_s) - 1
    return first, last


def _belongs(click: Click, times_s: Times) -> bool:
    """Whether a stretch at the start or the end, off the line, still was played to the click."""
    if len(times_s) < 2:
        return True
    between_s = click.away_s(times_s)
    halves_s = np.minimum(np.abs(between_s), click.period_s / 2 - np.abs(between_s))
    if len(between_s) >= _RUN and (halves_s <= ON_LINE_S).mean() >= _HALF_OFF:
        return True
    steps = np.diff(times_s) / click.period_s
    return (
        len(steps) <= _SHORT and abs(float(steps.mean()) - 1) <= _SAME_PACE and bool((steps < _SLOWER).all())
    )
