"""The best items of a place, with a proof where there can be one.

A row's score is its inner product with the weighted query over the length of its mixture. Places compute it roughly: it
may be off by `slack` / m, m being the shortest mixture that the elementwise least Gram matrix allows. Once the k-th
best item's exact score is above that of the last row handed out by more, nothing better is left (`proven`); until then
twice as many rows are asked for. Of an approximate index that holds among its candidates only, which proves nothing:
`measure_recall` says how much it misses, and what is filtered looks at every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from mvr.datatypes import FloatArray, branch_weights
from mvr.errors import UsageError
from mvr.index.mixture import CANCELLED, divide_by_lengths, gram, mixed_lengths, mixed_query
from mvr.index.recall import ALPHAS, WANTED_RECALL, Measured
from mvr.index.remote.place import Candidates, Holding, Place, Sought, Space, Wanted

EFFORTS = (
    250,
    500,
    1000,
    2000,
    3000,
    4000,
    6000,
    8000,
    12_000,
)  # tried for an approximate index, until enough is found
UNMEASURED_EFFORT = 2000
FIRST_FETCH = 100  # rows by score: a proof takes as many as lie within the rounding of the k-th item

EVERYTHING = Wanted()


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
        measured: what is known of an approximate index that they come from.
    """

    items: tuple[FoundItem, ...]
    proven: bool
    candidates: int
    measured: Measured | None = None


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
            vectors=vectors, weights=weights, asked=asked, k=k, holding=holding, wanted=wanted or EVERYTHING
        )
        of_one = _one(place, space, ask)
        proven, most = proven and of_one.proven, max(most, of_one.candidates)
        for hit in of_one.items:
            known = best.get(hit.position)
            if known is None or hit.score > known.score:
                best[hit.position] = hit
    order = sorted(best.values(), key=lambda hit: (-hit.score, hit.position))
    looked = wanted in (None, EVERYTHING) and not proven
    return Found(
        items=tuple(order[:k]),
        proven=proven,
        candidates=most,
        measured=holding.measured if looked else None,
    )


def measure_recall(
    place: Place, space: Space, queries: FloatArray, sample: str, k: int = 10
) -> Measured | None:
    """How much of the true k best an approximate index finds, and how many candidates that takes; written down there.

    Args:
        place: where the index is.
        space: which rows.
        queries: (Q, B, D) unit-length branch vectors, of the kind that will be asked.
        sample: what they are, in words.
        k: length of the lists compared.

    Returns:
        The recall at the worst of five alphas with the least number of candidates that reaches .99, or with the most;
        None where every row is looked at anyway.
    """
    holding = place.holding(space)
    if holding is None or holding.exact or not len(queries):
        return None
    asks = [
        _Ask(vectors=query, weights=weights, asked=0, k=k, holding=holding, wanted=EVERYTHING)
        for weights in (branch_weights(alpha, len(space.branches)) for alpha in ALPHAS)
        for query in queries
    ]
    truths = [_names(_one(place, space, replace(ask, every_row=True))) for ask in asks]
    for fetch in EFFORTS:
        measured = Measured(recall=0.0, sample=sample, date=datetime.now(UTC).date().isoformat(), fetch=fetch)
        held = replace(holding, measured=measured)
        shares = [
            len(truth & _names(_one(place, space, replace(ask, holding=held)))) / max(len(truth), 1)
            for truth, ask in zip(truths, asks, strict=True)
        ]
        measured = replace(measured, recall=float(np.reshape(shares, (len(ALPHAS), -1)).mean(axis=1).min()))
        if measured.recall >= WANTED_RECALL:
            break
    place.keep_measured(space, measured)
    return measured


def _names(found: Found) -> set[int]:
    return {hit.position for hit in found.items}


@dataclass(frozen=True, kw_only=True)
class _Ask:
    """One segment of a query: its (B, D) vectors, the branches' weights (B,), its number, and what is wanted."""

    vectors: FloatArray
    weights: FloatArray
    asked: int
    k: int
    holding: Holding
    wanted: Wanted
    every_row: bool = False


def _one(place: Place, space: Space, ask: _Ask) -> Found:
    """The k best items for one segment of the query."""
    vectors, weights, k, holding = ask.vectors, ask.weights, ask.k, ask.holding
    every_row = ask.every_row or holding.exact or ask.wanted != EVERYTHING
    sought = Sought(
        unit=mixed_query(vectors, weights),
        weights=weights,
        count=max(FIRST_FETCH, 4 * k),
        wanted=ask.wanted,
        effort=None
        if every_row
        else UNMEASURED_EFFORT
        if holding.measured is None
        else holding.measured.fetch,
    )
    shortest = float(mixed_lengths(holding.least_gram[None], weights)[0])
    while True:
        found = place.candidates(space, sought)
        hits = _best_items(found, _scores(found, sought.weighted, weights), ask.asked, k)
        exhausted = len(found.values) < sought.count
        looked_enough = not every_row and len(hits) == k and sought.count >= (sought.effort or 0)
        if exhausted or looked_enough or _is_complete(found, hits, k, shortest):
            return _found(hits, found, vectors, proven=every_row)
        sought = _more(sought)


def _more(sought: Sought) -> Sought:
    """Twice as many rows; of an approximate index at least as many candidates."""
    effort = None if sought.effort is None else max(sought.effort, 2 * sought.count)
    return replace(sought, count=2 * sought.count, effort=effort)


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
    if len(hits) < k or shortest <= CANCELLED:
        return False
    return hits[-1][0].score > max(float(found.values[-1]), 0.0) + found.slack / shortest


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
    return Found(items=tuple(items), proven=proven, candidates=len(found.values))
