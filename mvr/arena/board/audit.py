"""What speaks against a rating table, found by itself and said in plain words beside it.

Each finding is one check with a sentence; a flagged one is worth a reader's attention before the order is quoted. The
checks are those that arenakit's planted boards ask for and some of ours; `python -m eval.votes audit` prints which of
them name which planted fault. Tests are at 1 % each, corrected for the pairs or systems that they look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mvr.arena.board.inputs import Row
from mvr.arena.board.orders import orders_without_rules, other_orders
from mvr.arena.board.sections import pair_votes
from mvr.datatypes import JsonDict
from mvr.metrics.preference import PairVotes, Ratings, RatingSettings, Ties, rate
from mvr.metrics.preference.concentration import Concentration, concentration, design_effect
from mvr.metrics.preference.cycles import PairFit, find_cycles, pair_fits
from mvr.metrics.preference.drift import changes_between_halves
from mvr.metrics.preference.ratings import ELO_PER_NAT
from mvr.metrics.preference.separation import met_groups
from mvr.metrics.preference.votes import TIE

ERROR = 0.01
UNRESOLVED = (
    0.25  # share of neighbours not told apart from which on the order is called open (as arenakit does)
)
LOPSIDED = 4.0  # most votes of a system by fewest
IMMATERIAL_SLOT = 0.05  # nats: 1.2 points of win rate at even strength (arenakit's band)
RULE_WORDS = {
    "gold checks": "did not recognise planted mismatches",
    "one side": "almost always chose one side",
    "one system": "chose one system far more often than all others do",
    "campaign": "were new and chose the same together",
}
MUCH_REMOVED = 0.1  # share of votes set aside that is said aloud


@dataclass(frozen=True, kw_only=True)
class AuditInput:
    """What the checks look at.

    Attributes:
        rows: votes on the board; before: the same with those of voters whom rules set aside.
        by_rule: voters set aside, by rule.
        settings: those of the published fit.
    """

    rows: Sequence[Row]
    before: Sequence[Row]
    by_rule: Mapping[str, Set[str]]
    settings: RatingSettings


def audit_section(data: AuditInput) -> JsonDict:
    """Findings with their numbers; empty where nobody was preferred yet."""
    votes = pair_votes(data.rows)
    if len(votes) == 0 or not (votes.outcome != TIE).any():
        return {"findings": [], "pairs": [], "orders": [], "left_share": {}}
    ratings = rate(votes, data.settings)
    pairs = pair_fits(votes, ratings)
    orders = [
        *other_orders(votes, ratings),
        *orders_without_rules(data.before, data.by_rule, ratings),
    ]
    sides = _left_shares(votes)
    crowd = concentration(pair_votes(data.before))
    checks = (
        _order(ratings),
        _connectivity(votes, pairs),
        _balance(votes),
        _slot(ratings, orders),
        _sides(votes, sides),
        _ties(data),
        _cycles(pairs, ratings, known=not ratings.separated or len(met_groups(votes)) > 1),
        _concentration(crowd, ratings),
        _influence(orders, ratings),
        _drift(votes, data.settings),
        _exclusion(orders, data),
    )
    return {
        "findings": [
            {"check": name, "flagged": flagged, "said": said} for name, flagged, said in checks if said
        ],
        "pairs": [_pair_row(pair) for pair in pairs],
        "orders": orders,
        "left_share": sides,
        "design_effect": None if ratings.separated else design_effect(ratings),
        "effective_voters_before": crowd.effective_voters,
        "voters_before": crowd.voters,
        "busiest_share": crowd.busiest_share,
    }


Check = tuple[str, bool, str]


def _order(ratings: Ratings) -> Check:
    """How many neighbours are told apart, and what the nearest of the others needs."""
    names = [row.system for row in ratings.rows]
    told = {(gap.better, gap.worse): gap.p_holm < 1 - ratings.settings.level for gap in ratings.differences}
    apart = [told[pair] for pair in pairwise(names)]
    if ratings.separated or not apart:
        return "order", False, ""
    said = f"{sum(apart)} of {len(apart)} neighbouring systems are told apart."
    flagged = apart.count(False) / len(apart) > UNRESOLVED
    return "order", flagged, said + (" The order of the others is open." if flagged else "")


def _connectivity(votes: PairVotes, pairs: Sequence[PairFit]) -> Check:
    groups = met_groups(votes)
    if len(groups) > 1:
        named = "; ".join(", ".join(group) for group in groups)
        return (
            "connectivity",
            True,
            f"These groups never met and cannot be compared with each other: {named}.",
        )
    possible = len(votes.systems) * (len(votes.systems) - 1) // 2
    fewest = min(pairs, key=lambda pair: (pair.votes, pair.first, pair.second))
    least = f"{fewest.first} and {fewest.second} least often ({fewest.votes} votes)"
    return "connectivity", False, f"{len(pairs)} of {possible} pairs met, {least}."


def _balance(votes: PairVotes) -> Check:
    counts = np.bincount(np.concatenate([votes.left, votes.right]), minlength=len(votes.systems))
    most, least = int(counts.argmax()), int(counts.argmin())
    flagged = bool(counts[most] >= LOPSIDED * counts[least])
    said = f"{votes.systems[most]} is in {counts[most]} votes, {votes.systems[least]} in {counts[least]}"
    return "balance", flagged, f"The votes are lopsided: {said}." if flagged else f"{said}."


def _slot(ratings: Ratings, orders: Sequence[JsonDict]) -> Check:
    """The slot's size, its interval, and whether it matters."""
    size = len(ratings.fit.systems)
    contrast = np.eye(size + 2)[size]
    gamma = ratings.fit.gamma
    width = ratings.covariances.half_width(contrast, ratings.settings.level)
    if not ratings.settings.slot or not np.isfinite(width):
        return "slot", False, ""
    low, high = gamma - width, gamma + width
    matters = low > IMMATERIAL_SLOT or high < -IMMATERIAL_SLOT
    judged = (
        "that matters, and the strengths are corrected for it"
        if matters
        else "that may be chance"
        if low <= 0 <= high
        else "that is there, but too little to matter"
    )
    elo = [ELO_PER_NAT * value for value in (gamma, low, high)]
    without = next(other for other in orders if other["without"] == "the slot term")
    order = (
        ""
        if without["same_order"]
        else f" Without that correction the order is {', '.join(without['order'])}."
    )
    said = f"Being shown on the left is worth {elo[0]:+.0f} Elo ({elo[1]:+.0f} to {elo[2]:+.0f}): {judged}.{order}"
    return "slot", bool(matters), said


