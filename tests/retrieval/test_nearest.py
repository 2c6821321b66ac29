"""Libraries above the sizes of float16 rows and of an approximate index, which are brought down for the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Modality
from mvr.embeddings.system import load_system
from mvr.library import Library, vectors
from mvr.library.listing import Listing
from mvr.retrieval import Filters, Retriever
from mvr.retrieval.ranking import standing

TABLE = "file,genre\n0.wav,jazz\n1.wav,rock\n2.wav,jazz\n3.wav,jazz\n"


@pytest.fixture
def library(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    tiny_assets: Path,
    make_tone: Callable[..., Path],
    make_clip: Callable[..., Path],
) -> Library:
    made = tmp_path_factory.getbasetemp() / "nearest"
    if not made.exists():  # once for all tests: the head of `tiny_assets` is always the same
        (made / "media").mkdir(parents=True)
        for seed in range(4):
            make_tone(made / "media" / f"{seed}.wav", seconds=21.0 if seed == 2 else 3.0, seed=seed)
        make_clip(made / "media" / "clip.mp4", seconds=1.0, seed=0)
        (made / "media" / "metadata.csv").write_text(TABLE, encoding="utf-8")
        Library.open(made / "library").add([made / "media"], load_system("tiny"))
    shutil.copytree(made / "library", tmp_path / "library")
    return Library.open(tmp_path / "library")


def ranked(library: Library, alpha: float, filters: Filters, **wanted: float):
    retriever = Retriever(Library.open(library.root), load_system("tiny"))
    video = library.items(Modality.VIDEO)[0]
    return retriever.rank(retriever.query_item(video.id), alpha, 3, filters=filters, **wanted)


@pytest.mark.parametrize("kind", ["half", "rabitq"])
@pytest.mark.parametrize("filters", [Filters(), Filters(genres=("jazz",)), Filters(genres=("polka",))])
def test_a_large_library_gives_the_list_of_a_small_one(
    library: Library, kind: str, filters: Filters, monkeypatch: pytest.MonkeyPatch
) -> None:
    alphas = (0.0, 0.4, 1.0)
    small = [ranked(library, alpha, filters) for alpha in alphas]
    monkeypatch.setattr(vectors, "_FLOAT32_ITEMS", 0)
    monkeypatch.setattr(vectors, "_BLOCK_ITEMS", 3)
    if kind == "rabitq":
        monkeypatch.setattr(vectors, "APPROXIMATE_ROWS", 0)
    for alpha, wanted in zip(alphas, small, strict=True):
        found = ranked(library, alpha, filters)
        assert [r.item.id for r in found.results] == [r.item.id for r in wanted.results]
        np.testing.assert_allclose(
            [r.score for r in found.results], [r.score for r in wanted.results], atol=1e-3
        )
        assert [(r.start_s, r.query_start_s) for r in found.results] == [
            (r.start_s, r.query_start_s) for r in wanted.results
        ]
        assert (found.candidates, found.library_items) == (wanted.candidates, 4)
        if kind == "half":
            assert found.answer == "exact"
        else:  # never called exact, and nothing is said of items that were not scored
            assert found.answer.startswith("recall measured: 1.00 (1 of this library's videos, 20")
            assert {(r.beats, r.above) for r in found.results} <= {(None, None)}


def test_without_faiss_every_row_is_looked_at(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "APPROXIMATE_ROWS", 0)
    monkeypatch.setattr(vectors, "has", lambda name: False)
    assert ranked(library, 0.5, Filters()).answer == "exact"


def test_a_file_that_is_gone_leaves_the_list_without_reading_the_library_again(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = library.items(Modality.VIDEO)[0]
    retriever = Retriever(library, load_system("tiny"))
    query = retriever.query_item(video.id)
    first = retriever.rank(query, 0.5, 4).results[0].item
    stays = first.path.read_bytes()
    try:
        first.path.unlink()
        read, placed = [], Listing.placed
        monkeypatch.setattr(
            Listing, "placed", lambda self, m, ids=None: [read.append(ids), placed(self, m, ids)][1]
        )
        again = retriever.rank(query, 0.5, 4)
        assert first.id not in [r.item.id for r in again.results] and len(again.results) == 3
        assert again.candidates == 3 and again.library_items == 4
        assert read == [[first.id]]
    finally:
        first.path.write_bytes(stays)
    assert library.check_files([first.id]) == [first.id]
    assert retriever.rank(query, 0.5, 4).results[0].item.id == first.id


def test_a_filter_is_looked_at_once_whatever_the_slider_does(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever = Retriever(library, load_system("tiny"))
    query = retriever.query_item(library.items(Modality.VIDEO)[0].id)
    jazz = Filters(genres=("jazz",))
    retriever.rank(query, 0.2, filters=jazz)
    monkeypatch.setattr(Filters, "allow", None)
    assert len(retriever.rank(query, 0.8, filters=jazz).results) == 3


def test_standing_counts_as_a_loop_does() -> None:
    scores = np.round(np.random.default_rng(0).standard_normal(500), 1).astype(np.float32)
    positions = np.array([3, 77, 3, 499, int(scores.argmax()), int(scores.argmin())])
    found = standing(scores, positions)
    assert found.beats == tuple(float(np.mean(scores < scores[at])) for at in positions)
    wanted = [(float(scores[at]) - float(scores.mean())) / float(scores.std()) for at in positions]
    np.testing.assert_allclose(found.above, wanted, rtol=1e-6)
