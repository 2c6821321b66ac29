"""The parts of a board: ratings of one slice of the votes, alphas, agreement, and the order that Recall@K gives."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mvr.arena.board.inputs import Check, Repeat, Row
from mvr.datatypes import JsonDict
from mvr.metrics.preference import (
    PairVotes,
    Ratings,
    RatingSettings,
    directed_e_value,
    rate,
    votes_to_separate,
)
from mvr.metrics.preference.covariance import LEAST_CLUSTERS, LEAST_DAYS, Covariances
from mvr.metrics.preference.ratings import ELO_PER_NAT, to_elo
from mvr.metrics.preference.separation import met_groups
from mvr.metrics.preference.shares import voter_share
from mvr.metrics.preference.stopping import SEPARATED_AT
from mvr.metrics.preference.votes import codes
from mvr.metrics.significance import wilson_interval
from mvr.votes.records import Outcome, competitor_name

CODES = {Outcome.LEFT: 0, Outcome.RIGHT: 1, Outcome.TIE: 2}


def pair_votes(rows: Sequence[Row], *, bad_as_tie: bool = False) -> PairVotes:
    """Votes with a preference or a tie as arrays; `bad_as_tie` counts "both bad" as a tie (sensitivity only)."""
    outcomes = CODES | ({Outcome.BOTH_BAD: 2} if bad_as_tie else {})
    used = [row for row in rows if row["outcome"] in outcomes]
    votes = PairVotes.from_names(
        [row["left"] for row in used],
        [row["right"] for row in used],
        [outcomes[row["outcome"]] for row in used],
        voter=[row["voter_id"] for row in used],
        video=[row["query_group_id"] for row in used],
    )
    probabilities = np.array([row["pair_prob"] for row in used], np.float64)
    days = np.array([row["day"] for row in used], np.int64)
    return replace(votes, pair_prob=probabilities, day=days)


def rating_section(name: str, rows: Sequence[Row], settings: RatingSettings) -> JsonDict:
    """Strengths, intervals, shares and differences of one slice of the votes."""
    votes = pair_votes(rows)
    section: JsonDict = {"name": name, "votes": len(rows), "voters": len({row["voter_id"] for row in rows})}
    if len(votes) == 0 or not (votes.outcome != 2).any():
        note = "too few votes: no system has been preferred yet"
        return section | {"rows": [], "differences": [], "groups": [], "note": note, "needs": "", "days": ""}
    ratings = rate(votes, settings)
    slot = len(ratings.fit.systems)
    return section | {
        "model": str(settings.ties),
        "separated": ratings.separated,
        "note": "not comparable yet: a system has never lost, or groups have never met"
        if ratings.separated
        else "",
        "needs": _needs(section, ratings.covariances),
        "days": _days(votes, ratings.covariances),
        "effective_voters": ratings.covariances.effective_voters,
        "effective_videos": ratings.covariances.effective_videos,
        "slot_elo": ELO_PER_NAT * ratings.fit.gamma,
        "slot_se_elo": ELO_PER_NAT * ratings.covariances.standard_error(np.eye(slot + 2)[slot]),
        "nu": ratings.fit.nu,
        "rows": [_rating_row(ratings, row.system, rows) for row in ratings.rows],
        "differences": _difference_rows(ratings, rows),
        "groups": _group_rows(votes, rows, settings),
    }


def _needs(section: JsonDict, covariances: Covariances) -> str:
    """What the votes lack for intervals, in one sentence; empty where they lack nothing."""
    if covariances.enough:
        return ""
    worth = {"voter": covariances.effective_voters, "video": covariances.effective_videos}
    lacking = [
        f"{math.ceil(LEAST_CLUSTERS - number - 1e-9)} more {name}{'s' if LEAST_CLUSTERS - number > 1 else ''}"
        for name, number in worth.items()
        if number < LEAST_CLUSTERS - 1e-9
    ]
    return (
        f"{section['votes']} vote{'s' if section['votes'] > 1 else ''} by {section['voters']} "
        f"{'people' if section['voters'] > 1 else 'person'} count as {worth['voter']:.1f} equally busy voters and "
        f"{worth['video']:.1f} videos; from {LEAST_CLUSTERS:g} of each on there are intervals and ranks, so at least "
        f"{' and '.join(lacking)} are needed."
    )


def _days(votes: PairVotes, covariances: Covariances) -> str:
    """Whether the intervals know how tastes move from day to day."""
    assert votes.day is not None
    count = len(np.unique(votes.day))
    if covariances.knows_days:
        return f"Votes of {count} days: how much tastes move from day to day is in the intervals."
    worth = f", worth {covariances.effective_days:.1f}" if count > 1 else ""
    return (
        f"Votes of {count} day{'s' if count > 1 else ''}{worth}: how much tastes move from day to day is not in the "
        f"intervals (it is from {LEAST_DAYS:g} equally busy days on)."
    )


def _group_rows(votes: PairVotes, rows: Sequence[Row], settings: RatingSettings) -> list[JsonDict]:
    """Where groups of systems never met: each group's own order, with its own ranks; nothing where all met."""
    groups = met_groups(votes)
    if len(groups) == 1:
        return []
    found = []
    for number, names in enumerate(groups, 1):
        inside = [row for row in rows if row["left"] in names]
        own = pair_votes(inside)
        ranked = rate(own, settings).rows if (own.outcome != 2).any() else ()
        found.append(
            {
                "group": number,
                "systems": [row.system for row in ranked] or list(names),
                "votes": len(inside),
                "rank_low": [row.rank_low for row in ranked],
                "rank_high": [row.rank_high for row in ranked],
            }
        )
    return found


