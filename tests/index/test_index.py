"""One contract, every kind of index: the oracle mixes every row, normalises it and sorts."""

from __future__ import annotations

import numpy as np
import pytest

import eval.speed  # noqa: F401  # the peer "flat" passes the same contract
from mvr.datatypes import branch_weights, mix_branches
from mvr.errors import DataError, NotFinite, UsageError, WrongShape
from mvr.index import Index, create_index, index_kinds

EXACT = ("numpy", "flat")
ALPHAS = (0.0, 0.3, 0.5, 1.0)


def unit(shape: tuple[int, ...], seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def branches(count: int) -> tuple[str, ...]:
    return ("ssl", "genre", "emotion", "instrument")[:count]


def filled(kind: str, rows: np.ndarray) -> Index:
    index = create_index(kind, rows.shape[2], branches(rows.shape[1]), system="s1")
    half = len(rows) // 2
    index.add([f"r{i}" for i in range(half)], rows[:half], system="s1")
    index.add([f"r{i}" for i in range(half, len(rows))], rows[half:])
    return index


def brute_force(
    rows: np.ndarray, query: np.ndarray, weights: np.ndarray, k: int
) -> tuple[list[int], list[float]]:
    scores = mix_branches(rows, weights).astype(float) @ mix_branches(query[None], weights)[0].astype(float)
    order = sorted(range(len(rows)), key=lambda i: (-scores[i], i))[:k]
    return order, [scores[i] for i in order]


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("k", [1, 10, 5000])
def test_ids_and_scores_are_those_of_brute_force(kind: str, count: int, alpha: float, k: int) -> None:
    rows, query = unit((700, count, 16), 1), unit((count, 16), 2)
    weights = branch_weights(alpha, count)
    index = filled(kind, rows)
    hits = index.search(query, weights, k)
    order, scores = brute_force(rows, query, weights, k)
    np.testing.assert_allclose(hits.scores, scores, atol=2e-6)
    of = dict(zip(*brute_force(rows, query, weights, 700), strict=True))  # rows within 2e-6 may swap places
    found = [int(index.ids[row].removeprefix("r")) for row in hits.rows]
    np.testing.assert_allclose([of[i] for i in found], scores, atol=2e-6)
    assert set(found) == set(order) and found == hits.rows.tolist()
    assert len(hits.rows) == min(k, 700)


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_rows_whose_branches_nearly_cancel_are_ranked_rightly(kind: str, alpha: float) -> None:
    """Their mixtures are short, so the inner product alone would rank them last."""
    rows, query = unit((2000, 2, 8), 3), unit((2, 8), 4)
    rows[::3, 1] = -rows[::3, 0] + 0.15 * rows[::3, 1]
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    weights = branch_weights(alpha, 2)
    hits = filled(kind, rows).search(query, weights, 20)
    order, scores = brute_force(rows, query, weights, 20)
    assert hits.rows.tolist() == order
    np.testing.assert_allclose(hits.scores, scores, atol=1e-5)


@pytest.mark.parametrize("kind", EXACT)
def test_branches_that_cancel_exactly_score_zero(kind: str) -> None:
    rows, query = unit((50, 2, 8), 5), unit((2, 8), 6)
    rows[7, 1] = -rows[7, 0]
    hits = filled(kind, rows).search(query, branch_weights(0.5, 2), 50)
    assert hits.scores[hits.rows.tolist().index(7)] == 0
    query[1] = -query[0]
    assert not filled(kind, rows).search(query, branch_weights(0.5, 2), 50).scores.any()


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_cross_products_answer_every_alpha(kind: str, alpha: float) -> None:
    rows, query = unit((300, 3, 16), 7), unit((3, 16), 8)
    weights = branch_weights(alpha, 3)
    cross = filled(kind, rows).cross(query)
    expected = mix_branches(rows, weights) @ mix_branches(query[None], weights)[0]
    np.testing.assert_allclose(cross.scores(weights), expected, atol=2e-6)


@pytest.mark.parametrize("kind", EXACT)
def test_equal_scores_come_in_row_order(kind: str) -> None:
    rows = np.repeat(unit((3, 2, 8), 9), 100, axis=0)
    hits = filled(kind, rows).search(rows[0], branch_weights(0.3, 2), 40)
    assert hits.rows.tolist() == list(range(40))


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("k", [1, 2, 5, 12])
def test_equal_scores_among_many_others_come_in_row_order_whatever_k_is(kind: str, k: int) -> None:
    """Few enough that a first fetch holds them all: faiss lists equal products from the highest row down."""
    rows = unit((4000, 2, 16), 12)
    same = [7, 40, 1999, 2000, 3333]
    rows[same] = rows[40]
    weights = branch_weights(0.3, 2)
    order, _ = brute_force(rows, rows[40], weights, k)
    hits = filled(kind, rows).search(rows[40], weights, k)
    assert hits.rows.tolist() == order and hits.rows.tolist()[:5] == same[:k]


@pytest.mark.parametrize("kind", EXACT)
def test_only_allowed_rows_are_found(kind: str) -> None:
    rows, query = unit((400, 2, 16), 10), unit((2, 16), 11)
    weights = branch_weights(0.3, 2)
    allowed = np.arange(400) % 7 == 0
    hits = filled(kind, rows).search(query, weights, 500, allowed=allowed)
    order, _ = brute_force(rows, query, weights, 400)
    assert hits.rows.tolist() == [i for i in order if i % 7 == 0]
    assert not len(filled(kind, rows).search(query, weights, 5, allowed=np.zeros(400, bool)).rows)


@pytest.mark.parametrize("kind", EXACT)
def test_an_empty_index_finds_nothing(kind: str) -> None:
    index = create_index(kind, 4, ("ssl",))
    assert not len(index.search(unit((1, 4), 0), np.ones(1, np.float32), 3).rows)
    assert len(index) == 0


@pytest.mark.parametrize("kind", index_kinds())
def test_what_does_not_fit_is_refused(kind: str) -> None:
    index = create_index(kind, 4, ("ssl", "genre"), system="s1")
    good = unit((2, 2, 4), 0)
    broken = good.copy()
    broken[1, 0, 2] = np.nan
    with pytest.raises(NotFinite, match="NaN or infinity in row 1"):
        index.add(["a", "b"], broken)
    with pytest.raises(WrongShape, match=r"the index holds \(N, 2, 4\)"):
        index.add(["a", "b"], unit((2, 2, 5), 0))
    with pytest.raises(WrongShape, match="branches ssl, genre"):
        index.add(["a", "b"], unit((2, 3, 4), 0))
    with pytest.raises(DataError, match="row 0 has length 3 in branch 'genre'"):
        index.add(["a", "b"], good * np.array([1, 3], np.float32)[:, None])
    with pytest.raises(UsageError, match="come from system 's2', the index holds those of 's1'"):
        index.add(["a", "b"], good, system="s2")
    with pytest.raises(DataError, match="1 ids for 2 rows"):
        index.add(["a"], good)
    with pytest.raises(DataError, match="already holds the id 'a'"):
        index.add(["a", "a"], good)
    assert len(index) == 0


@pytest.mark.parametrize("kind", index_kinds())
def test_an_id_is_held_once(kind: str) -> None:
    index = create_index(kind, 4, ("ssl",))
    index.add(["a", "b"], unit((2, 1, 4), 0))
    with pytest.raises(DataError, match="already holds the id 'b'"):
        index.add(["b"], unit((1, 1, 4), 1))


@pytest.mark.parametrize("kind", index_kinds())
def test_a_query_that_does_not_fit_is_refused(kind: str) -> None:
    index = create_index(kind, 4, ("ssl", "genre"))
    index.add(["a", "b"], unit((2, 2, 4), 0))
    query, weights = unit((2, 4), 1), branch_weights(0.5, 2)
    with pytest.raises(WrongShape, match=r"the query has shape \(2, 5\)"):
        index.search(unit((2, 5), 1), weights, 1)
    with pytest.raises(WrongShape, match="the index has 2 branches: ssl, genre"):
        index.search(query, np.ones(3, np.float32), 1)
    with pytest.raises(NotFinite, match="the query"):
        index.search(query * np.nan, weights, 1)
    with pytest.raises(UsageError, match="k must be at least 1"):
        index.search(query, weights, 0)


def test_an_unknown_kind_says_which_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown index kind 'nunpy'; choose from .*numpy"):
        create_index("nunpy", 4, ("ssl",))
