"""What goes out comes in again, to the last bit, in every format; odd files are refused with the line that is odd."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvr.errors import DataError
from mvr.votes.formats.tables import (
    Format,
    column_types,
    export_tables,
    import_tables,
    load_tables,
    read_tables,
    write_tables,
)
from mvr.votes.formats.trec import import_qrels, import_runs, read_qrels, read_run, write_qrels, write_run
from mvr.votes.records import RECORDS, Battle, Flag, Judgment, PoolItem, Record, Vote
from mvr.votes.store import VoteStore

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=False, allow_infinity=False)
BASE = {str: TEXT, int: WHOLE, float: REAL}


def rows_of(record: type[Record]) -> st.SearchStrategy:
    columns = {}
    for name, (kind, null) in column_types(record).items():
        values = BASE[kind]
        if name in record.choices:
            values = st.sampled_from(record.choices[name])
        if (record, name) == (Judgment, "grade"):
            values = st.sampled_from([0, 1, 2, 3])
        columns[name] = st.none() | values if null else values
    return st.lists(st.fixed_dictionaries(columns), max_size=4, unique_by=repr)


TABLES = st.fixed_dictionaries({record.table: rows_of(record) for record in RECORDS})


@pytest.mark.parametrize("kind", list(Format))
@given(tables=TABLES)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_any_rows_come_back_as_they_went_out(kind, tables):
    with tempfile.TemporaryDirectory() as folder:
        write_tables(tables, Path(folder), kind)
        assert load_tables(Path(folder)) == tables


@pytest.fixture
def filled(store, make_battle, make_vote, consent) -> VoteStore:
    import dataclasses

    from mvr.votes.ids import new_id

    battles = [make_battle(query_genre=genre) for genre in ("rock", None, 'a "quoted", name')]
    store.add(*battles, consent(), Flag(target_kind="vote", target_id="x", rule_id="r"))
    votes = [store.cast(make_vote(battle)) for battle in battles]
    store.cast(dataclasses.replace(votes[0], vote_id=new_id(), kind="undo", undoes=votes[0].vote_id))
    return store


@pytest.mark.parametrize("kind", list(Format))
def test_a_store_that_is_exported_and_imported_is_the_same(filled, tmp_path, kind):
    export_tables(filled, tmp_path / "out", kind)
    with VoteStore.open(tmp_path / "copy.sqlite") as copy:
        added = import_tables(copy, tmp_path / "out")
        assert added["vote"] == (4, 0) and added["battle"] == (3, 0)
        assert read_tables(copy) == read_tables(filled) and copy.counted() == filled.counted()
        assert import_tables(copy, tmp_path / "out")["vote"] == (0, 4)
        files = export_tables(copy, tmp_path / "again", kind)
    for file in files:
        assert file.read_bytes() == (tmp_path / "out" / file.name).read_bytes()


def test_withdrawn_voters_are_not_exported_and_stay_forgotten(filled, make_battle, tmp_path):
    filled.add(make_battle("bert"))
    filled.forget("anna")
    export_tables(filled, tmp_path, Format.JSONL)
    assert {row["voter_id"] for row in load_tables(tmp_path)["battle"]} == {"bert"}
    text = "".join(path.read_text() for path in tmp_path.glob("*.jsonl") if path.stem != "flag")
    assert "anna" not in text


def test_a_row_that_differs_from_the_one_in_the_store_stops_the_import(filled, tmp_path):
    export_tables(filled, tmp_path, Format.JSONL)
    file = tmp_path / "vote.jsonl"
    file.write_text(file.read_text().replace('"left"', '"right"', 1))
    with pytest.raises(DataError, match="with another outcome; nothing was imported"):
        import_tables(filled, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("flag.jsonl", "{}\n", "wrong columns"),
        ("flag.jsonl", "[1]\n", "wrong columns"),
        ("flag.jsonl", "{\n", "line 1 is not JSON"),
        ("flag.csv", "a,b\n", "wrong columns"),
        ("flag.csv", "", "wrong columns"),
        ("flag.parquet", "PAR1", "not a readable Parquet"),
    ],
)
def test_odd_files_are_refused(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        load_tables(tmp_path)


def test_a_value_of_another_type_is_refused(filled, tmp_path):
    export_tables(filled, tmp_path, Format.CSV)
    file = tmp_path / "flag.csv"
    file.write_text(file.read_text().replace(",1,exclude", ",one,exclude"))
    with pytest.raises(
        DataError, match=r"flag.csv line 2: 'one' is not a whole number; was it changed by a spreadsheet"
    ):
        load_tables(tmp_path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_that_a_spreadsheet_saved_again_are_the_same(filled, tmp_path, delimiter, encoding):
    import csv

    export_tables(filled, tmp_path / "out", Format.CSV)
    before = load_tables(tmp_path / "out")
    for file in (tmp_path / "out").iterdir():
        with file.open(encoding="utf-8", newline="") as text:
            lines = list(csv.reader(text))
        if delimiter == ";":  # where semicolons stand between cells, commas stand in numbers
            kinds = [
                column_types(next(r for r in RECORDS if r.table == file.stem))[name][0] for name in lines[0]
            ]
            for line in lines[1:]:
                line[:] = [c.replace(".", ",") if k is float else c for c, k in zip(line, kinds, strict=True)]
        with file.open("w", encoding=encoding, newline="") as text:
            csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(lines)
    assert load_tables(tmp_path / "out") == before
    with VoteStore.open(tmp_path / "copy.sqlite") as copy:
        assert import_tables(copy, tmp_path / "out")["vote"] == (4, 0)


def test_numbers_that_a_spreadsheet_rounded_are_refused_by_their_reason(filled, tmp_path):
    export_tables(filled, tmp_path, Format.CSV)
    file = tmp_path / "flag.csv"
    lines = file.read_text().splitlines()
    column = lines[0].split(",").index("created_at_ms")
    cells = lines[1].split(",")
    file.write_text(
        "\n".join([lines[0], ",".join([*cells[:column], "1.79E+12", *cells[column + 1 :]])]) + "\n"
    )
    with pytest.raises(
        DataError, match=r"'1\.79E\+12' is not a whole number; was it changed by a spreadsheet"
    ):
        load_tables(tmp_path)


def test_an_empty_folder_and_two_formats_of_one_table_are_refused(filled, tmp_path):
    with pytest.raises(DataError, match="holds no vote tables"):
        load_tables(tmp_path)
    export_tables(filled, tmp_path, Format.CSV)
    export_tables(filled, tmp_path, Format.JSONL)
    with pytest.raises(DataError, match="keep one of them"):
        load_tables(tmp_path)


WORD = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=6)


@given(qrels=st.dictionaries(WORD, st.dictionaries(WORD, st.integers(0, 3), min_size=1), max_size=4))
@settings(deadline=None)
def test_qrels_round_trip(qrels):
    with tempfile.TemporaryDirectory() as folder:
        write_qrels(qrels, Path(folder) / "q")
        assert read_qrels(Path(folder) / "q") == qrels


def test_a_run_is_read_by_a_trusted_tool_in_the_same_order(tmp_path):
    import ir_measures

    run = {"v1": {"m3": 0.1 + 2e-9, "m1": 0.1, "m2": 0.1 - 1e-9}}
    write_run(run, "cca", tmp_path / "run")
    scored = list(ir_measures.read_trec_run(str(tmp_path / "run")))
    assert [row.doc_id for row in sorted(scored, key=lambda row: -row.score)] == ["m3", "m1", "m2"]
    assert [row.score for row in scored] == [9999, 9998, 9997]
    assert read_run(tmp_path / "run") == ("cca", {"v1": {"m3": 1, "m1": 2, "m2": 3}})
    write_qrels({"v1": {"m1": 2}}, tmp_path / "qrels")
    assert [tuple(row)[:3] for row in ir_measures.read_trec_qrels(str(tmp_path / "qrels"))] == [
        ("v1", "m1", 2)
    ]


def test_names_with_blanks_do_not_fit_into_trec_files(tmp_path):
    with pytest.raises(DataError, match="spaces"):
        write_qrels({"my video": {"m": 1}}, tmp_path / "q")


@pytest.mark.parametrize(
    ("text", "message"),
    [("a 0 b\n", "3 columns"), ("a 0 b x\n", "whole number"), ("a 0 b 1\na 0 b 2\n", "second time")],
)
def test_odd_qrels_are_refused(tmp_path, text, message):
    (tmp_path / "q").write_text(text)
    with pytest.raises(DataError, match=message):
        read_qrels(tmp_path / "q")


def test_qrels_and_runs_come_in_as_judgments_and_a_frozen_pool(store, tmp_path):
    (tmp_path / "q.qrels").write_text("v1 0 m1 3\nv1 0 m2 0\n")
    for tag, order in (("cca", "m1 m2"), ("random", "m2 m3")):
        run = {"v1": {item: -place for place, item in enumerate(order.split())}}
        write_run(run, tag, tmp_path / f"{tag}.run")
    runs = sorted(tmp_path.glob("*.run"))
    assert import_qrels(store, tmp_path / "q.qrels", pool_version="p", direction="v2m") == 2
    assert import_runs(store, runs, pool_version="p", direction="v2m") == 3
    assert {row.item_group_id: row.ranks for row in store.rows(PoolItem)} == {
        "m1": {"cca": 1},
        "m2": {"cca": 2, "random": 1},
        "m3": {"random": 2},
    }
    with pytest.raises(DataError, match="pools are frozen"):
        import_runs(store, runs, pool_version="p", direction="v2m")
    assert store.count(Vote) == store.count(Battle) == 0


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+2", "@x", "\tx", "\rx", "\\=x", "a=b"])
def test_no_cell_of_a_csv_file_begins_a_formula_and_all_come_back(tmp_path, text):
    flag = Flag(target_kind="vote", target_id=text, rule_id=text, sequence=1)
    tables = {record.table: [] for record in RECORDS} | {"flag": [flag.to_row()]}
    write_tables(tables, tmp_path, Format.CSV)
    with (tmp_path / "flag.csv").open(newline="", encoding="utf-8") as file:
        cells = next(iter(csv.DictReader(file)))
    assert not cells["target_id"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert load_tables(tmp_path)["flag"] == [flag.to_row()]


def test_a_system_that_is_named_like_a_formula_is_text_in_the_board_s_tables():
    from types import SimpleNamespace

    from mvr.arena.board.tables import RATING_COLUMNS, ratings_csv

    row = dict.fromkeys(RATING_COLUMNS, 1) | {"system": "=HYPERLINK(1)", "elo": -3.5}
    board = SimpleNamespace(sections=[{"name": "all", "rows": [row]}])
    (cells,) = csv.DictReader(io.StringIO(ratings_csv(board)))  # type: ignore[arg-type]
    assert cells["system"] == "'=HYPERLINK(1)" and cells["elo"] == "-3.5"
