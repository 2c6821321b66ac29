"""A mixture over every kind of place: the oracle scores every item by every member, standardises and sums."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mvr.datatypes import branch_weights
from mvr.errors import UsageError
from mvr.index.remote import Part, Space, StoredItem, Wanted, search_mixture
from tests.index.remote.memory import allows
from tests.index.remote.test_places import filled, items, oracle, unit

ONE = Space(system="1111111111111111", modality="audio", branches=("ssl", "genre"), dim=16)
TWO = Space(system="2222222222222222", modality="audio", branches=("ssl",), dim=24)


def asked(segments: int = 2, alpha: float = 0.3) -> list[Part]:
    return [
        Part(space=ONE, query=unit((segments, 2, 16), 7), weights=branch_weights(alpha, 2), share=2 / 3),
        Part(space=TWO, query=unit((3, 1, 24), 8), weights=branch_weights(0.5, 1), share=1 / 3),
    ]


def members(place, count: int = 60) -> tuple[list[StoredItem], list[StoredItem]]:
    """The first five items lie in one space only, the last five in the other; positions differ."""
    one, two = items(count, ONE), items(count, TWO, seed=2)
    filled(place, one[:-5], ONE)
    filled(place, two[:4:-1], TWO)
    return one[:-5], two[:4:-1]


def best(stored: tuple[list[StoredItem], list[StoredItem]], parts: list[Part]) -> list[tuple[float, str]]:
    """(sum, id) of every item that both have, best first, and means and spreads."""
    scores = [
        {name: score for score, name, _, _ in oracle(found, part.query, part.weights)}
        for found, part in zip(stored, parts, strict=True)
    ]
    shared = [item.id for item in stored[0] if item.id in scores[1]]
    table = np.array([[of[name] for of in scores] for name in shared])
    sums = (table - table.mean(axis=0)) / table.std(axis=0) @ [part.share for part in parts]
    return sorted(zip(sums.tolist(), shared, strict=True), key=lambda line: -line[0])


def named(place, found) -> list[str]:
    at = [(item.best[0].position, item.best[0].number) for item in found.items]
    rows = place.rows(ONE, at)
    return [rows[each].item for each in at]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_a_mixtures_list_is_that_of_brute_force_and_proven(place, alpha):
    stored, parts = members(place), asked(alpha=alpha)
    found, wanted = search_mixture(place, parts, 10), best(stored, parts)
    assert found.proven and found.candidates.items == len(wanted) == 50
    assert named(place, found) == [name for _, name in wanted[:10]]
    np.testing.assert_allclose([item.score for item in found.items], [s for s, _ in wanted[:10]], atol=1e-5)
    for item in found.items:
        assert item.score == pytest.approx(np.dot(item.standard, [part.share for part in parts]))


def test_mean_spread_and_best_pairs_are_those_of_each_member_alone(place):
    stored, parts = members(place), asked()
    found = search_mixture(place, parts, 50)
    for number, (items_of, part) in enumerate(zip(stored, parts, strict=True)):
        alone = {name: line for line in oracle(items_of, part.query, part.weights) for name in [line[1]]}
        shared = [alone[name] for name in named(place, found)]
        scores = np.array([line[0] for line in shared])
        assert found.candidates.means[number] == pytest.approx(scores.mean(), abs=1e-6)
        assert found.candidates.spreads[number] == pytest.approx(scores.std(), abs=1e-6)
        pairs = [(item.best[number].number, item.best[number].asked) for item in found.items]
        assert pairs == [(line[2], line[3]) for line in shared]


def test_filters_change_no_score_and_none_may_pass(place):
    stored, parts = members(place), asked(segments=1)
    wanted = Wanted(moods=("warm",), most={"tempo_bpm": 90.0})
    passing = {item.id for item in stored[0] if allows(wanted, item)}
    lines = [line for line in best(stored, parts) if line[1] in passing]
    found = search_mixture(place, parts, 100, wanted)
    assert named(place, found) == [name for _, name in lines] and len(lines) > 5
    np.testing.assert_allclose([item.score for item in found.items], [score for score, _ in lines], atol=1e-5)
    none = search_mixture(place, parts, 10, Wanted(genres=("polka",)))
    assert none.items == () and none.proven and none.candidates.items == 50


def test_more_candidates_are_asked_for_until_the_list_is_proven(place):
    stored, parts = members(place, 130), asked()
    alike = [
        dataclasses.replace(item, vectors=np.repeat(unit((1, 2, 16), 3), len(item.times), axis=0))
        for item in stored[0]
    ]
    place.write(ONE, alike)  # this member says nothing
    place.write(
        TWO,
        [
            dataclasses.replace(i, vectors=np.repeat(unit((1, 1, 24), 4), len(i.times), axis=0))
            for i in stored[1]
        ],
    )
    found = search_mixture(place, parts, 7)
    assert [item.score for item in found.items] == [0.0] * 7 and found.proven
    assert named(place, found) == [item.id for item in stored[0][5:12]]  # those written first
    assert len(found.candidates.values) == 120  # no list of a hundred ends a tie


def test_spaces_that_share_nothing_or_are_not_there(place):
    filled(place, items(3, ONE), ONE)
    with pytest.raises(UsageError, match="the index holds no audio embeddings"):
        search_mixture(place, asked(), 5)
    place.announce(TWO, 0)
    found = search_mixture(place, asked(), 5)
    assert found.items == () and found.candidates.items == 0
