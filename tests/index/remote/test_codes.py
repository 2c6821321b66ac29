"""Codes point at rows of every kind of place; the oracle is the one of `test_places`."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Callable

import numpy as np
import pytest

from eval.index.graphs import Graphs
from mvr.datatypes import branch_weights
from mvr.errors import ExtraMissing, IndexUnreachable
from mvr.index.recall import Measured
from mvr.index.remote import KeptCodes, Wanted, measure_recall, open_place, search
from mvr.index.remote.codes import STEP
from tests.index.remote.memory import MemoryPlace
from tests.index.remote.test_places import ALPHAS, filled, items, names, oracle, space_of, unit

EVERY_ROW = Measured(recall=1.0, sample="all", date="2026-11-30", fetch=8000)  # then lists are the oracle's


def coded(place, space, measured: Measured = EVERY_ROW) -> KeptCodes:
    """Codes of what a place holds, read."""
    place.keep_measured(space, measured)
    codes = KeptCodes(place, least_rows=1)
    codes.read(space, place.holding(space))
    place.finder = codes
    return codes


def assert_as_the_oracle(place, space, stored, seed: int = 7, k: int = 10):
    """The list, found by codes, is that of brute force."""
    query, weights = unit((2, len(space.branches), 16), seed), branch_weights(0.4, len(space.branches))
    hits = search(place, space, query, weights, k)
    wanted = oracle(stored, query, weights)[:k]
    assert names(place, space, hits) == [line[1] for line in wanted]
    np.testing.assert_allclose([hit.score for hit in hits.items], [line[0] for line in wanted], atol=1e-6)
    assert not hits.proven and hits.measured is not None  # by codes: measured, never called proven


@pytest.mark.parametrize("branches", [1, 3])
def test_codes_find_the_best_at_every_alpha_and_what_they_miss_is_measured(place, branches):
    space, stored = space_of(branches), items(400, space_of(branches))
    filled(place, stored, space)
    codes, queries = coded(place, space), unit((4, branches, 16), 5)
    measured = measure_recall(place, space, codes, queries, "4 queries")
    assert measured.recall >= 0.99 and measured.fetch < 1000  # of 1,000 rows
    assert place.holding(space).measured == measured
    for alpha in ALPHAS:
        weights, shares = branch_weights(alpha, branches), []
        for query in queries:
            hits = search(place, space, query[None], weights, 10)
            assert hits.measured == measured and hits.candidates <= measured.fetch
            best = {line[1] for line in oracle(stored, query[None], weights)[:10]}
            shares.append(len(best & set(names(place, space, hits))) / 10)
        assert np.mean(shares) >= 0.97


def test_what_others_wrote_replaced_and_took_out_is_in_the_next_list(place):
    space, stored = space_of(), items(230, space_of())
    filled(place, stored[:200], space)
    coded(place, space)
    assert_as_the_oracle(place, space, stored[:200])
    place.write(space, stored[200:])  # as another machine does: the codes are not told
    assert_as_the_oracle(place, space, stored)
    query, weights = unit((2, 2, 16), 7), branch_weights(0.4, 2)
    best = next(
        number for number, item in enumerate(stored) if item.id == oracle(stored, query, weights)[0][1]
    )
    stored[best] = dataclasses.replace(
        stored[best], content="new", vectors=unit((4, 2, 16), 0), times=np.zeros((4, 2)), facts=()
    )
    place.write(space, [stored[best]])
    assert_as_the_oracle(place, space, stored)
    nearest = {line[1] for line in oracle(stored, query, weights)[:60]}
    place.remove(space, sorted(nearest))
    assert_as_the_oracle(place, space, [item for item in stored if item.id not in nearest])


def test_rows_that_are_gone_do_not_hide_those_that_are_there(place):
    space, stored = space_of(), items(200, space_of())
    filled(place, stored, space)
    coded(place, space, dataclasses.replace(EVERY_ROW, fetch=100))
    query, weights = unit((2, 2, 16), 7), branch_weights(0.4, 2)
    nearest = {line[1] for line in oracle(stored, query, weights)[:150]}
    place.remove(space, sorted(nearest))  # most of the hundred nearest codes are of rows that are gone
    assert_as_the_oracle(place, space, [item for item in stored if item.id not in nearest])


def test_of_equal_items_the_one_written_first_comes_first_by_codes(place):
    space, same = space_of(), unit((1, 2, 16), 5)
    stored = [
        dataclasses.replace(item, vectors=np.repeat(same, len(item.times), axis=0))
        for item in items(30, space)
    ]
    filled(place, stored, space)
    coded(place, space)
    hits = search(place, space, same, branch_weights(0.5, 2), 7)
    assert names(place, space, hits) == [f"item{n:04d}" for n in range(7)] and not hits.proven


def test_more_items_are_asked_for_than_the_first_rows_hold(place):
    space, stored = space_of(), items(120, space_of())
    filled(place, stored, space)
    coded(place, space, dataclasses.replace(EVERY_ROW, fetch=10))
    assert_as_the_oracle(place, space, stored, k=120)


def test_filters_compare_every_row_and_stay_proven(place):
    space, stored = space_of(), items(100, space_of())
    filled(place, stored, space)
    coded(place, space)
    query, weights = unit((1, 2, 16), 7), branch_weights(0.5, 2)
    hits = search(place, space, query, weights, 5, Wanted(most={"tempo_bpm": 63.0}))
    assert hits.proven and hits.measured is None
    assert names(place, space, hits) == [line[1] for line in oracle(stored[:4], query, weights)[:5]]


def test_until_much_that_is_new_was_read_every_row_is_compared(place):
    space, stored = space_of(), items(60, space_of())
    filled(place, stored[:20], space)
    codes = coded(place, space)
    for item in stored[20:]:
        place.write(space, [item])  # forty versions
    query, weights = unit((1, 2, 16), 7), branch_weights(0.4, 2)
    hits = search(place, space, query, weights, 10)
    assert len(stored[20:]) > STEP and hits.proven
    assert names(place, space, hits) == [line[1] for line in oracle(stored, query, weights)[:10]]
    codes.wait()
    assert_as_the_oracle(place, space, stored)


def drop(place) -> None:
    """Everything that a place holds, as its administrator does."""
    if isinstance(place, MemoryPlace):
        finder = place.finder
        place.__init__()
        place.finder = finder
        return
    with place.transaction() as connection:
        for line in place.run(connection, "SELECT table_name FROM information_schema.tables").fetchall():
            if line[0].startswith("mvr_"):
                place.run(connection, f"DROP TABLE {line[0]}")


@pytest.mark.parametrize("count", [80, 50])
def test_codes_of_an_index_that_was_made_anew_are_read_anew(place, count):
    space, stored, other = space_of(), items(80, space_of()), items(count, space_of(), seed=2)
    filled(place, stored, space)
    codes = coded(place, space, dataclasses.replace(EVERY_ROW, fetch=100))
    before = place.holding(space)
    drop(place)
    filled(place, other, space)
    place.keep_measured(space, dataclasses.replace(EVERY_ROW, fetch=100))
    after = place.holding(space)
    assert before.version == after.version and (before.rows == after.rows) == (count == 80)
    query, weights = unit((1, 2, 16), 7), branch_weights(0.4, 2)
    for _ in range(3):  # the first ones compare every row
        hits = search(place, space, query, weights, 10)
        assert names(place, space, hits) == [line[1] for line in oracle(other, query, weights)[:10]]
        codes.wait()
    assert not hits.proven


def back_up(place) -> Callable[[], None]:
    """Copies everything that a place holds; what is returned puts it back."""
    if isinstance(place, MemoryPlace):
        names = ("_spaces", "_announced", "_log", "_stamps", "_measured", "_identity")
        kept = copy.deepcopy({name: getattr(place, name) for name in names})
        return lambda: place.__dict__.update(kept)
    with place.transaction() as connection:
        query = "SELECT table_name FROM information_schema.tables"
        tables = [line[0] for line in place.run(connection, query).fetchall() if line[0].startswith("mvr_")]
        for table in tables:
            place.run(connection, f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def restore() -> None:
        for (
            table
        ) in tables:  # DuckDB takes rows with a key that was deleted in the same transaction for doubled
            for statement in (f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM kept_{table}"):
                with place.transaction() as connection:
                    place.run(connection, statement)

    return restore


@pytest.mark.parametrize("more", [0, 1, STEP, 2 * STEP])
def test_codes_of_an_index_that_was_taken_back_to_a_backup_and_written_to_are_read_anew(place, more):
    space, stored = space_of(), items(80, space_of())
    filled(place, stored[:60], space)
    codes = coded(place, space, dataclasses.replace(EVERY_ROW, fetch=100))
    restore = back_up(place)
    place.write(space, [dataclasses.replace(item, id=f"lost {item.id}") for item in stored[60:]])
    search(place, space, unit((1, 2, 16), 7), branch_weights(0.4, 2), 10)  # the codes follow
    then = place.holding(space)
    restore()
    others = [  # as many rows in as many versions, and some more
        dataclasses.replace(item, vectors=unit(item.vectors.shape, 100 + n))
        for n, item in enumerate(stored[60:])
    ]
    place.write(space, others)
    for _ in range(more):
        place.write(space, others[-1:])
    now = place.holding(space)
    assert now.version == then.version + more and (now.rows, now.identity) == (then.rows, then.identity)
    query, weights = others[3].vectors[:1], branch_weights(0.4, 2)
    wanted = [line[1] for line in oracle([*stored[:60], *others], query, weights)[:10]]
    for _ in range(3):  # the first ones compare every row
        hits = search(place, space, query, weights, 10)
        assert names(place, space, hits) == wanted
        codes.wait()
    assert not hits.proven


@pytest.mark.parametrize("kind", ["duckdb", pytest.param("pgvector", marks=pytest.mark.postgres)])
def test_an_index_of_a_version_before_has_no_identity_until_it_is_pushed_to_and_loses_nothing(
    kind, tmp_path, request
):
    url = f"duckdb:{tmp_path / 'i.duckdb'}" if kind == "duckdb" else request.getfixturevalue("pgvector_url")
    space, stored = space_of(), items(60, space_of())
    place = filled(open_place(url, read_only=False), stored[:50], space)
    place.keep_measured(space, EVERY_ROW)
    with place.transaction() as connection:
        place.run(connection, "ALTER TABLE mvr_indexes DROP COLUMN identity")
        place.run(connection, "ALTER TABLE mvr_indexes DROP COLUMN stamp")
        place.run(connection, f"ALTER TABLE mvr_changes_{space.key} DROP COLUMN stamp")
    place.close()
    reader = open_place(url)
    before = reader.holding(space)
    coded_before = KeptCodes(reader, least_rows=1)
    coded_before.read(space, before)
    reader.finder = coded_before
    assert before.identity == "" and before.items == 50
    assert_as_the_oracle(reader, space, stored[:50])
    if kind == "duckdb":
        reader.close()
    place = open_place(url, read_only=False)
    place.announce(space, 50)
    drawn = place.holding(space)
    assert drawn == dataclasses.replace(before, identity=drawn.identity)
    place.announce(space, 60)
    place.write(space, stored[50:])
    assert place.holding(space).identity == drawn.identity != ""
    searching = place if kind == "duckdb" else reader  # a page that ran meanwhile
    query, weights = unit((1, 2, 16), 7), branch_weights(0.4, 2)
    hits = search(searching, space, query, weights, 10)
    assert names(searching, space, hits) == [line[1] for line in oracle(stored, query, weights)[:10]]
    place.close()


def test_what_is_not_measured_or_small_or_without_faiss_compares_every_row(monkeypatch):
    space, place = space_of(), filled(MemoryPlace(), items(30, space_of()), space_of())
    query, weights = unit((1, 2, 16), 7), branch_weights(0.4, 2)
    place.finder = KeptCodes(place, least_rows=1)
    assert search(place, space, query, weights, 5).proven  # not measured
    place.keep_measured(space, EVERY_ROW)
    place.finder = KeptCodes(place)
    assert search(place, space, query, weights, 5).proven  # 75 rows
    monkeypatch.setattr("mvr.index.remote.codes.has", lambda package: package != "faiss")
    monkeypatch.setattr("mvr.config.extras.has", lambda package: package != "faiss")
    place.finder = KeptCodes(place, least_rows=1)
    assert search(place, space, query, weights, 5).proven
    with pytest.raises(ExtraMissing, match="needs faiss"):
        place.finder.read(space, place.holding(space))


def test_a_place_that_is_lost_while_codes_are_read_is_one_line_of_the_log(monkeypatch, caplog):
    space, place = space_of(), filled(MemoryPlace(), items(30, space_of()), space_of())
    place.keep_measured(space, EVERY_ROW)
    place.finder = codes = KeptCodes(place, least_rows=1)

    def lost(*_: object) -> None:
        raise IndexUnreachable("the index does not answer (gone); nothing was lost")

    monkeypatch.setattr(place, "changes", lost)
    with caplog.at_level(logging.WARNING):
        assert search(place, space, unit((1, 2, 16), 7), branch_weights(0.4, 2), 5).proven
        codes.wait()
    assert [record.message for record in caplog.records if record.name == "mvr.index.remote.codes"] == [
        "codes of the index were not read, every row is compared: the index does not answer (gone); nothing was lost"
    ]


def test_codes_are_made_anew_once_most_of_their_rows_are_gone():
    space, stored = space_of(), items(1200, space_of())
    place = filled(MemoryPlace(), stored, space)
    codes = coded(place, space)
    place.remove(space, [item.id for item in stored[100:]])
    left = stored[:100]
    assert_as_the_oracle(place, space, left)  # followed: most codes are of rows that are gone
    codes.wait()
    assert codes.size_bytes < 10_000 * 80  # of 250 rows, not of 3,000
    assert_as_the_oracle(place, space, left)


@pytest.mark.postgres
def test_the_graphs_that_codes_are_compared_with_find_the_best_and_no_scan_answers(pgvector_url):
    space, stored = space_of(), items(300, space_of())
    place = filled(open_place(pgvector_url), stored, space)
    graphs = Graphs(place, space)
    assert graphs.build() == ""
    effort = graphs.calibrate(unit((4, 2, 16), 5))
    for alpha in ALPHAS:
        weights, query = branch_weights(alpha, 2), unit((1, 2, 16), 6)
        best = {line[1] for line in oracle(stored, query, weights)[:10]}
        found = {f"item{number:04d}" for number in graphs.find(query[0], weights, effort, 10)}
        assert len(best & found) >= 9
    with place.transaction() as connection:
        for setting in graphs._settings(100):
            connection.execute(f"SET LOCAL {setting}")
        plan = connection.execute(
            f"EXPLAIN SELECT * FROM mvr_segments_{space.key} ORDER BY {graphs._vector(1)} <#> %s LIMIT 100",
            [place.vector_value(unit((16,), 3))],
        ).fetchall()
    assert any("peer_graph_1" in line[0] for line in plan)
