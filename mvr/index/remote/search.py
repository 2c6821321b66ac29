"""The best items of a place, with a proof where there can be one.

A row's score is its inner product p with the weighted query over the length of its mixture. A row that was not handed
out has p at most that of the last one that was, and a length of at least m, the shortest that the elementwise least
Gram matrix allows: its score is at most p / m. Once the k-th best item's exact score is above that, nothing better is
left (`proven`, where the place looked at every row); until then twice as many candidates are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray
from mvr.errors import UsageError
from mvr.index.mixture import divide_by_lengths, gram, mixed_lengths, mixed_query
from mvr.index.remote.place import Candidates, Holding, Place, Space, Wanted

FIRST_FETCH = 320  # a proof takes at most 290 candidates among 100,000 rows at alpha 0.5 (k = 10)


@dataclass(frozen=True, kw_only=True)
class FoundItem:
    """One item: exact score of its best pair of segments.

    Attributes:
        position: of the item in the place; number: of its segment; asked: of the query's segment.
    """

    position: int
    number: int
    asked: int
    score: float
    branches: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best items, best first.

    Attributes:
        proven: whether no other item can belong to them.
        candidates: rows that were scored, the most of any query segment.
    """

    items: tuple[FoundItem, ...]
    proven: bool
    candidates: int


def search(
    place: Place, space: Space, query: FloatArray, weights: FloatArray, k: int, wanted: Wanted | None = None
) -> Found:
    """The k best items of a space.

    Args:
        place: where to look.
        space: which rows.
        query: (S, B, D) unit-length branch vectors of the query's segments.
        weights: (B,) of the branches, see `branch_weights`.
        k: how many items at most.
        wanted: which items may be found.

    Raises:
        UsageError: the place holds nothing of this system. IndexUnreachable: it does not answer.
    """
    holding = place.holding(space)
    if holding is None:
        raise UsageError(
            f"the index holds no {space.modality} embeddings of this system; push the library with it: "
            "mvr library push --index URL"
        )
    best: dict[int, FoundItem] = {}
    proven, most = True, 0
    for asked, vectors in enumerate(query):
        ask = _Ask(
            vectors=vectors, weights=weights, asked=asked, k=k, holding=holding, wanted=wanted or Wanted()
        )
        of_one = _one(place, space, ask)
        proven, most = proven and of_one.proven, max(most, of_one.candidates)
        for hit in of_one.items:
            known = best.get(hit.position)
            if known is None or hit.score > known.score:
                best[hit.position] = hit
    order = sorted(best.values(), key=lambda hit: (-hit.score, hit.position))
    return Found(items=tuple(order[:k]), proven=proven, candidates=most)


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """One segment of a query: its (B, D) vectors, the branches' weights (B,), its number, and what is wanted."""

    vectors: FloatArray
    weights: FloatArray
    asked: int
    k: int
    holding: Holding
    wanted: Wanted


def _one(place: Place, space: Space, ask: _Ask) -> Found:
    """The k best items for one segment of the query."""
    vectors, weights, k, holding = ask.vectors, ask.weights, ask.k, ask.holding
    unit = mixed_query(vectors, weights)
    weighted = (weights[:, None] * unit).ravel().astype(np.float32)
    shortest = float(mixed_lengths(holding.least_gram[None], weights)[0])
    count = max(FIRST_FETCH, 4 * k)
    while True:
        found = place.candidates(space, weighted, count, ask.wanted)
        scores = _scores(found, weighted, weights)
        hits = _best_items(found, scores, ask.asked, k)
        exhausted = len(found.products) < count
        if exhausted or _is_complete(found, hits, k, shortest):
            return _found(hits, found, vectors, proven=holding.exact)
        if not holding.exact:  # more candidates of an approximate index prove nothing either
            return _found(hits, found, vectors, proven=False)
        count *= 2


def _scores(found: Candidates, weighted: FloatArray, weights: FloatArray) -> FloatArray:
    flat = found.vectors.reshape(len(found.vectors), weighted.shape[0]).astype(np.float64) @ weighted.astype(
        np.float64
    )
    return divide_by_lengths(flat, mixed_lengths(gram(found.vectors), weights))


def _best_items(found: Candidates, scores: FloatArray, asked: int, k: int) -> list[tuple[FoundItem, int]]:
    """The k best items with the candidate each stands for: of equal segments the first, of equal items the first."""
    order = np.lexsort((found.numbers, found.positions, -scores))
    hits: dict[int, tuple[FoundItem, int]] = {}
    for at in order:
        position = int(found.positions[at])
        if position in hits:
            continue
        hits[position] = (
            FoundItem(
                position=position,
                number=int(found.numbers[at]),
                asked=asked,
                score=float(scores[at]),
                branches=(),
            ),
            int(at),
        )
        if len(hits) == k:
            break
    return list(hits.values())


def _is_complete(found: Candidates, hits: list[tuple[FoundItem, int]], k: int, shortest: float) -> bool:
    """Whether no row that was not handed out can belong to the k best items."""
    last = float(found.products[-1]) + found.slack
    if len(hits) < k or shortest <= 0:
        return False
    bound = last / shortest if last > 0 else 0.0
    return hits[-1][0].score > bound


def _found(hits: list[tuple[FoundItem, int]], found: Candidates, query: FloatArray, *, proven: bool) -> Found:
    """Hits with the cosine of each branch: what the match rests on."""
    items = [
        FoundItem(
            position=hit.position,
            number=hit.number,
            asked=hit.asked,
            score=hit.score,
            branches=tuple(float(q @ t) for q, t in zip(query, found.vectors[at], strict=True)),
        )
        for hit, at in hits
    ]
    return Found(items=tuple(items), proven=proven, candidates=len(found.products))