def _rating_row(ratings: Ratings, system: str, rows: Sequence[Row]) -> JsonDict:
    row = ratings.row(system)
    mine = [vote for vote in rows if system in (vote["left"], vote["right"])]
    wins = sum(vote["outcome"] in ("left", "right") and vote[vote["outcome"]] == system for vote in mine)
    bad = sum(vote["outcome"] == Outcome.BOTH_BAD for vote in mine)
    ties = sum(vote["outcome"] == Outcome.TIE for vote in mine)
    both_bad = wilson_interval(bad, len(mine))
    return {
        "system": system,
        "elo": row.elo,
        "elo_low": None if row.low is None else to_elo(row.low),
        "elo_high": None if row.high is None else to_elo(row.high),
        "rank_low": row.rank_low,
        "rank_high": row.rank_high,
        "votes": len(mine),
        "wins": wins,
        "losses": row.decisive - wins,
        "ties": ties,
        "win_share": wins / row.decisive if row.decisive else None,
        "both_bad_share": both_bad.point,
        "both_bad_low": both_bad.low,
        "both_bad_high": both_bad.high,
        "effective_voters": row.effective_voters,
        "preliminary": row.preliminary,
    }


def _difference_rows(ratings: Ratings, rows: Sequence[Row]) -> list[JsonDict]:
    """All pairs: the gap, Holm's p, the e-value of that direction (may be looked at any time), votes still needed."""
    wins: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["outcome"] in ("left", "right"):
            loser = row["right"] if row["outcome"] == "left" else row["left"]
            wins[row[row["outcome"]], loser] += 1
    family = len(ratings.differences)
    found = []
    for gap in ratings.differences:
        won, lost = wins[gap.better, gap.worse], wins[gap.worse, gap.better]
        evidence = directed_e_value(won, lost)
        needed = None
        if gap.p_holm < 1 - ratings.settings.level:
            needed = 0  # told apart already; the forecast is for those that are not
        elif gap.difference > 1e-9 and ratings.covariances.enough and not ratings.separated:
            needed = votes_to_separate(gap.difference, gap.se, ratings.votes, comparisons=family)
        found.append(
            {
                "better": gap.better,
                "worse": gap.worse,
                "elo": ELO_PER_NAT * gap.difference,
                "elo_low": ELO_PER_NAT * gap.low,
                "elo_high": ELO_PER_NAT * gap.high,
                "p_holm": gap.p_holm,
                "wins": won,
                "losses": lost,
                "e_value": evidence,
                "separated_by_e_value": evidence >= SEPARATED_AT,
                "votes_still_needed": needed,
            }
        )
    return found


def alpha_section(rows: Sequence[Row]) -> list[JsonDict]:
    """How often people preferred each alpha, in battles between alphas of one system, without ties."""
    found = []
    for system in sorted({row["left_system_id"] for row in rows}):
        inside = [
            row
            for row in rows
            if row["left_system_id"] == row["right_system_id"] == system
            and row["left_alpha"] != row["right_alpha"]
            and row["outcome"] in ("left", "right")
        ]
        for alpha in sorted({row[f"{side}_alpha"] for row in inside for side in ("left", "right")}):
            mine = [row for row in inside if alpha in (row["left_alpha"], row["right_alpha"])]
            hits = np.array([row[f"{row['outcome']}_alpha"] == alpha for row in mine])
            share = voter_share(hits, codes([row["voter_id"] for row in mine]))
            found.append(
                {
                    "system": system,
                    "alpha": alpha,
                    "votes": len(mine),
                    "preferred": share.point,
                    "low": share.low,
                    "high": share.high,
                }
            )
    return found


def quality_section(checks: Sequence[Check], repeats: Sequence[Repeat]) -> JsonDict:
    """Do voters listen, and do they agree with themselves when the sides are swapped?"""
    passed = sum(check.passed for check in checks)
    same = sum(repeat.first == repeat.second for repeat in repeats)
    return {
        "gold": _share(passed, len(checks)),
        "self_agreement": _share(same, len(repeats)),
    }


def _share(hits: int, count: int) -> JsonDict:
    if count == 0:
        return {"count": 0, "share": None, "low": None, "high": None}
    interval = wilson_interval(hits, count)
    return {"count": count, "share": interval.point, "low": interval.low, "high": interval.high}


def offline_section(sections: Sequence[JsonDict], offline: Mapping[str, Any] | None) -> list[JsonDict]:
    """Does the order by people agree with the order by R@10 and by median rank (Kendall's tau-b)?

    Args:
        sections: rating sections called "v2m" and "m2v".
        offline: what `python -m eval.retrieval --json` prints, or None.
    """
    if offline is None:
        return []
    found = []
    for section in sections:
        scores = {
            competitor_name(row["system"], row.get("alpha")): row
            for row in offline["rows"]
            if row["direction"] == section["name"] and row["task"] == "pair"
        }
        rows = [row for row in section["rows"] if row["system"] in scores]
        human = [row["elo"] for row in rows]
        recall = [float(scores[row["system"]]["recall"]["10"]) for row in rows]
        median = [-float(scores[row["system"]]["median_rank"]) for row in rows]
        found.append(
            {
                "direction": section["name"],
                "systems": [row["system"] for row in rows],
                "tau_recall_at_10": _tau(human, recall),
                "tau_median_rank": _tau(human, median),
            }
        )
    return found


def _tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b; None for fewer than three systems or when one side is all alike."""
    from scipy.stats import kendalltau

    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(kendalltau(first, second).statistic)
