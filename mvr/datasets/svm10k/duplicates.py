"""Groups of clips with the same music or the same pictures, so that no group sits in two splits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mvr.datasets.svm10k.picture import hash_distance
from mvr.media.fingerprint import Fingerprint, same_music, signature

_NEIGHBOURS = 24  # candidates a clip is compared with exactly; all others for sets up to this size


def music_groups(prints: Sequence[Fingerprint]) -> list[int]:
    """Group number per clip: clips joined by a chain of equal music share it."""
    vectors = np.stack([signature(item) for item in prints]) if prints else np.zeros((0, 1), np.float32)
    pairs = (pair for pair in _candidates(vectors) if same_music(prints[pair[0]], prints[pair[1]]))
    return connected(len(prints), pairs)


def video_groups(hashes: Sequence[np.ndarray], max_bits: float) -> list[int]:
    """Group number per clip: clips joined by a chain of near-equal pictures share it."""
    bits = (
        np.stack([item.astype(np.float32).ravel() * 2 - 1 for item in hashes]) if hashes else np.zeros((0, 1))
    )
    pairs = (
        pair for pair in _candidates(bits) if hash_distance(hashes[pair[0]], hashes[pair[1]]) <= max_bits
    )
    return connected(len(hashes), pairs)


def joined_groups(*numberings: Sequence[int]) -> list[int]:
    """Group number per clip when clips that share any of several numberings belong together."""
    count = len(numberings[0])
    pairs = []
    for numbers in numberings:
        first: dict[int, int] = {}
        pairs += [(first.setdefault(number, row), row) for row, number in enumerate(numbers)]
    return connected(count, pairs)


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Connected components of an undirected graph, numbered by their first member."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.array(list(pairs), np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    first: dict[int, int] = {}
    return [first.setdefault(int(label), row) for row, label in enumerate(labels)]


def _candidates(vectors: np.ndarray) -> list[tuple[int, int]]:
    """Pairs worth an exact comparison: every clip with its nearest neighbours by cosine, in blocks."""
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    found: set[tuple[int, int]] = set()
    for start in range(0, len(vectors), 1024):
        scores = vectors[start : start + 1024] @ vectors.T
        keep = min(_NEIGHBOURS + 1, len(vectors))
        nearest = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
        for row, others in enumerate(nearest, start=start):
            found.update((min(row, int(o)), max(row, int(o))) for o in others if o != row)
    return sorted(found)
