"""What the order would be without one thing: the slot term, one voter, one video, one rule of exclusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from mvr.arena.board.inputs import Row
from mvr.arena.board.sections import pair_votes
from mvr.datatypes import JsonDict
from mvr.metrics.preference import DavidsonFit, PairVotes, Ratings, RatingSettings, fit_davidson
from mvr.metrics.preference.ratings import ELO_PER_NAT, vote_weights
from mvr.metrics.preference.sensitivity import influential
from mvr.metrics.preference.votes import TIE

SAID = {
    "the slot term": "the correction for the left side",
    'the rule "gold checks"': "the rule on planted mismatches",
    'the rule "one side"': "the rule on voters who choose one side",
    'the rule "one system"': "the rule on voters who choose one system",
    'the rule "campaign"': "the rule on new voters who choose the same together",
}
"""What the page calls that without which an order is shown."""


def order_of(fit: DavidsonFit) -> list[str]:
    """Systems from best to worst."""
    return [
        name for _, name in sorted(zip((-fit.theta).tolist(), fit.systems, strict=True), key=lambda one: one)
    ]


def refit(votes: PairVotes, settings: RatingSettings) -> DavidsonFit | None:
    """The fit alone, without intervals; None where nobody was preferred."""
    if not (votes.outcome != TIE).any():
        return None
    return fit_davidson(votes, vote_weights(votes, settings), ties=settings.ties, slot=settings.slot)


def other_orders(votes: PairVotes, ratings: Ratings) -> list[JsonDict]:
    """Without the slot term, the most influential voter, the most influential video."""
    settings = ratings.settings
    found = [_other("the slot term", ratings, refit(votes, replace(settings, slot=False)), 0.0)]
    for by in ("voter", "video"):
        chosen = influential(votes, settings, by, 1)
        if len(chosen):
            mine = getattr(votes, by) == chosen[0]
            fit = refit(votes.where(~mine), settings)
            found.append(_other(f"the most influential {by}", ratings, fit, float(mine.mean())))
    return found


def orders_without_rules(
    before: Sequence[Row], by_rule: Mapping[str, Set[str]], ratings: Ratings
) -> list[JsonDict]:
    """For each rule that set somebody aside: how many, which share of the votes, and the order with them on the board.

    Args:
        before: votes of the board and of the voters whom rules set aside.
        by_rule: rule -> the voters it set aside.
        ratings: of the board.
    """
    found = []
    for rule, voters in by_rule.items():
        removed = [row for row in before if row["voter_id"] in voters]
        if not removed:
            continue
        still_barred = frozenset().union(*(who for name, who in by_rule.items() if name != rule))
        back = [row for row in before if row["voter_id"] not in still_barred]
        fit = refit(pair_votes(back), ratings.settings)
        share = len(removed) / len(before)
        row = _other(f'the rule "{rule}"', ratings, fit, share)
        found.append(row | {"rule": rule, "voters": len({vote["voter_id"] for vote in removed})})
    return found


def _other(what: str, ratings: Ratings, fit: DavidsonFit | None, share: float) -> JsonDict:
    """One line; a pair counts as reversed if it is told apart on the board and stands the other way here."""
    order = [] if fit is None else order_of(fit)
    place = {name: number for number, name in enumerate(order)}
    reversed_pairs = [
        [gap.better, gap.worse]
        for gap in ratings.differences
        if gap.p_holm < 1 - ratings.settings.level
        and gap.better in place
        and gap.worse in place
        and place[gap.better] > place[gap.worse]
    ]
    shared = [name for name in order_of(ratings.fit) if name in place]
    change = 0.0
    if fit is not None and shared:
        moved = [
            float(fit.theta[fit.systems.index(name)] - ratings.fit.theta[ratings.fit.systems.index(name)])
            for name in shared
        ]
        change = ELO_PER_NAT * (max(moved) - min(moved))
    return {
        "without": what,
        "share": share,
        "order": order,
        "same_order": [name for name in order if name in shared] == shared,
        "reversed": reversed_pairs,
        "largest_change_elo": change,
    }
