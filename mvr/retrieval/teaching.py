"""What a re-ranking learns from: features of items, and similarities of queries, under one system at one alpha."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from mvr.datatypes import FloatArray, branch_weights, mix_branches
from mvr.embeddings.mixed import MixedSystem
from mvr.embeddings.system import System
from mvr.errors import NotInLibrary
from mvr.library import Item
from mvr.retrieval.retriever import Retriever


def item_features(retriever: Retriever, items: Iterable[Item], alpha: float) -> dict[str, FloatArray]:
    """Mean embedding over segments, (D,), of each item that the system has embedded; of a mixture, its members' end
    to end, each at its own alpha."""
    found = {}
    for item in items:
        means = [_mean(retriever, item, part, used) for part, used in _parts(retriever.system, alpha)]
        known = [mean for mean in means if mean is not None]
        if len(known) == len(means):
            found[item.id] = np.concatenate(known) / np.float32(np.sqrt(len(known)))
    return found


def _parts(system: System, alpha: float) -> list[tuple[System, float]]:
    if isinstance(system, MixedSystem):
        return [(member.system, member.alpha) for member in system.members]
    return [(system, alpha)]


def _mean(retriever: Retriever, item: Item, system: System, alpha: float) -> FloatArray | None:
    features = retriever.library.features(item, system)
    if features is None:
        return None
    vectors = system.encode(features.features, item.modality).vectors
    mean: FloatArray = mix_branches(vectors, branch_weights(alpha, vectors.shape[1])).mean(axis=0)
    return mean


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
