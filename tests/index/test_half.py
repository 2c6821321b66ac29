"""Rows kept as float16: exact for the rows as kept, the oracle being numpy's own conversion, float64 and a sort."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.datatypes import branch_weights, mix_branches
from mvr.index import create_index

ALPHAS = (0.0, 0.3, 0.5, 1.0)
NAMES = ("ssl", "genre", "emotion")


def unit(shape: tuple[int, ...], seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    vectors[..., 0] *= 1e-6  # numbers that float16 keeps as subnormal
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def kept(rows: np.ndarray) -> np.ndarray:
    return rows.astype(np.float16).astype(np.float64)


@pytest.mark.parametrize("branches", [1, 2, 3])
@pytest.mark.parametrize("alpha", ALPHAS)
def test_lists_and_scores_are_those_of_the_kept_rows(branches: int, alpha: float) -> None:
    rows, query, weights = (
        unit((1300, branches, 32), 1),
        unit((branches, 32), 2),
        branch_weights(alpha, branches),
    )
    index = create_index("half", 32, NAMES[:branches])
    for at in (0, 7, 700):  # added in parts: room grows, and no block is full
        end = {0: 7, 7: 700, 700: 1300}[at]
        index.add([f"r{n}" for n in range(at, end)], rows[at:end])
    stored = kept(rows)
    mixed = np.einsum("nbd,b->nd", stored, weights.astype(float))
    truth = (
        mixed
        / np.linalg.norm(mixed, axis=1, keepdims=True)
        @ mix_branches(query[None], weights)[0].astype(float)
    )
    hits = index.search(query, weights, 20)
    assert hits.rows.tolist() == np.argsort(-truth, kind="stable")[:20].tolist()
    np.testing.assert_allclose(hits.scores, truth[hits.rows], atol=5e-7)
    np.testing.assert_allclose(index.cross(query).scores(weights), truth, atol=5e-7)
    np.testing.assert_array_equal(np.asarray(index.vectors, np.float64), stored)
    assert index.vectors.dtype == np.float16 and len(index.ids) == 1300


def test_half_the_memory_and_what_cancels_scores_nothing() -> None:
    rows = unit((50, 2, 8), 3)
    rows[7, 1] = -rows[7, 0]
    half, full = create_index("half", 8, NAMES[:2]), create_index("numpy", 8, NAMES[:2])
    for index in (half, full):
        index.add([str(n) for n in range(50)], rows)
    assert 2 * half.vectors.nbytes == full.vectors.nbytes
    assert half.cross(unit((2, 8), 4)).scores(branch_weights(0.5, 2))[7] == 0
