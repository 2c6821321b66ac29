"""Synthetic voters with known tastes through the real arena: is what they like recovered, are spammers caught?"""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from mvr.arena.board import build_board
from mvr.arena.board.exclusion import excluded_voters
from mvr.arena.board.inputs import read_input
from mvr.metrics.preference import PairVotes, fit_davidson
from mvr.metrics.preference.ratings import ELO_PER_NAT
from mvr.votes.store import VoteStore

NAMES = ("cca", "mvbind", "random")
VOTER_SD = 0.5


def true_gaps(theta: dict[str, float], nu: float) -> np.ndarray:
    """Differences of the population: tastes spread by VOTER_SD draw the average of all people closer together."""
    rng = np.random.default_rng(0)
    count = 200_000
    strengths = np.array([theta[name] for name in NAMES]) + rng.normal(0, VOTER_SD, (count, 3))
    left = rng.integers(0, 3, count)
    right = (left + rng.integers(1, 3, count)) % 3
    rows = np.arange(count)
    gap = strengths[rows, left] - strengths[rows, right]
    terms = np.stack([np.exp(gap / 2), np.exp(-gap / 2), np.full(count, nu)], axis=1)
    edges = np.cumsum(terms / terms.sum(axis=1, keepdims=True), axis=1)
    outcome = np.minimum((rng.random(count)[:, None] > edges).sum(axis=1), 2)
    fit = fit_davidson(PairVotes(systems=NAMES, left=left, right=right, outcome=outcome))
    return ELO_PER_NAT * (fit.theta[:, None] - fit.theta[None, :])


@dataclass
class Crowds:
    """What came of several worlds: a board each, and how many of each kind of voter the board set aside."""

    documents: list[dict] = field(default_factory=list)
    people: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)

    def share_caught(self, kind: str) -> float:
        return self.caught[kind] / self.people[kind]


def vote_in_worlds(make_crowd, folder: Path, worlds: int, people: dict[str, int], votes: int) -> Crowds:
    """`people` of each habit vote in every world; what the board sets aside is counted with its own thresholds."""
    found = Crowds()
    for world in range(worlds):
        with VoteStore.open(folder / f"{world}.sqlite") as store:
            crowd, arena = make_crowd(store)
            crowd.voter_sd, crowd.rng = VOTER_SD, random.Random(world)
            for habit, count in people.items():
                for number in range(count):
                    crowd.votes(arena, f"{habit}-{number}", votes, habit)
            found.documents.append(build_board(store).document)
            by_rule = excluded_voters(read_input(store))
        found.caught.update(voter.partition("-")[0] for voter in set().union(*by_rule.values()))
        found.people.update(people)
    return found


def check_recovery(documents: list[dict], theta: dict[str, float], least: float) -> None:
    gaps = true_gaps(theta, 0.5)
    held, order = [], []
    for document in documents:
        section = document["boards"][0]
        order.append([row["system"] for row in section["rows"]])
        for row in section["differences"]:
            real = gaps[NAMES.index(row["better"]), NAMES.index(row["worse"])]
            held.append(row["elo_low"] <= real <= row["elo_high"])
    assert np.mean(held) >= least, f"{np.mean(held):.2f} of {len(held)} intervals hold the truth"
    assert np.mean([names == list(NAMES) for names in order]) >= 0.9
    print(f"{len(held)} intervals, {np.mean(held):.3f} hold the truth")


def test_what_people_like_is_recovered(make_crowd, tmp_path):
    found = vote_in_worlds(make_crowd, tmp_path, worlds=2, people={"honest": 16}, votes=10)
    check_recovery(found.documents, {"cca": 0.6, "mvbind": 0.0, "random": -0.6}, least=0.6)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_thousand_people_are_understood_with_honest_intervals(make_crowd, tmp_path):
    people = {"honest": 45, "clicks": 5}
    found = vote_in_worlds(make_crowd, tmp_path, worlds=20, people=people, votes=14)
    caught, lost = found.share_caught("clicks"), found.share_caught("honest")
    print(f"after 14 votes each: {caught:.0%} of random clickers set aside, {lost:.1%} of honest people")
    check_recovery(found.documents, {"cca": 0.6, "mvbind": 0.0, "random": -0.6}, least=0.88)
    assert lost <= 0.03 and caught >= 0.1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_spammers_are_caught_and_honest_people_are_not(make_crowd, tmp_path):
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        crowd, arena = make_crowd(store)
        for number in range(60):
            crowd.votes(arena, f"honest-{number}", 30)
        for number in range(6):
            crowd.votes(arena, f"left-{number}", 30, "left")
            for direction in ("v2m", "m2v"):
                crowd.votes(arena, f"shill-{number}", 30, "shill:random", direction)
        for number in range(12):
            crowd.votes(arena, f"clicks-{number}", 34, "clicks")
        by_rule = excluded_voters(read_input(store))
        board = build_board(store)
    caught = set().union(*by_rule.values())
    shares = {
        kind: sum(voter.startswith(kind) for voter in caught) / count
        for kind, count in (("honest", 60), ("left", 6), ("shill", 6), ("clicks", 12))
    }
    print(f"caught: {shares}")
    assert shares["left"] == 1.0 and shares["shill"] >= 0.8
    assert shares["honest"] <= 0.05 and shares["clicks"] >= 0.3
    assert [row["system"] for row in board.section("all")["rows"]] == list(NAMES)


def test_the_truth_is_drawn_closer_by_differing_tastes():
    gaps = true_gaps({"cca": 0.6, "mvbind": 0.0, "random": -0.6}, 0.5)
    assert 0.85 < gaps[0, 2] / (ELO_PER_NAT * 1.2) < 1.0 and math.isclose(gaps[0, 1], -gaps[1, 0])
