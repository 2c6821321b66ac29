"""Products of queries are kept in one room for all retrievers, and go with the retriever."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mvr.datatypes import BranchedEmbeddings, Direction, Segment
from mvr.index import CrossProducts
from mvr.retrieval import Query, kept
from mvr.retrieval.kept import KeptProducts
from mvr.retrieval.ranking import Compared


def query(direction: Direction = Direction.VIDEO_TO_MUSIC) -> Query:
    return Query(
        name="q", content="0" * 64, direction=direction, duration_s=4.0, system="",
        segments=(Segment(start_s=0.0, end_s=4.0),),
        embeddings=BranchedEmbeddings(vectors=np.ones((1, 1, 1), np.float32), branches=("ssl",)),
    )  # fmt: skip


def products(index: Any, rows: int = 256) -> Compared:
    """A kilobyte of them."""
    cross = CrossProducts(
        products=np.ones((1, 1, rows), np.float32), rows=np.ones((rows, 1, 1)), query=np.ones((1, 1))
    )
    return Compared(index, (cross,))


@pytest.fixture
def index() -> Any:
    return SimpleNamespace(index=object())


def test_what_was_used_last_stays_whoever_used_it(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_ROOM", kept._Room())
    monkeypatch.setattr(kept, "KEPT_BYTES", 3 * 1024)
    one, other = KeptProducts(), KeptProducts()
    asked = [query() for _ in range(4)]
    for each in asked[:3]:
        one.put(each, "", 0.0, products(index))
    first = one.get(asked[0], "", 0.0, index)
    assert first is not None and first.bytes == 1024
    one.put(asked[0], "", 0.0, first)
    other.put(asked[3], "", 0.0, products(index))
    assert [one.get(each, "", 0.0, index) is not None for each in asked[:3]] == [True, False, True]
    assert len(other) == 1 and one.get(asked[0], "words", 0.5, index) is None
    other.put(asked[3], "large", 0.5, products(index, 4096))  # more than there is room for: alone
    assert (len(one), len(other)) == (0, 1)


def test_of_an_index_that_is_left_nothing_is_kept_and_the_other_direction_stays(index: Any) -> None:
    held, there, back = KeptProducts(), query(), query(Direction.MUSIC_TO_VIDEO)
    other = SimpleNamespace(index=object())
    held.put(there, "", 0.0, products(index))
    held.put(back, "", 0.0, products(other))
    assert (
        held.get(there, "", 0.0, SimpleNamespace(index=index.index)) is not None
    )  # other words, the same rows
    assert held.get(there, "", 0.0, SimpleNamespace(index=object())) is None and len(held) == 1
    assert held.get(back, "", 0.0, other) is not None


def test_it_goes_with_its_retriever(index: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_ROOM", kept._Room())
    gone, stays = KeptProducts(), KeptProducts()
    gone.put(query(), "", 0.0, products(index))
    del gone
    gc.collect()
    stays.put(query(), "", 0.0, products(index))
    assert len(kept._ROOM._held) == len(stays) == 1
