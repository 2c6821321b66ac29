"""The best items of a place, with a proof where there can be one.

A row's score is its inner product with the weighted query over the length of its mixture. Places compute it roughly: it
may be off by `slack` / m, m being the shortest mixture that the elementwise least Gram matrix allows. Once the k-th
best item's exact score is above that of the last row handed out by more, nothing better is left (`proven`); until then
twice as many rows are asked for. Rows that codes point at (`mvr.index.remote.codes`) prove nothing: `measure_recall`
says how many of them it takes and how much they miss. What is filtered is looked for among all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from mvr.datatypes import FloatArray, branch_weights
from mvr.errors import UsageError
from mvr.index.mixture import CANCELLED, divide_by_lengths, gram, mixed_lengths, mixed_query
from mvr.index.recall import ALPHAS, WANTED_RECALL, Measured
from mvr.index.remote.place import Candidates, Finder, Holding, Place, Sought, Space, StoredRows, Wanted

EFFORTS = (100, 250, 500, 1000, 2000, 4000, 8000)  # rows that codes point at, until enough is found
FIRST_FETCH = 100  # rows by score: a proof takes as many as lie within the rounding of the k-th item
_ROWS_PER_ITEM = 10  # that codes point at, at least
_MEASURED_K = 10

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
        measured: what is known of the codes that pointed at them.
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
    holding = held(place, space)
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
    return Found(
        items=tuple(order[:k]),
        proven=proven,
        candidates=most,
        measured=None if proven else holding.measured,
    )


def held(place: Place, space: Space) -> Holding:
    """What a place holds of a space. Raises UsageError: nothing."""
    holding = place.holding(space)
    if holding is None:
        raise UsageError(
            f"the index holds no {space.modality} embeddings of this system; push the library with it: "
            "mvr library push --index URL"
        )
    return holding


def measure_recall(
    place: Place, space: Space, finder: Finder, queries: FloatArray, sample: str
) -> Measured | None:
    """How much of the true ten best a finder misses, and how many rows it must point at; written down in the place.

    Args:
        place: where the rows are.
        space: which rows.
        finder: of the place; ready.
        queries: (Q, B, D) unit-length branch vectors, of the kind that will be asked.
        sample: what they are, in words.

    Returns:
        The recall at the worst of five alphas with the least number of rows that reaches .99, or with the most; None
        where there is nothing to ask with or to be found.
    """
    holding = place.holding(space)
    if holding is None or not holding.rows or not len(queries):
        return None
    asks = [
        _Ask(vectors=query, weights=weights, asked=0, k=_MEASURED_K, holding=holding, wanted=EVERYTHING)
        for weights in (branch_weights(alpha, len(space.branches)) for alpha in ALPHAS)
        for query in queries
    ]
    truths = [_names(_compared(place, space, ask)) for ask in asks]
    for fetch in EFFORTS:
        measured = Measured(recall=0.0, sample=sample, date=datetime.now(UTC).date().isoformat(), fetch=fetch)
        held = replace(holding, measured=measured)
        shares = []
        for truth, ask in zip(truths, asks, strict=True):
            found = _pointed_at(finder, space, replace(ask, holding=held))
            assert found is not None
            shares.append(len(truth & _names(found)) / max(len(truth), 1))
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

    def sought(self, count: int) -> Sought:
        """So many rows for it."""
        unit = mixed_query(self.vectors, self.weights)
        return Sought(unit=unit, weights=self.weights, count=count, wanted=self.wanted)


def _one(place: Place, space: Space, ask: _Ask) -> Found:
    """The k best items for one segment of the query."""
    if place.finder is not None and ask.wanted == EVERYTHING:
        found = _pointed_at(place.finder, space, ask)
        if found is not None:
            return found
    return _compared(place, space, ask)


def _pointed_at(finder: Finder, space: Space, ask: _Ask) -> Found | None:
    """The best items of the rows that codes point at; None where every row must be compared."""
    measured = ask.holding.measured
    count = max(0 if measured is None else measured.fetch, _ROWS_PER_ITEM * ask.k)
    while True:
        sought = ask.sought(count)
        found = finder.near(space, ask.holding, sought)
        if found is None:
            return None
        hits = _best_items(found, exact_scores(found, sought.weighted, ask.weights), ask)
        if len(hits) == ask.k or count >= ask.holding.rows:
            return _found(hits, found, ask.vectors, proven=False)
        count *= 2  # items of many rows, or taken out meanwhile


def _compared(place: Place, space: Space, ask: _Ask) -> Found:
    """The best items of all rows, proven."""
    sought = ask.sought(max(FIRST_FETCH, 4 * ask.k))
    shortest = float(mixed_lengths(ask.holding.least_gram[None], ask.weights)[0])
    while True:
        found = place.candidates(space, sought)
        hits = _best_items(found, exact_scores(found, sought.weighted, ask.weights), ask)
        exhausted = len(found.values) < sought.count
        if exhausted or _is_complete(found, hits, ask.k, shortest):
            return _found(hits, found, ask.vectors, proven=True)
        sought = replace(sought, count=2 * sought.count)


def exact_scores(found: StoredRows, weighted: FloatArray, weights: FloatArray) -> FloatArray:
    """Scores (n,) of rows as they are stored, for a weighted query (B * D,)."""
    flat = found.vectors.reshape(len(found.vectors), weighted.shape[0]).astype(np.float64) @ weighted.astype(
        np.float64
    )
    return divide_by_lengths(flat, mixed_lengths(gram(found.vectors), weights))


def _best_items(found: StoredRows, scores: FloatArray, ask: _Ask) -> list[tuple[FoundItem, int]]:
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
                asked=ask.asked,
                score=float(scores[at]),
                branches=(),
            ),
            int(at),
        )
        if len(hits) == ask.k:
            break
    return list(hits.values())


def _is_complete(found: Candidates, hits: list[tuple[FoundItem, int]], k: int, shortest: float) -> bool:
    """Whether no row that was not handed out can belong to the k best items."""
    if len(hits) < k or shortest <= CANCELLED:
        return False
    return hits[-1][0].score > max(float(found.values[-1]), 0.0) + found.slack / shortest


def _found(hits: list[tuple[FoundItem, int]], found: StoredRows, query: FloatArray, *, proven: bool) -> Found:
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
    return Found(items=tuple(items), proven=proven, candidates=len(found.positions))
