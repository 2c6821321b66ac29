"""Campaigns among new voters: people too new to be known singly, found by what they do together.

A voter with a handful of votes cannot be judged alone: choosing one system four times of four is no rare taste. Forty
who do so are. So votes of voters who have not passed enough checks yet are provisional, and are tested as a mixture:
most follow the strengths of the systems with a taste of their own, some choose one target (a system, whatever plays
against it, a side, whichever is stronger) whatever is heard. The share of those is fitted by expectation and
maximisation in each cell: everybody, one day, one address of one day (an opaque label). Where it is surely above 0, the
voters of the cell who more likely belong to it are set aside as a whole. Strengths are then fitted without them and
the test is repeated, since a campaign bends what it is held against. Everything is computed from stored rows, so that
page, replica, replay and `eval.votes` find the same. Who favours a system only now and then is not found this way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mvr.arena.board.inputs import Check, Row
from mvr.datatypes import JsonDict
from mvr.metrics.preference import PairVotes, fit_davidson
from mvr.votes.records import Outcome

Numbers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
SIDES = ("left side", "right side")
ORDERS = ("the order", "against the order")
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LOG_WEIGHTS = np.log(_WEIGHTS / _WEIGHTS.sum())
_BAD = 3
_CODES = {Outcome.LEFT: 0, Outcome.RIGHT: 1, Outcome.TIE: 2, Outcome.BOTH_BAD: _BAD}


@dataclass(frozen=True, kw_only=True)
class CampaignSettings:
    """What is a new voter, and what a campaign.

    Attributes:
        least_checks: planted mismatches that a voter must have recognised to be counted by themselves: after so many,
            some 55 battles, a voter has met most systems often enough to be tested alone.
        least_voters: fewer than these are no campaign.
        taste_sd: spread in nats of how much a voter likes one system more than people on the whole do.
        side_sd: spread in nats of a voter's habit of taking one side.
        faithful: how often a member of a campaign chooses its target.
        error: family-wise error over all targets and cells.
    """

    least_checks: int = 4
    least_voters: int = 3
    taste_sd: float = 0.85
    side_sd: float = 0.3
    faithful: float = 0.97
    error: float = 1e-3
    most_campaigns: int = 12


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """New voters who chose one target together.

    Attributes:
        where: "all new voters", "one day" or "one address".
    """

    target: str
    where: str
    voters: frozenset[str]

    def to_dict(self, rows: Sequence[Row]) -> JsonDict:
        """For the board: what was favoured, how many people cast how many votes; nobody is named."""
        days = [row["day"] for row in rows if row["voter_id"] in self.voters]
        return {
            "target": self.target,
            "found_in": self.where,
            "voters": len(self.voters),
            "votes": len(days),
            "days": len(set(days)),
        }


def new_voters(rows: Sequence[Row], checks: Sequence[Check], least_checks: int) -> frozenset[str]:
    """Voters with votes who have not recognised `least_checks` planted mismatches yet: their votes are provisional."""
    passed = Counter(check.voter_id for check in checks if check.passed)
    return frozenset(row["voter_id"] for row in rows if passed[row["voter_id"]] < least_checks)


def find_campaigns(
    rows: Sequence[Row], checks: Sequence[Check], settings: CampaignSettings | None = None
) -> list[Campaign]:
    """Campaigns among the new voters of these counted votes, largest first; a voter belongs to one of them.

    The surest one is set aside first, and the rest is tested again: what it bent must not accuse others. At the end
    every campaign's members are told anew by strengths that none of them bends.
    """
    settings = settings or CampaignSettings()
    fresh = new_voters(rows, checks, settings.least_checks)
    table = _Table.of(rows, fresh)
    if len(fresh) < settings.least_voters or not table.can_be_fitted:
        return []
    found: list[_Finding] = []
    for _ in range(settings.most_campaigns):
        findings = _search(table, _members(found), settings)
        if not findings:
            break
        found.append(max(findings, key=lambda one: (one.statistic, one.target, one.where)))
    found = _told_anew(table, found, settings)
    campaigns = [
        Campaign(
            target=one.target,
            where=one.where,
            voters=frozenset(table.voters[number] for number in one.voters),
        )
        for one in found
    ]
    return sorted(campaigns, key=lambda one: (-len(one.voters), one.target, one.where))


@dataclass(frozen=True, kw_only=True)
class _Finding:
    """A campaign by numbers: the cell of `where` that it is in, its voters, twice the gain in log-likelihood."""

    target: str
    where: str
    cell: int
    voters: frozenset[int]
    statistic: float


def _members(found: Sequence[_Finding]) -> frozenset[int]:
    return frozenset().union(*(one.voters for one in found))


def _told_anew(table: _Table, found: Sequence[_Finding], settings: CampaignSettings) -> list[_Finding]:
    """The same campaigns, each among its own voters and those of no other, by strengths fitted without all of them."""
    kept = list(found)
    for place, one in enumerate(found):
        others = _members([*kept[:place], *kept[place + 1 :]])
        again = [
            finding
            for finding in _search(table, others, settings, fitted_without=_members(kept))
            if (finding.target, finding.where, finding.cell) == (one.target, one.where, one.cell)
        ]
        kept[place] = again[0] if again else one
    return kept


@dataclass(frozen=True, kw_only=True)
class _Table:
    """Counted votes as arrays (N,); `voters` by number, sorted by what they did and not by their names."""

    systems: tuple[str, ...]
    voters: tuple[str, ...]
    left: Numbers
    right: Numbers
    outcome: Numbers
    voter: Numbers
    is_new: npt.NDArray[np.bool_]
    day: Numbers
    label: Numbers

    @classmethod
    def of(cls, rows: Sequence[Row], fresh: frozenset[str]) -> _Table:
        used = [row for row in rows if row["outcome"] in _CODES]
        systems = tuple(sorted({row[side] for row in used for side in ("left", "right")}))
        voters = tuple(sorted({row["voter_id"] for row in used}))
        numbers = {name: number for number, name in enumerate(systems)}
        people = {name: number for number, name in enumerate(voters)}
        labels: dict[str, int] = {}
        return cls(
            systems=systems,
            voters=voters,
            left=np.array([numbers[row["left"]] for row in used], np.int64),
            right=np.array([numbers[row["right"]] for row in used], np.int64),
            outcome=np.array([_CODES[row["outcome"]] for row in used], np.int64),
            voter=np.array([people[row["voter_id"]] for row in used], np.int64),
            is_new=np.array([row["voter_id"] in fresh for row in used], bool),
            day=np.array([row["day"] for row in used], np.int64),
            label=np.array(
                [
                    -1 if (key := row["group_label"]) is None else labels.setdefault(key, len(labels))
                    for row in used
                ],
                np.int64,
            ),
        )

    @property
    def can_be_fitted(self) -> bool:
        """Somebody was preferred, by somebody."""
        return bool((self.outcome < 2).any())

    def cells(self) -> Iterator[tuple[str, Numbers]]:
        """Each way of putting votes together: its name and the cell of each vote, -1 for none."""
        yield "all new voters", np.zeros(len(self.left), np.int64)
        yield "one day", np.unique(self.day, return_inverse=True)[1].astype(np.int64)
        yield "one address", self.label


def _search(
    table: _Table,
    barred: frozenset[int],
    settings: CampaignSettings,
    fitted_without: frozenset[int] | None = None,
) -> list[_Finding]:
    """Every sure campaign among the new voters who are not barred, held against strengths fitted without some."""
    from scipy.stats import chi2

    out = np.isin(table.voter, sorted(barred if fitted_without is None else fitted_without))
    fitted = _fitted(table, (~out).astype(np.float64))
    tested = table.is_new & ~np.isin(table.voter, sorted(barred))
    bad = float(np.mean(table.outcome == _BAD))
    cells = list(table.cells())
    tests = (2 * len(table.systems) + len(SIDES) + len(ORDERS)) * sum(
        len(np.unique(cell)) for _, cell in cells
    )
    threshold = float(chi2.isf(min(1.0, 2 * settings.error / tests), 1))
    found = []
    for target, sign in _targets(table, fitted.lead):
        faced = np.flatnonzero((sign != 0) & tested)
        spread = settings.side_sd if target in SIDES else settings.taste_sd
        evidence = _Evidence.of(
            table, faced, sign, fitted.lead + fitted.slot, fitted.ties, bad, spread, settings.faithful
        )
        for where, cell in cells:
            for number, voters, statistic in evidence.members(cell[faced], threshold, settings.least_voters):
                found.append(
                    _Finding(target=target, where=where, cell=number, voters=voters, statistic=statistic)
                )
    return found


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """How much stronger the left system is in each vote (N,) in nats, what the left slot adds, how readily a tie is
    called.
    """

    lead: Reals
    slot: float
    ties: float


def _fitted(table: _Table, weights: Reals) -> _Fitted:
    """Strengths with votes weighted by trust."""
    told = table.outcome != _BAD
    votes = PairVotes(
        systems=table.systems, left=table.left[told], right=table.right[told], outcome=table.outcome[told]
    )
    fit = fit_davidson(votes, weights=np.maximum(weights[told], 1e-6))
    return _Fitted(lead=fit.theta[table.left] - fit.theta[table.right], slot=fit.gamma, ties=fit.nu)


def _targets(table: _Table, lead: Reals) -> Iterator[tuple[str, Numbers]]:
    """What may be chosen or shunned: each system, each side, whichever is stronger; with +1 where that is the left side
    of a vote, -1 the right, 0 neither. `lead` (N,) is how much stronger the left system is.
    """
    for number, name in enumerate(table.systems):
        stands = (table.left == number).astype(np.int64) - (table.right == number)
        yield name, stands
        yield f"against {name}", -stands
    for name, sign in zip(SIDES, (1, -1), strict=True):
        yield name, np.full(len(table.left), sign, np.int64)
    for name, sign in zip(ORDERS, (1, -1), strict=True):
        yield name, sign * np.sign(lead).astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class _Evidence:
    """For each vote that faced a target: whose it is, its log-likelihood by taste (N, nodes) and by campaign (N,)."""

    voter: Numbers
    tastes: Reals
    faithful: Reals

    @classmethod
    def of(
        cls,
        table: _Table,
        faced: Numbers,
        sign: Numbers,
        gap: Reals,
        ties: float,
        bad: float,
        sd: float,
        q: float,
    ) -> _Evidence:
        half = (sign[faced] * gap[faced])[:, None] / 2 + sd * _NODES[None, :] / 2
        wins = (1 - bad) / (1 + np.exp(-2 * half) + ties * np.exp(-half))
        wins = wins.clip(1e-6, 1 - 1e-6)
        chosen = table.outcome[faced] == np.where(sign[faced] > 0, 0, 1)
        return cls(
            voter=table.voter[faced],
            tastes=np.where(chosen[:, None], np.log(wins), np.log1p(-wins)),
            faithful=np.asarray(np.where(chosen, np.log(q), np.log1p(-q)), np.float64),
        )

    def members(
        self, cell: Numbers, threshold: float, least_voters: int
    ) -> Iterator[tuple[int, frozenset[int], float]]:
        """For each cell in which there surely is a campaign: its number, its voters, how sure it is."""
        from scipy.special import logsumexp

        inside = np.flatnonzero(cell >= 0)
        if len(inside) == 0:
            return
        people = int(self.voter.max()) + 1
        keys, unit = np.unique(cell[inside] * people + self.voter[inside], return_inverse=True)
        tastes = [np.bincount(unit, column[inside], len(keys)) for column in self.tastes.T]
        honest = logsumexp(np.stack(tastes, axis=1) + _LOG_WEIGHTS, axis=1)
        ratio = np.asarray(np.bincount(unit, self.faithful[inside], len(keys)) - honest, np.float64)
        starts = np.flatnonzero(np.diff(keys // people, prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
            if stop - start < least_voters:
                continue
            if 2 * float(ratio[start:stop].clip(0).sum()) <= threshold:
                continue  # no share of members whatever makes such votes likelier than this
            belongs, statistic = _mixture(ratio[start:stop])
            caught = frozenset((keys[start:stop] % people)[belongs > 0.5].tolist())
            if statistic > threshold and len(caught) >= least_voters:
                yield int(keys[start] // people), caught, statistic


def _mixture(ratio: Reals) -> tuple[Reals, float]:
    """Probability of each voter (V,) to belong to a campaign, and twice the log-likelihood that one is there at all.

    Args:
        ratio: (V,) log-likelihood of a voter's votes as a member minus as somebody with a taste.
    """
    share = 0.2
    for _ in range(60):
        odds = np.log(share) - np.log1p(-share) + ratio
        belongs = 1 / (1 + np.exp(-odds.clip(-500, 500)))
        share = float(belongs.mean().clip(1e-6, 1 - 1e-6))
    statistic = 2 * float(np.logaddexp(np.log1p(-share), np.log(share) + ratio).sum())
    return belongs, statistic
