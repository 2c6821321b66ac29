"""The aims of placing on real clips: met or missed, what would settle a miss, and whether the control holds."""

from __future__ import annotations

import math
from typing import Any

from mvr.datatypes import JsonDict

CHANCE = 0.105  # of the best tenth, on a grid
_CONTROL = (0.08, 0.16)
_FEWEST = 5  # works: of fewer the same ones are drawn over and over
_MANY = 1000  # works: nobody has more
_AIMS = {"circular": (0.40, 0.20), "strict": (0.30, CHANCE)}  # mean and lower bound of the best tenth


def verdicts(part: JsonDict) -> str:
    """Two sentences for each form that has an aim and was measured."""
    forms = {name: part if name == "circular" else part[name] for name in _AIMS}
    return "".join(
        f"\n{name.capitalize()}: {_aim(form, *_AIMS[name])} {control_told(form)}\n"
        for name, form in forms.items()
        if form["works"]
    )


def _aim(form: JsonDict, mean: float, bound: float) -> str:
    found, (low, high), works = form["best_tenth"], form["best_tenth_interval"], form["works"]
    of = f"of {works} work{'s' if works > 1 else ''}"
    said = f"best tenth {found:.2f}, lower bound {low:.2f}, {of}; wanted {mean:.2f} and {bound:g}:"
    if works < _FEWEST:
        return f"{said} so few works tell nothing, for works are what is redrawn; give clips of {_FEWEST} or more."
    if found >= mean and low >= bound:
        return f"{said} met."
    return f"{said} missed; {_settled_by(works, (found, low, high), (mean, bound))}."


def _settled_by(works: int, found: tuple[float, float, float], aim: tuple[float, float]) -> str:
    """What would settle a miss: how many works, if they are like these, bring the interval clear of the aim.

    >>> _settled_by(20, (0.35, 0.2, 0.5), (0.4, 0.2))
    'about 180 works like these would tell the mean from the aim'
    >>> _settled_by(20, (0.45, 0.15, 0.75), (0.4, 0.2))
    'about 29 works like these would lift the lower bound'
    >>> _settled_by(20, (0.39, 0.2, 0.6), (0.4, 0.2))
    'more than 1,000 works like these would tell the mean from the aim'
    >>> _settled_by(20, (0.1, 0.0, 0.2), (0.4, 0.2))
    'the aim lies outside of the interval, so more works like these would not reach it'
    """
    mean, low, high = found
    if high < aim[0]:
        return "the aim lies outside of the interval, so more works like these would not reach it"
    if mean >= aim[0]:
        return f"{_works(works, mean - low, mean - aim[1])} works like these would lift the lower bound"
    return f"{_works(works, high - mean, aim[0] - mean)} works like these would tell the mean from the aim"


def _works(works: int, reach: float, wanted: float) -> str:
    """An interval shrinks with the root of the works."""
    needed = max(works + 1, math.ceil(round(works * (reach / wanted) ** 2, 6)))
    return f"about {needed}" if needed <= _MANY else f"more than {_MANY:,}"


def control_told(form: JsonDict) -> str:
    """Whether foreign sounds score as chance does; where they do not, own ones say nothing either.

    >>> control_told({"control_best_tenth": 0.12, "control_best_tenth_interval": [0.09, 0.15]})
    'Foreign sounds: 0.12 [0.09, 0.15], as chance (0.105) does.'
    >>> control_told({"control_best_tenth": 0.3, "control_best_tenth_interval": [0.2, 0.4]})
    'Foreign sounds: 0.30 [0.20, 0.40], not as chance (0.105) does: this form does not count.'
    """
    interval: Any = form.get("control_best_tenth_interval")
    if interval is None:
        return "Foreign sounds: none, for no other work is long enough: this form does not count."
    low, high = interval
    holds = low <= CHANCE <= high or (_CONTROL[0] <= low and high <= _CONTROL[1])
    said = f"Foreign sounds: {form['control_best_tenth']:.2f} [{low:.2f}, {high:.2f}]"
    return f"{said}, as chance ({CHANCE:g}) does." if holds else (
        f"{said}, not as chance ({CHANCE:g}) does: this form does not count."
    )  # fmt: skip
