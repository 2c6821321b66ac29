"""MMR against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from mvr.retrieval.diversity import pick_diverse


def slow(scores: np.ndarray, vectors: np.ndarray, k: int, diversity: float) -> list[int]:
    picked: list[int] = []
    while len(picked) < min(k, len(scores)):
        values = {}
        for i in range(len(scores)):
            if i not in picked:
                nearest = max((float(vectors[i] @ vectors[j]) for j in picked), default=-1.0)
                values[i] = (1 - diversity) * float(scores[i]) - diversity * nearest
        picked.append(max(values, key=lambda i: (values[i], -i)))
    return picked


@pytest.mark.parametrize("diversity", [0.0, 0.3, 0.7, 1.0])
def test_picks_are_those_of_the_definition(diversity: float) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.sort(rng.uniform(-1, 1, 40))[::-1].astype(np.float32)
    assert pick_diverse(scores, vectors, 12, diversity).tolist() == slow(scores, vectors, 12, diversity)


def test_a_copy_goes_down() -> None:
    vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    scores = np.array([0.9, 0.89, 0.6], np.float32)
    assert pick_diverse(scores, vectors, 3, 0.5).tolist() == [0, 2, 1]
    assert pick_diverse(scores, vectors, 3, 0.0).tolist() == [0, 1, 2]
