"""Outcomes of windows summed up: one weight per work, 95 % by works redrawn, own sounds beside foreign ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, JsonDict
from mvr.timing.placing.sliding import VARIANTS

REDRAWS = 4000
FOUND_S = 0.5
SUMS = ("sum of five", "meeting alone", "with evidence", "sum")  # "sum": what is used, with evidence and lean
_FIVE = len(VARIANTS)  # where the plain sum of five stands


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One window: percentile of the true start and whether it is in the best tenth, for each variant and the sums.

    `sound` is the work whose sound lay under the window of `work`; `told` is what a list says where it starts the whole
    sound, and how far from the true start that is.
    """

    work: str
    sound: str
    clip: str
    percentile: FloatArray
    hit: FloatArray
    told: tuple[str, float] | None = None


def within(outcomes: Sequence[Outcome], works: Collection[str]) -> list[Outcome]:
    """Those whose picture and sound are both of these works."""
    return [each for each in outcomes if each.work in works and each.sound in works]


def summary(own: Sequence[Outcome], foreign: Sequence[Outcome]) -> JsonDict:
    """One form of the document; `sum_less_five` is how far what is used lies ahead of the plain sum, work by work."""
    if not own:
        return {"works": 0, "clips": 0, "note": "no clip is long enough for this form"}
    percentile, hit = _by_work(own, "percentile"), _by_work(own, "hit")
    control = _by_work(foreign, "hit") if foreign else None
    rows = {
        variant: _row(percentile[:, n], hit[:, n])
        | {"control_best_tenth": None if control is None else _rounded(control[:, n].mean())}
        for n, variant in enumerate((*VARIANTS, *SUMS))
    }
    document: JsonDict = {
        "works": len(percentile), "clips": len({each.clip for each in own}), "windows": len(own),
        **rows["sum"], "variants": rows,
        "sum_less_five": _row(percentile[:, -1] - percentile[:, _FIVE], hit[:, -1] - hit[:, _FIVE]),
    }  # fmt: skip
    if own[0].told is not None:
        document["words"] = _worth(own, foreign)
    if control is not None:
        document |= {
            "control_best_tenth_interval": _interval(control[:, -1]),
            "control_percentile": _rounded(_by_work(foreign, "percentile")[:, -1].mean()),
            "control_pairs": len(foreign),
        }
    return document


def _worth(own: Sequence[Outcome], foreign: Sequence[Outcome]) -> list[JsonDict]:
    """What the words of a list are worth: how often each is said of own and foreign sounds, how often it is true."""
    rows = []
    for words in sorted({each.told[0] for each in (*own, *foreign) if each.told}):
        said, other = (
            [each for each in outcomes if each.told and each.told[0] == words] for outcomes in (own, foreign)
        )
        rows.append({
            "words": words, "windows": len(said), "said": _rounded(len(said) / len(own)),
            "found": _share([abs(each.told[1]) <= FOUND_S for each in said if each.told]),
            "best_tenth": _share([each.hit[-1] > 0 for each in said]),
            "said_of_foreign": _rounded(len(other) / len(foreign)) if foreign else None,
        })  # fmt: skip
    return rows


def _share(true: Sequence[bool]) -> float | None:
    return _rounded(float(np.mean(true))) if true else None


def _row(percentile: npt.NDArray[np.float64], hit: npt.NDArray[np.float64]) -> JsonDict:
    return {
        "percentile": _rounded(percentile.mean()), "interval": _interval(percentile),
        "best_tenth": _rounded(hit.mean()), "best_tenth_interval": _interval(hit),
    }  # fmt: skip


def _by_work(outcomes: Sequence[Outcome], what: str) -> npt.NDArray[np.float64]:
    """(works, 9): windows of a clip's work averaged."""
    works: dict[str, list[FloatArray]] = {}
    for each in outcomes:
        works.setdefault(each.work, []).append(getattr(each, what))
    return np.array([np.mean(rows, axis=0) for rows in works.values()])


def _interval(values: npt.NDArray[np.float64]) -> list[float]:
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (REDRAWS, len(values)))].mean(axis=1)
    return [_rounded(x) for x in np.percentile(means, [2.5, 97.5])]


def _rounded(value: float) -> float:
    return round(float(value), 4)
