"""Does the order hang on one choice? The same votes under other choices, beside the primary fit.

Source: evaluation specification, line 15 and section 1.2: if any difference of the decisive-only fit is more than 0.1
nat (17 Elo) away, the decisive-only fit is the one to publish.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from mvr.metrics.preference.covariance import Scores
from mvr.metrics.preference.davidson import Ties
from mvr.metrics.preference.ratings import RatingSettings, rate, vote_weights
from mvr.metrics.preference.votes import TIE, IntArray, PairVotes

PUBLISH_DECISIVE_AT = 0.1
INFLUENTIAL = 5


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One other choice: its strengths (in the order of `systems`), and its largest change of any
    difference."""

    name: str
    systems: tuple[str, ...]
    theta: tuple[float, ...]
    largest_change: float
    same_order: bool
    separated: bool


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """All alternatives, and whether the decisive-only fit is to be published instead of the primary one."""

    alternatives: tuple[Alternative, ...]
    publish_decisive_only: bool


def sensitivity(votes: PairVotes, settings: RatingSettings | None = None) -> Sensitivity:
    """Refit under every alternative that these votes allow."""
    settings = settings or RatingSettings()
    primary = rate(votes, settings)
    base = primary.fit.theta
    found = []
    for name, other_votes, other_settings in _choices(votes, settings):
        if len(other_votes) == 0 or not (other_votes.outcome != TIE).any():
            continue
        fit = rate(other_votes, other_settings).fit
        change = fit.theta - base
        found.append(
            Alternative(
                name=name,
                systems=votes.systems,
                theta=tuple(fit.theta.tolist()),
                largest_change=float(change.max() - change.min()),
                same_order=bool((np.argsort(-fit.theta) == np.argsort(-base)).all()),
                separated=fit.separated,
            )
        )
    decisive = next((other for other in found if other.name == "decisive votes only"), None)
    far = decisive is not None and decisive.largest_change > PUBLISH_DECISIVE_AT and not decisive.separated
    return Sensitivity(alternatives=tuple(found), publish_decisive_only=far)


def _choices(votes: PairVotes, settings: RatingSettings) -> Iterator[tuple[str, PairVotes, RatingSettings]]:
    yield "decisive votes only", votes, replace(settings, ties=Ties.DROP)
    yield "every vote weighs 1", votes, replace(settings, cap=math.inf)
    if settings.slot:
        yield "without the slot term", votes, replace(settings, slot=False)
    if votes.pair_prob is not None:
        yield "weights 1 / pair probability", votes, replace(settings, inverse_pair_prob=True)
    if votes.video is not None:
        yield from (
            (f"ties dropped, videos of tie quartile {quartile + 1}", votes.where(kept), settings)
            for quartile, kept in enumerate(_tie_quartiles(votes))
        )
    if votes.voter is not None:
        chosen = influential(votes, settings)
        kept = ~np.isin(votes.voter, chosen)
        yield f"without the {len(chosen)} most influential voters", votes.where(kept), settings


def _tie_quartiles(votes: PairVotes) -> Iterator[np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """For each quarter of the videos by share of ties: all votes but the ties on those videos."""
    assert votes.video is not None
    _, numbers = np.unique(votes.video, return_inverse=True)
    counts = np.bincount(numbers)
    shares = np.bincount(numbers, votes.outcome == TIE) / counts
    quartile = np.empty(len(counts), np.int64)
    quartile[np.argsort(shares, kind="stable")] = np.arange(len(counts)) * 4 // len(counts)
    for number in range(4):
        yield ~((votes.outcome == TIE) & (quartile[numbers] == number))


def influential(
    votes: PairVotes, settings: RatingSettings, by: str = "voter", count: int = INFLUENTIAL
) -> IntArray:
    """Numbers of the voters (or videos) whose votes move the strengths most: largest spread of H+ U_g over the systems.

    Args:
        votes: all of them.
        settings: how strengths are fitted.
        by: "voter" or "video"; the votes must know it.
        count: how many numbers at most.
    """
    weights = vote_weights(votes, settings)
    fit = rate(votes, settings).fit
    names = np.unique(getattr(votes, by))
    if fit.ties == Ties.DROP:
        votes, weights = votes.where(votes.outcome != TIE), weights[votes.outcome != TIE]
    sums = Scores(votes, weights, fit).sums(np.searchsorted(names, getattr(votes, by)))
    moved = (sums @ fit.bread)[:, : len(fit.systems)]
    spread = np.zeros(len(names))
    spread[: len(moved)] = moved.max(axis=1) - moved.min(axis=1)
    most = min(count, max(0, len(names) - 2))  # two must stay, or nothing is left to compare
    chosen: IntArray = names[np.argsort(-spread, kind="stable")[:most]].astype(np.int64)
    return chosen
