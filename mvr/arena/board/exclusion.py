"""Voters whose votes are set aside on the board, by rule; the votes stay in the store and the counts are published.

Gold checks catch random clicking but only part of a campaign for one system, so lopsidedness is tested as well:
a voter whose share of wins for one system is far above everybody else's, or who almost always takes one side.
A voter's mean likelihood is no detector: somebody who never says "tie" looks more likely than an honest voter.
Voters with too few votes for that are tested together: see `mvr.arena.board.campaigns`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mvr.arena.board.campaigns import Campaign, CampaignSettings, find_campaigns
from mvr.arena.board.inputs import BoardInput, Check, Row, read_input
from mvr.metrics.agreement import fails_gold
from mvr.votes.records import Aspect, Outcome
from mvr.votes.store import VoteStore


@dataclass(frozen=True, kw_only=True)
class ExclusionSettings:
    """When a voter is set aside.

    Attributes:
        least_votes: decisive votes before a habit is tested.
        one_side: share of decisive votes on one side that nobody reaches by listening.
        lopsided_p: family-wise error of the test for favouring one system.
    """

    least_votes: int = 20
    one_side: float = 0.95
    lopsided_p: float = 0.01
    campaigns: CampaignSettings = field(default_factory=CampaignSettings)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whom the rules set aside.

    It is computed from stored rows and kept nowhere: a vote, an undo or a withdrawal may change it, and the same rows
    give the same verdict on page, replica, replay and export.

    Attributes:
        by_rule: voter ids by rule: "gold checks", "one side", "one system", "campaign".
        campaigns: those of the last rule, one by one.
    """

    by_rule: Mapping[str, frozenset[str]]
    campaigns: Sequence[Campaign]

    @property
    def barred(self) -> frozenset[str]:
        """Everybody who is set aside."""
        return frozenset().union(*self.by_rule.values())


def judge_voters(data: BoardInput, settings: ExclusionSettings | None = None) -> Verdict:
    """The verdict on all voters: first each alone, then the new ones together."""
    settings = settings or ExclusionSettings()
    decisive = [row for row in data.counted if row["outcome"] in (Outcome.LEFT, Outcome.RIGHT)]
    singly = {
        "gold checks": _gold(data.checks),
        "one side": _one_side(decisive, settings),
        "one system": _one_system(decisive, settings),
    }
    barred = frozenset().union(*singly.values())
    rows = [row for row in data.counted if row["voter_id"] not in barred]
    found = find_campaigns(rows, data.checks, settings.campaigns)
    members = frozenset().union(*(campaign.voters for campaign in found))
    return Verdict(by_rule=singly | {"campaign": members}, campaigns=found)


def excluded_voters(
    data: BoardInput, settings: ExclusionSettings | None = None
) -> Mapping[str, frozenset[str]]:
    """Voter ids by rule: "gold checks", "one side", "one system", "campaign"."""
    return judge_voters(data, settings).by_rule


def kept_rows(store: VoteStore, aspect: str = Aspect.FIT, **equals: object) -> list[Row]:
    """Counted votes of voters who are not set aside: what a board is made of, and what may be learned from."""
    data = read_input(store, aspect)
    barred = judge_voters(data).barred
    rows = [row for row in data.counted if row["voter_id"] not in barred]
    return [row for row in rows if all(row[name] == value for name, value in equals.items())]


def _gold(checks: Sequence[Check]) -> frozenset[str]:
    shown: Counter[str] = Counter(check.voter_id for check in checks)
    passed: Counter[str] = Counter(check.voter_id for check in checks if check.passed)
    return frozenset(voter for voter in shown if fails_gold(passed[voter], shown[voter]))


def _one_side(decisive: Sequence[Row], settings: ExclusionSettings) -> frozenset[str]:
    votes: Counter[str] = Counter(row["voter_id"] for row in decisive)
    left: Counter[str] = Counter(row["voter_id"] for row in decisive if row["outcome"] == Outcome.LEFT)
    return frozenset(
        voter
        for voter, count in votes.items()
        if count >= settings.least_votes
        and max(left[voter], count - left[voter]) >= settings.one_side * count
    )


def _one_system(decisive: Sequence[Row], settings: ExclusionSettings) -> frozenset[str]:
    """Voters who choose one system far more often than all others do (exact binomial, Bonferroni)."""
    from scipy.stats import binom

    met: dict[str, Counter[str]] = defaultdict(Counter)
    won: dict[str, Counter[str]] = defaultdict(Counter)
    for row in decisive:
        for side in ("left", "right"):
            met[row[side]][row["voter_id"]] += 1
            won[row[side]][row["voter_id"]] += row["outcome"] == side
    tests = [
        (system, voter)
        for system, voters in sorted(met.items())
        for voter, count in voters.items()
        if count >= settings.least_votes
    ]
    found = set()
    for system, voter in tests:
        count, wins = met[system][voter], won[system][voter]
        others = sum(met[system].values()) - count
        share = (sum(won[system].values()) - wins + 1) / (others + 2)
        if binom.sf(wins - 1, count, share) < settings.lopsided_p / len(tests):
            found.add(voter)
    return frozenset(found)