def _left_shares(votes: PairVotes) -> dict[str, float]:
    size = len(votes.systems)
    left, right = (np.bincount(side, minlength=size) for side in (votes.left, votes.right))
    return {name: float(left[i] / (left[i] + right[i])) for i, name in enumerate(votes.systems)}


def _sides(votes: PairVotes, shares: Mapping[str, float]) -> Check:
    """Whether each system stands left as often as a fair coin lets it."""
    from scipy.stats import binomtest

    odd = max(shares, key=lambda name: abs(shares[name] - 0.5))
    number = votes.systems.index(odd)
    left = int((votes.left == number).sum())
    p = binomtest(left, left + int((votes.right == number).sum())).pvalue * len(shares)
    flagged = bool(p < ERROR and abs(shares[odd] - 0.5) > 0.1)
    said = f"{odd} is on the left in {100 * shares[odd]:.0f} % of its votes"
    if flagged:
        return (
            "sides",
            True,
            f"The sides are not drawn evenly: {said}, so its strength and the slot's are hard to tell.",
        )
    return "sides", False, f"The sides are even: {said}, no other is further from half."


def _ties(data: AuditInput) -> Check:
    if data.settings.ties == Ties.DROP:
        said = "Leaving ties out changes a difference by more than 17 Elo: strengths are from decisive votes only."
        return "ties", True, said
    return "ties", False, "Leaving ties out changes no difference by more than 17 Elo."


