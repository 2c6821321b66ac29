"""When to stop: e-values that may be looked at after every vote, the exact sign test, votes still needed.

Looking every 20 votes at a 95 % interval calls equal systems different 32 % of the time; the e-value does
so in at most 5 % however often one looks (Ville's inequality). Source: evaluation specification, line 14
and section 4.
"""

from __future__ import annotations

import math

import numpy as np

from mvr.errors import UsageError

SEPARATED_AT = 20.0
PRIOR = 20.0


def log_e_value(wins: int, losses: int) -> float:
    """ln of `e_value`; does not overflow."""
    from scipy.special import betaln

    return float(betaln(PRIOR + wins, PRIOR + losses) - betaln(PRIOR, PRIOR) + (wins + losses) * math.log(2))


def e_value(wins: int, losses: int) -> float:
    """Evidence that one of two systems wins more: B(20+w, 20+l) / B(20, 20) * 2^(w+l); separated from 20 on.

    >>> round(e_value(65, 35), 4)
    13.9032
    """
    return float(math.exp(min(log_e_value(wins, losses), 700.0)))


def directed_e_value(wins: int, losses: int) -> float:
    """Evidence that the first of two systems wins more: `e_value` times the share of its Beta above 1/2.

    The two directions add up to `e_value`, so calling the first better from 20 on, or the second, errs in at
    most 5 % of the cases however often one looks; the direction need not be chosen beforehand.

    >>> round(directed_e_value(65, 35), 4), round(directed_e_value(35, 65), 4)
    (13.829, 0.0742)
    """
    from scipy.stats import beta

    share = float(beta.logsf(0.5, PRIOR + wins, PRIOR + losses))
    return float(math.exp(min(log_e_value(wins, losses) + share, 700.0)))


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p of equal chances.

    >>> round(sign_test(60, 40), 6)
    0.056888
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def sample_size(win_share: float, *, alpha: float = 0.05, power: float = 0.8) -> int:
    """Decisive votes from which on the exact sign test finds this share of wins with the given power.

    The power of an exact test is a saw; this is the first size after which it never falls below `power`.

    Raises:
        UsageError: a share that is not between 0.5 and 1.

    >>> sample_size(0.6)
    210
    """
    from scipy.stats import binom, norm

    if not 0.5 < win_share < 1:
        raise UsageError(f"the share of wins must be between 0.5 and 1, not {win_share}")
    z = float(norm.isf(alpha / 2) + norm.isf(1 - power))
    most = 50 + int(1.5 * (z / (2 * win_share - 1)) ** 2)  # half as much again as the normal approximation
    sizes = np.arange(1, most + 1)
    wins = binom.isf(alpha / 2, sizes, 0.5) + 1  # fewest wins at which the two-sided test rejects
    weak = np.flatnonzero(binom.sf(wins - 1, sizes, win_share) < power)
    return int(sizes[weak[-1]]) + 1


def votes_to_separate(
    gap: float, se: float, votes: int, *, comparisons: int = 1, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Votes still needed until a gap as large as the present one would be told apart.

    The standard error falls with the square root of the votes (same mix of pairs and voters); needed is
    (z_a + z_b) se <= gap. The result holds what the data show so far: effects of voters and videos are in
    `se`.

    Args:
        gap: difference of two strengths in nats, not 0.
        se: its standard error now (with the design effect of busy voters in it).
        votes: votes cast so far.
        comparisons: size of the family (first step of Holm).
        alpha: two-sided error of the first kind.
        power: probability of telling the gap apart.
    """
    from scipy.stats import norm

    if gap == 0 or not math.isfinite(se):
        raise UsageError("votes still needed cannot be predicted from a gap of 0 or without an interval")
    z = float(norm.isf(alpha / 2 / comparisons) + norm.isf(1 - power))
    needed = votes * (z * se / abs(gap)) ** 2
    return max(0, math.ceil(needed - votes))
