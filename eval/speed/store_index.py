"""From a feature store to a saved index, for any number of rows, with one block of them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from eval.speed.index_file import finish_large, save_index, write_large
from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality, branch_weights
from mvr.embeddings.store import FeatureStore
from mvr.heads.head import Head
from mvr.index import IndexSettings, create_index
from mvr.index.recall import calibrate

EXACT_ROWS = 100_000  # up to here exact search answers in about 10 ms a query, and nothing is gained by less
_BLOCK_ROWS = 16_384
_QUERIES = 100  # rows of the other modality that the effort is calibrated on
_ALPHAS = (0.0, 0.5, 1.0)


def index_store(
    store: FeatureStore, head: Head, modality: Modality, folder: Path | str, *, kind: str | None = None
) -> JsonDict:
    """Encode one side of a store through a head and write an index that `eval.speed.index_file.load_index` opens.

    An approximate index is calibrated on queries from the store's other side: what a video asks lies off the cloud of
    the tracks, and an effort that suffices among tracks would miss too much.

    Args:
        store: the features.
        head: encodes them.
        modality: which side is searched.
        folder: must not exist.
        kind: None chooses by the number of rows.

    Returns:
        kind, rows, and for an approximate index its effort and the recall@10 measured with it.

    Raises:
        UsageError: the folder is there, or an unknown kind.
    """
    chosen = kind or choose_kind(len(store))
    if chosen in ("flat", "numpy"):
        index = create_index(chosen, head.dim, head.branches)
        for ids, vectors in embedded_blocks(store, head, modality):
            index.add(ids, vectors)
        save_index(index, folder)
        return {"kind": chosen, "rows": len(index)}
    options = {"rows": len(store)}
    settings = IndexSettings(kind=chosen, dim=head.dim, branches=head.branches, options=options)
    large = write_large(folder, settings, len(store), embedded_blocks(store, head, modality))
    other = Modality.AUDIO if modality is Modality.VIDEO else Modality.VIDEO
    asked = np.linspace(0, len(store) - 1, min(_QUERIES, len(store))).astype(int)
    queries = _encode(store, head, other, asked).vectors
    recall = calibrate(large, queries, [branch_weights(alpha, len(head.branches)) for alpha in _ALPHAS])
    facts = {"recall_at_10": recall, "queries": len(asked), "alphas": list(_ALPHAS), "effort": large.effort}
    finish_large(large, folder, facts)
    return {"kind": chosen, "rows": len(large), **facts}


def choose_kind(rows: int) -> str:
    """The kind for a number of rows: exact, then codes, which reach a recall@10 of 0.99 on unclustered data and on
    queries from the other modality without a graph that takes hundreds of times as long to build (LOG.md)."""
    return "flat" if rows <= EXACT_ROWS else "rabitq"


def embedded_blocks(
    store: FeatureStore, head: Head, modality: Modality
) -> Iterator[tuple[list[str], FloatArray]]:
    """Ids and embeddings (n, B, D), block by block in row order."""
    for at in range(0, len(store), _BLOCK_ROWS):
        rows = np.arange(at, min(at + _BLOCK_ROWS, len(store)))
        yield store.ids[at : at + len(rows)], _encode(store, head, modality, rows).vectors


def _encode(
    store: FeatureStore, head: Head, modality: Modality, rows: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> BranchedEmbeddings:
    if modality is Modality.VIDEO:
        return head.encode_video(np.asarray(store.video[rows], np.float32))
    return head.encode_audio(np.asarray(store.audio[rows], np.float32))
