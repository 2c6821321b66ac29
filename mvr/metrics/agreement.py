"""Do people agree, with each other and with themselves, and do they listen?

Krippendorff's alpha (Content Analysis, 2018) is evalica's; its interval is a bootstrap over units (items), because
judgments of one item are not independent. An alpha of 0.8 is called firm, 0.667 to 0.8 tentative. The gold rule
excludes a voter if P(gold rate < 0.6) > 0.9 under a Beta(1, 1) prior: evaluation specification, lines 30-31.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from mvr.errors import UsageError, WrongShape
from mvr.metrics.significance import Interval

GOLD_RATE = 0.6
GOLD_CERTAINTY = 0.9


class Distance(StrEnum):
    """How far two values are apart: equal or not, by rank, by difference, by ratio."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Krippendorff's alpha of a table; `interval` is None where no unit has two values or all agree on one."""

    alpha: float | None
    interval: Interval | None
    units: int
    raters: int


def krippendorff_alpha(table: npt.NDArray[np.float64], distance: Distance = Distance.ORDINAL) -> float:
    """Alpha of a (raters, units) table; NaN is a missing value.

    Raises:
        WrongShape: not a table with a unit that two raters judged.
    """
    import pandas as pd
    from evalica import alpha

    if table.ndim != 2 or not ((~np.isnan(table)).sum(axis=0) >= 2).any():
        raise WrongShape("alpha needs a table (raters, units) with a unit that two raters judged")
    return float(alpha(pd.DataFrame(table), distance=str(distance)).alpha)


def reliability(
    table: npt.NDArray[np.float64],
    distance: Distance = Distance.ORDINAL,
    *,
    draws: int = 1000,
    seed: int = 0,
) -> Reliability:
    """Alpha with its 95 % bootstrap interval over units.

    Args:
        table: (raters, units), NaN missing.
        distance: how far two grades lie apart.
        draws, seed: of the bootstrap.
    """
    pairable = table[:, (~np.isnan(table)).sum(axis=0) >= 2] if table.size else table
    units, raters = (pairable.shape[1], table.shape[0]) if pairable.size else (0, len(table))
    values = np.unique(pairable[~np.isnan(pairable)]) if units else np.zeros(0)
    if len(values) < 2:  # alpha compares observed with expected disagreement, and none is expected here
        return Reliability(alpha=None, interval=None, units=units, raters=raters)
    point = krippendorff_alpha(pairable, distance)
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        again = pairable[:, generator.integers(0, units, units)]
        if len(np.unique(again[~np.isnan(again)])) > 1:
            drawn.append(krippendorff_alpha(again, distance))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Reliability(
        alpha=point,
        interval=Interval(point=point, low=float(low), high=float(high)),
        units=units,
        raters=raters,
    )


def rating_table(
    raters: npt.NDArray[np.int64], units: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(raters, units) table of single ratings; what nobody rated is NaN.

    >>> rating_table(np.array([0, 1]), np.array([0, 0]), np.array([2.0, 3.0])).tolist()
    [[2.0], [3.0]]
    """
    if not len(raters):
        return np.zeros((0, 0))
    table = np.full((int(raters.max()) + 1, int(units.max()) + 1), np.nan)
    table[raters, units] = values
    return table


def inattention(passed: int, shown: int) -> float:
    """P(gold rate < 0.6) of a voter who passed `passed` of `shown` checks, under a Beta(1, 1) prior.

    >>> round(inattention(0, 2), 3), round(inattention(4, 4), 3)
    (0.936, 0.078)
    """
    from scipy.stats import beta

    if not 0 <= passed <= shown:
        raise UsageError(f"{passed} checks passed of {shown} shown")
    return float(beta.cdf(GOLD_RATE, 1 + passed, 1 + shown - passed))


def fails_gold(passed: int, shown: int) -> bool:
    """Whether a voter's votes are set aside: P(gold rate < 0.6) > 0.9.

    >>> fails_gold(0, 2), fails_gold(0, 0)
    (True, False)
    """
    return inattention(passed, shown) > GOLD_CERTAINTY
