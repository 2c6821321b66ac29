"""One contract, every place: the oracle mixes every stored row, normalises it and sorts."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import branch_weights, mix_branches
from mvr.errors import DataError, IndexUnreachable, NotFinite, SettingsMismatch, UsageError, WrongShape
from mvr.index.remote import Space, StoredItem, Wanted, check_address, open_place, search

ALPHAS = (0.0, 0.3, 0.5, 0.7, 1.0)
GENRES = ("Jazz", "rock", "Ambient")


def space_of(branches: int = 2, dim: int = 16) -> Space:
    names = ("ssl", "genre", "emotion")[:branches]
    return Space(system="0123456789abcdef", modality="audio", branches=names, dim=dim)


def unit(shape: tuple[int, ...], seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def items(count: int, space: Space, seed: int = 1) -> list[StoredItem]:
    """Items of 1 to 4 segments; labels, lengths and tempi that differ."""
    found = []
    for number in range(count):
        segments = 1 + number % 4
        found.append(
            StoredItem(
                id=f"item{number:04d}",
                content=f"content{number}",
                document={"title": f"Track «{number}»", "artist": None},
                times=np.array([[5.0 * s, 5.0 * s + 10] for s in range(segments)]),
                vectors=unit((segments, len(space.branches), space.dim), seed * 10_000 + number),
                facts=[{"tempo_bpm": 60.0 + number}] * segments,
                genre=(GENRES[number % 3],),
                mood=("calm", "warm") if number % 2 else (),
                licence="cc by 4.0" if number % 5 else "cc0-1.0",
                commercial=number % 5 == 0,
                duration_s=None if number % 7 == 0 else 10.0 * number,
                tempo_bpm=60.0 + number,
            )
        )
    return found


def oracle(
    found: list[StoredItem], query: np.ndarray, weights: np.ndarray
) -> list[tuple[float, str, int, int]]:
    """(score, id, segment, query segment) of every item, best first; of equal ones the one written first."""
    lines = []
    for order, item in enumerate(found):
        stored = item.vectors.astype(np.float16).astype(np.float32)
        table = mix_branches(query, weights).astype(float) @ mix_branches(stored, weights).astype(float).T
        best = table.max()
        number = int(np.flatnonzero((table == best).any(axis=0))[0])
        asked = int(np.flatnonzero(table[:, number] == best)[0])
        lines.append((best, order, item.id, number, asked))
    lines.sort(key=lambda line: (-line[0], line[1]))
    return [(score, name, number, asked) for score, _, name, number, asked in lines]


def filled(place, found: list[StoredItem], space: Space):
    place.announce(space, len(found))
    place.write(space, found)
    return place


def names(place, space: Space, hits) -> list[str]:
    at = [(hit.position, hit.number) for hit in hits.items]
    rows = place.rows(space, at)
    return [rows[each].item for each in at]


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_lists_are_those_of_brute_force_and_proven_at_every_alpha(place, branches):
    space = space_of(branches)
    stored = items(230, space)
    filled(place, stored, space)
    query = unit((2, branches, 16), 99)
    for alpha in ALPHAS:
        weights = branch_weights(alpha, branches)
        hits = search(place, space, query, weights, 10)
        wanted = oracle(stored, query, weights)[:10]
        assert hits.proven
        np.testing.assert_allclose([hit.score for hit in hits.items], [line[0] for line in wanted], atol=1e-6)
        assert names(place, space, hits) == [line[1] for line in wanted]
        assert [(hit.number, hit.asked) for hit in hits.items] == [(line[2], line[3]) for line in wanted]


def test_branch_cosines_say_what_a_match_rests_on(place):
    space = space_of()
    stored = items(5, space)
    filled(place, stored, space)
    query = unit((1, 2, 16), 3)
    hit = search(place, space, query, branch_weights(0.4, 2), 1).items[0]
    row = place.rows(space, [(hit.position, hit.number)])[hit.position, hit.number]
    vectors = next(item for item in stored if item.id == row.item).vectors[hit.number].astype(np.float16)
    np.testing.assert_allclose(hit.branches, (query[0] * vectors).sum(axis=1), atol=1e-6)


def test_of_equal_items_the_one_written_first_comes_first_whatever_k(place):
    space = space_of()
    same = unit((1, 2, 16), 5)
    stored = [
        dataclasses.replace(item, vectors=np.repeat(same, len(item.times), axis=0))
        for item in items(30, space)
    ]
    filled(place, stored, space)
    for k in (1, 3, 10, 30):
        hits = search(place, space, same, branch_weights(0.5, 2), k)
        assert names(place, space, hits) == [f"item{n:04d}" for n in range(k)]
        assert {hit.number for hit in hits.items} == {0}


@pytest.mark.parametrize(
    ("wanted", "allowed"),
    [
        (Wanted(genres=("jazz",)), lambda item: item.genre == ("Jazz",)),
        (
            Wanted(genres=("jazz", "ambient"), moods=("calm",)),
            lambda i: i.genre != ("rock",) and "calm" in i.mood,
        ),
        (Wanted(licences=("cc0",)), lambda item: item.licence == "cc0-1.0"),
        (Wanted(commercial=True), lambda item: item.commercial),
        (Wanted(least={"duration_s": 300.0}), lambda item: (item.duration_s or 0) >= 300),
        (Wanted(most={"tempo_bpm": 61.0}), lambda item: item.tempo_bpm <= 61),  # one item in a hundred
        (Wanted(ids=frozenset({"item0007", "item0150"})), lambda item: item.id in ("item0007", "item0150")),
        (Wanted(ids=frozenset()), lambda item: False),
    ],
)
def test_filters_leave_the_order_of_what_passes(place, wanted, allowed):
    space = space_of()
    stored = items(200, space)
    filled(place, stored, space)
    query, weights = unit((1, 2, 16), 7), branch_weights(0.5, 2)
    hits = search(place, space, query, weights, 10, wanted)
    passing = [item for item in stored if allowed(item)]
    assert names(place, space, hits) == [line[1] for line in oracle(passing, query, weights)[:10]]
    assert hits.proven


def test_a_changed_item_is_replaced_and_a_removed_one_is_gone(place):
    space = space_of()
    stored = items(80, space)
    filled(place, stored, space)
    query, weights = unit((1, 2, 16), 11), branch_weights(0.5, 2)
    first = oracle(stored, query, weights)[0][1]
    changed = dataclasses.replace(
        stored[int(first[4:])], content="new", vectors=-unit((4, 2, 16), 0), times=np.zeros((4, 2)), facts=()
    )
    place.write(space, [changed])
    stored[int(first[4:])] = changed
    assert place.contents(space)[first] == "new" and len(place.contents(space)) == 80
    nearest = [line[1] for line in oracle(stored, query, weights)[:60]]
    place.remove(space, nearest)  # the sixty nearest: what is left must come up
    left = [item for item in stored if item.id not in nearest]
    hits = search(place, space, query, weights, 10)
    assert names(place, space, hits) == [line[1] for line in oracle(left, query, weights)[:10]]
    holding = place.holding(space)
    assert (holding.items, holding.announced) == (20, 80)
    assert holding.rows == sum(len(item.times) for item in left)


def test_documents_times_and_facts_come_back(place):
    space = space_of()
    filled(place, items(4, space), space)
    position = {row.item: hit.position for hit, row in _everything(place, space)}["item0003"]
    row = place.rows(space, [(position, 2), (99, 0)])[position, 2]
    assert row.document == {"title": "Track «3»", "artist": None} and row.facts == {"tempo_bpm": 63.0}
    assert (row.start_s, row.end_s) == (10.0, 20.0)


def _everything(place, space):
    hits = search(place, space, unit((1, 2, 16), 2), branch_weights(0.0, 2), 1000).items
    rows = place.rows(space, [(hit.position, hit.number) for hit in hits])
    return [(hit, rows[hit.position, hit.number]) for hit in hits]


@pytest.mark.parametrize(
    ("vectors", "error", "words"),
    [
        (np.zeros((1, 2, 16), np.float32), DataError, "length 0"),
        (np.full((1, 2, 16), np.nan, np.float32), NotFinite, "NaN"),
        (unit((1, 2, 8), 0), WrongShape, "the index needs"),
        (unit((1, 2, 16), 0) * 3, DataError, "length 3"),
    ],
)
def test_vectors_that_a_database_would_misread_are_refused_and_nothing_is_written(
    place, vectors, error, words
):
    space = space_of()
    filled(place, items(3, space), space)
    bad = StoredItem(id="bad", content="x", document={}, times=np.zeros((1, 2)), vectors=vectors)
    with pytest.raises(error, match=words):
        place.write(space, [items(4, space)[3], bad])
    assert sorted(place.contents(space)) == ["item0000", "item0001", "item0002"]


def test_a_space_that_is_not_there_is_one_sentence(place):
    with pytest.raises(UsageError, match="mvr library push"):
        search(place, space_of(), unit((1, 2, 16), 2), branch_weights(0.5, 2), 3)
    assert place.holding(space_of()) is None and place.contents(space_of()) == {}


def test_an_empty_space_gives_an_empty_list(place):
    space = space_of()
    place.announce(space, 0)
    hits = search(place, space, unit((1, 2, 16), 2), branch_weights(0.5, 2), 3)
    assert hits.items == () and hits.proven


def test_cancelled_mixtures_score_nothing(place):
    space = space_of()
    opposite = unit((1, 1, 16), 4)
    vectors = np.concatenate([opposite, -opposite], axis=1)
    cancelled = StoredItem(id="none", content="x", document={}, times=np.zeros((1, 2)), vectors=vectors)
    filled(place, [cancelled, *items(3, space)], space)
    hits = search(place, space, unit((1, 2, 16), 4), branch_weights(0.5, 2), 4)
    assert {name: hit.score for name, hit in zip(names(place, space, hits), hits.items, strict=True)}[
        "none"
    ] == 0


def test_a_file_is_read_by_another_process_after_a_restart(tmp_path):
    space, url = space_of(), f"duckdb:{tmp_path / 'index.duckdb'}"
    writer = filled(open_place(url, read_only=False), items(20, space), space)
    writer.close()
    reader = open_place(url)
    assert reader.holding(space).items == 20
    query, weights = unit((1, 2, 16), 8), branch_weights(0.3, 2)
    hits = search(reader, space, query, weights, 5)
    assert names(reader, space, hits) == [line[1] for line in oracle(items(20, space), query, weights)[:5]]
    reader.close()


def test_a_reader_goes_on_with_the_file_that_takes_the_place_of_the_one_it_opened(tmp_path):
    space, (old, new) = space_of(), (tmp_path / name for name in ("index.duckdb", "new.duckdb"))
    for path, count in ((old, 3), (new, 7)):
        filled(open_place(f"duckdb:{path}", read_only=False), items(count, space), space).close()
    reader = open_place(f"duckdb:{old}")
    assert reader.holding(space).items == 3
    held = subprocess.run(
        [sys.executable, "-c", f"from mvr.index.remote import *; open_place('duckdb:{old}', read_only=False)"],
        capture_output=True, text=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert "is open elsewhere" in held.stderr, "writers wait for readers"
    new.rename(old)
    assert reader.holding(space).items == 7
    old.unlink()
    assert reader.holding(space).items == 7, "while it is away, what was read stays"
    reader.close()


def test_an_index_of_another_shape_is_refused(tmp_path):
    place = open_place(f"duckdb:{tmp_path / 'index.duckdb'}", read_only=False)
    filled(place, items(2, space_of()), space_of())
    with pytest.raises(SettingsMismatch, match="push the library again"):
        place.holding(dataclasses.replace(space_of(), dim=8))
    place.close()


def test_what_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(IndexUnreachable, match="mvr library push --index"):
        open_place(f"duckdb:{tmp_path / 'none.duckdb'}")
    with pytest.raises(UsageError, match="choose from postgresql"):
        open_place("qdrant://localhost")
    place = open_place("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(IndexUnreachable, match="does not answer"):
        place.holding(space_of())


@pytest.mark.parametrize(
    "url",
    ["duckdb:", "duckdb::memory:", "duckdb:s3://bucket/x", "postgresql://u:secret%zz@h/x",
     "postgresql://[::1/x", "postgresql://h/x?secret=1"],
)  # fmt: skip
def test_an_address_that_cannot_be_read_is_one_sentence_without_a_password(url):
    with pytest.raises(UsageError, match=r"write (duckdb:FILE|postgresql://USER@HOST/DATABASE)") as refused:
        check_address(url)
    assert "secret" not in str(refused.value)


@pytest.mark.postgres
def test_a_user_without_rights_is_one_sentence(pgvector_url):
    import psycopg

    filled(open_place(pgvector_url), items(2, space_of()), space_of())
    with psycopg.connect(pgvector_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    guest = open_place(re.sub("//[^@/]*@", "//guest@", pgvector_url))
    with pytest.raises(IndexUnreachable, match=r"permission denied"):
        guest.contents(space_of())
    guest.close()


def test_each_library_owns_what_it_pushed_first_and_announces_for_itself(place):
    space, stored = space_of(), items(6, space_of())
    place.announce(space, 4, "one")
    place.write(space, [dataclasses.replace(item, origin="one") for item in stored[:3]])
    place.announce(space, 3, "two")
    place.write(
        space, [dataclasses.replace(item, origin="two") for item in stored[2:]]
    )  # one of them is there
    assert place.owned(space, "one") == {"item0000", "item0001", "item0002"}
    assert place.owned(space, "two") == {"item0003", "item0004", "item0005"} and not place.owned(space, "x")
    assert (place.holding(space).items, place.holding(space).announced) == (6, 7)
    place.announce(space, 3, "one")
    assert place.holding(space).announced == 6


@pytest.mark.postgres
def test_a_server_that_falls_silent_is_given_up(pgvector_url, monkeypatch):
    monkeypatch.setattr("mvr.index.remote.pgvector._STATEMENTS", 1)
    place = filled(open_place(pgvector_url, patience_s=1), items(3, space_of()), space_of())
    with place.transaction() as connection:
        server = connection.info.backend_pid
    os.kill(server, signal.SIGSTOP)  # as a machine that lost its network
    try:
        began = time.monotonic()
        with pytest.raises(IndexUnreachable, match="does not answer"):
            place.holding(space_of())
        assert time.monotonic() - began < 60
    finally:
        os.kill(server, signal.SIGCONT)
    assert place.holding(space_of()).items == 3


@pytest.mark.postgres
def test_writers_that_meet_an_empty_server_at_once_all_begin(pgvector_url):
    from concurrent.futures import ThreadPoolExecutor

    def begin(number: int) -> None:
        place = open_place(pgvector_url)
        place.announce(space_of(), 1, str(number))
        place.write(space_of(), [items(number + 1, space_of())[number]])
        place.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(8)))
    holding = open_place(pgvector_url).holding(space_of())
    assert (holding.items, holding.announced, holding.version) == (8, 8, 8)


@pytest.mark.postgres
def test_several_writers_push_side_by_side(pgvector_url):
    from concurrent.futures import ThreadPoolExecutor

    space = space_of()
    stored = items(60, space)
    open_place(pgvector_url).announce(space, 60)

    def push(number: int) -> None:
        for item in stored[number::3] + stored[:5]:  # some of them twice
            open_place(pgvector_url).write(space, [item])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(push, range(3)))
    place = open_place(pgvector_url)
    assert place.holding(space).items == 60
    query, weights = unit((1, 2, 16), 8), branch_weights(0.7, 2)
    hits = search(place, space, query, weights, 60)
    assert sorted(names(place, space, hits)) == sorted(item.id for item in stored)
    least = np.min(
        [v.astype(np.float16).astype(float) for item in stored for v in item.vectors[:, :1]], initial=1
    )
    assert least < 1 and place.holding(space).least_gram[0, 1] < 0.9
