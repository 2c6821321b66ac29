from __future__ import annotations

import pytest

from mvr.datatypes import Direction, Modality
from mvr.embeddings.system import load_system
from mvr.library import open_demo_library
from mvr.retrieval import Retriever

WITHOUT_TIMING = ("start_s", "end_s", "placed", "timing", "query_start_s", "query_end_s")


@pytest.fixture(scope="module")
def retriever() -> Retriever:
    return Retriever(open_demo_library(), load_system("control-mvr-mini"))


@pytest.mark.parametrize("direction", list(Direction))
def test_placing_moves_starts_and_nothing_else_of_a_list(retriever, direction):
    item = retriever.library.items(direction.query)[1]
    plain = retriever.rank(retriever.query_item(item.id), alpha=0.3, k=6)
    placed = retriever.place(plain, item.path)
    rest = [
        {key: value for key, value in row.items() if key not in WITHOUT_TIMING}
        for ranked in (plain, placed)
        for row in ranked.to_json()["results"]
    ]
    assert rest[:6] == rest[6:]
    assert all("placed" not in row for row in plain.to_json()["results"])
    for before, after in zip(plain.results, placed.results, strict=True):
        start, part = (
            (after.start_s, (before.start_s, before.end_s))
            if direction is Direction.VIDEO_TO_MUSIC
            else (after.query_start_s, (before.query_start_s, before.query_end_s))
        )
        assert min(part[0], start) >= 0 and start <= part[1] and after.placing is not None
        assert after.to_json()["timing"]["tempo_bpm"] > 40


def test_the_demo_library_is_measured_beforehand(retriever):
    for modality in Modality:
        assert retriever.library.timings.missing(retriever.library.items(modality)) == []


def test_a_pair_that_was_not_measured_keeps_its_start(retriever, monkeypatch):
    item = retriever.library.items(Modality.VIDEO)[0]
    plain = retriever.rank(retriever.query_item(item.id), k=3)
    monkeypatch.setattr(retriever.library.timings.store, "music", lambda _content: None)
    assert retriever.place(plain, item.path).results == plain.results
