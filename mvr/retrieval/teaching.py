"""What a re-ranking learns from: features of items, and similarities of queries, under one system at one alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mvr.datatypes import FloatArray, branch_weights, mix_branches
from mvr.errors import NotInLibrary
from mvr.library import Item
from mvr.retrieval.retriever import Retriever


def item_features(retriever: Retriever, items: Iterable[Item], alpha: float) -> dict[str, FloatArray]:
    """Mean embedding over segments, (D,), of each item that the system has embedded."""
    found = {}
    for item in items:
        features = retriever.library.features(item, retriever.system)
        if features is not None:
            vectors = retriever.system.encode(features.features, item.modality).vectors
            found[item.id] = mix_branches(vectors, branch_weights(alpha, vectors.shape[1])).mean(axis=0)
    return found


def similarity(retriever: Retriever, alpha: float) -> Callable[[str, str], float | None]:
    """Similarity of a query and an item of the library by their ids; None where one of them left it."""
    lists: dict[str, dict[str, float]] = {}

    def score(query_id: str, item_id: str) -> float | None:
        if query_id not in lists:
            try:
                ranked = retriever.rank(retriever.query_item(query_id), alpha, max(1, len(retriever.library)))
            except NotInLibrary:
                lists[query_id] = {}
            else:
                lists[query_id] = {result.item.id: result.score for result in ranked.results}
        return lists[query_id].get(item_id)

    return score
