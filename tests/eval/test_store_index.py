"""A store becomes an index: exact or approximate, with the recall that queries of the other side get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from eval.speed.index_file import load_index, read_facts
from eval.speed.store_index import index_store
from mvr.datatypes import Modality, branch_weights, mix_branches
from mvr.embeddings.store import FeatureStore, write_store
from mvr.heads import create_head


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """3,000 pairs whose sides share eight latents, and a constant between them."""
    rng = np.random.default_rng(0)
    latents, mixing = rng.standard_normal((3000, 8)), rng.standard_normal((8, 32))
    video = latents @ mixing + 0.3 * rng.standard_normal((3000, 32)) + 1.0
    audio = latents @ mixing + 0.3 * rng.standard_normal((3000, 32))
    ids = pa.table({"id": [f"pair{row}" for row in range(3000)]})
    return write_store(tmp_path / "store", video=video, audio=audio, manifest=ids)


@pytest.mark.parametrize("kind", [None, "rabitq"])
def test_a_store_is_indexed_and_finds_what_exact_search_finds(
    store: FeatureStore, tmp_path: Path, kind: str | None
) -> None:
    head = create_head("identity", video_dim=32, audio_dim=32)
    facts = index_store(store, head, Modality.AUDIO, tmp_path / "index", kind=kind)
    assert facts["rows"] == 3000 and facts["kind"] == (kind or "flat")
    index, weights = load_index(tmp_path / "index"), branch_weights(0.0, 1)
    tracks = mix_branches(head.encode_audio(np.asarray(store.audio)).vectors, weights)
    found = []
    for row in range(0, 3000, 100):
        query = head.encode_video(np.asarray(store.video[row : row + 1])).vectors[0]
        truth = np.argsort(-(tracks @ query[0]))[:10]
        hits = index.search(query, weights, 10)
        found.append(len(set(truth.tolist()) & set(hits.rows.tolist())) / 10)
        assert index.ids[hits.rows[0]] == f"pair{hits.rows[0]}"
    assert np.mean(found) >= 0.98
    if kind:
        assert read_facts(tmp_path / "index")["facts"]["recall_at_10"] >= 0.99