def _cycles(pairs: Sequence[PairFit], ratings: Ratings, *, known: bool) -> Check:
    """Circles first, then the pair that its strengths explain worst, where there are strengths (in each group, at
    least).
    """
    sure = [cycle for cycle in find_cycles(list(pairs)) if cycle.p < ERROR]
    if sure:
        a, b, c = sure[0].systems
        more = f" and {len(sure) - 1} more" if len(sure) > 1 else ""
        said = f"{a} beats {b}, {b} beats {c}, {c} beats {a}{more}: no single strength per system can express that."
        return "cycles", True, said
    if not pairs or not known:
        return "cycles", False, ""
    worst = min(pairs, key=lambda pair: (pair.p_holm, pair.p, pair.first, pair.second))
    said = (
        f"{worst.first} took {100 * worst.share:.0f} % of the points against {worst.second}, "
        f"{100 * worst.expected:.0f} % expected"
    )
    if worst.p_holm < ERROR:
        return "cycles", True, f"One strength per system does not explain everything: {said}."
    return "cycles", False, f"One strength per system explains who beats whom; the largest gap: {said}."


def _concentration(crowd: Concentration, ratings: Ratings) -> Check:
    flagged = crowd.voters >= 5 and crowd.effective_voters < crowd.voters / 2
    busiest = f"the busiest {crowd.busiest} cast" if crowd.busiest > 1 else "the busiest one cast"
    said = (
        f"{crowd.voters} voters count as {crowd.effective_voters:.1f} equally busy ones before anybody's weight is "
        f"capped; {busiest} {100 * crowd.busiest_share:.0f} % of the votes."
    )
    if not ratings.separated:
        said += f" Intervals are {design_effect(ratings):.2f} times as wide as if all votes were independent."
    return "concentration", flagged, f"Few people cast most votes: {said}" if flagged else said


def _influence(orders: Sequence[JsonDict], ratings: Ratings) -> Check:
    """Whether one voter, or one video, moves a system by a whole place."""
    lines = [other for other in orders if str(other["without"]).startswith("the most influential")]
    rungs = [first.theta - second.theta for first, second in pairwise(ratings.rows)]
    if not lines or not rungs or ratings.separated:
        return "influence", False, ""
    rung = ELO_PER_NAT * float(np.median(rungs))
    flagged = any(other["reversed"] or other["largest_change_elo"] >= rung for other in lines)
    said = " ".join(
        f"Without {other['without']} ({100 * other['share']:.1f} % of the votes) "
        + ("the order is the same" if other["same_order"] else f"the order is {', '.join(other['order'])}")
        + f" (largest change {other['largest_change_elo']:.0f} Elo)."
        for other in lines
    )
    return "influence", flagged, said


def _drift(votes: PairVotes, settings: RatingSettings) -> Check:
    changes = changes_between_halves(votes, settings)
    if not changes:
        return "drift", False, "Too few days or votes to tell whether tastes moved."
    most = min(changes, key=lambda one: (one.p_holm, -abs(one.change), one.system))
    said = f"{most.system} moved by {ELO_PER_NAT * most.change:+.0f} Elo from the first half of the votes to the second"
    if most.p_holm < ERROR:
        return "drift", True, f"Tastes moved: {said}. The table is their mean."
    return "drift", False, f"The first and second half of the votes agree; the largest change: {said}."


def _exclusion(orders: Sequence[JsonDict], data: AuditInput) -> Check:
    lines = [other for other in orders if "rule" in other]
    if not lines:
        return "exclusion", False, "Nobody's votes are set aside."
    share = 1 - len(data.rows) / len(data.before) if data.before else 0.0
    flagged = share > MUCH_REMOVED or any(not other["same_order"] for other in lines)
    parts = [_rule_sentence(other) for other in lines]
    return "exclusion", flagged, f"{100 * share:.1f} % of the votes are set aside: {'; '.join(parts)}."


def _rule_sentence(other: JsonDict) -> str:
    people = f"{other['voters']} voter" + ("s" if other["voters"] > 1 else "")
    then = "the same" if other["same_order"] else ", ".join(other["order"])
    why = RULE_WORDS[str(other["rule"])]
    return f"{people} with {100 * other['share']:.1f} % of the votes {why} (with them the order is {then})"


def _pair_row(pair: PairFit) -> JsonDict:
    return {
        "first": pair.first,
        "second": pair.second,
        "votes": pair.votes,
        "points_share": pair.share,
        "expected_share": pair.expected,
        "p_holm": pair.p_holm,
    }


def flagged(audit: JsonDict) -> Iterator[str]:
    """Names of the flagged checks."""
    yield from (finding["check"] for finding in audit["findings"] if finding["flagged"])
