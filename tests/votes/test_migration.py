"""A store and an export of schema 1 (made at commit 2576e23, see tests/golden) open with everything they held."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from mvr.arena.board import build_board
from mvr.errors import DataError
from mvr.votes import schema
from mvr.votes.chain import broken_links
from mvr.votes.engine import create_engine, parse_url
from mvr.votes.formats.tables import Format, export_tables, import_tables, load_tables
from mvr.votes.migrations import upgrade as migrations
from mvr.votes.records import RECORDS, Battle, Consent, Vote
from mvr.votes.store import VoteStore

OLD = Path(__file__).parents[1] / "golden" / "votes_schema_1"
BOARD = json.loads((OLD / "board.json").read_text())
IDS = {record.table: record.key[0] for record in RECORDS}


def old_rows(table: str) -> list[dict]:
    return [json.loads(line) for line in (OLD / "export" / f"{table}.jsonl").read_text().splitlines()]


@pytest.fixture
def old_store(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The old store: on SQLite what the old program wrote, on PostgreSQL the same rows in the old tables."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.executescript((OLD / "votes.sql").read_text())
        connection.close()
        return url
    engine = create_engine(parse_url(url))
    with monkeypatch.context() as only_the_first, engine.begin() as connection:
        only_the_first.setattr(ScriptDirectory, "get_current_head", lambda self: "0001")
        migrations.upgrade(connection)
        for name in ("battle", "vote", "judgment", "flag", "consent", "pool_item", "participant"):
            rows = sorted(old_rows(name), key=lambda row: bool(row.get("undoes")))
            columns = ", ".join(rows[0])
            values = ", ".join(f":{column}" for column in rows[0])
            connection.execute(sa.text(f"INSERT INTO {name} ({columns}) VALUES ({values})"), rows)
    engine.dispose()
    return url


def check_kept(store: VoteStore) -> None:
    assert {row.vote_id for row in store.rows(Vote)} == {row["vote_id"] for row in old_rows("vote")}
    assert [row["vote_id"] for row in store.counted()] == BOARD["counted"]
    assert broken_links(store) == [], "hashes of old rows are over the columns of their day"
    board = build_board(store).document
    assert board["inputs"]["sha256"] == BOARD["inputs"]["sha256"]
    rows = {row["system"]: row for row in board["boards"][0]["rows"]}
    for old in BOARD["rows"]:
        for name in ("votes", "wins", "losses", "ties"):
            assert rows[old["system"]][name] == old[name]
        assert rows[old["system"]]["elo"] == pytest.approx(old["elo"], abs=1e-5)


def test_an_old_store_keeps_ids_chain_and_board(old_store):
    with VoteStore.open(old_store) as store:
        check_kept(store)
        for voter in {row.voter_id for row in store.rows(Vote)}:
            votes = sorted(store.rows(Vote, voter_id=voter), key=lambda vote: vote.sequence)
            assert [vote.sequence for vote in votes] == list(range(1, len(votes) + 1))
            assert [vote.created_at_ms for vote in votes] == sorted(vote.created_at_ms for vote in votes)
        (first, second) = sorted(store.rows(Consent, voter_id="voter-5"), key=lambda row: row.sequence)
        assert (first.decision, second.decision) == ("given", "declined")


def test_the_chain_goes_on_over_the_migration(old_store, make_battle, make_vote):
    with VoteStore.open(old_store) as store:
        battle = make_battle("voter-1")
        store.add(battle)
        newest = max(store.rows(Vote, voter_id="voter-1"), key=lambda vote: vote.sequence)
        stored = store.cast(make_vote(battle))
        assert stored.sequence == newest.sequence + 1 and stored.prev_hash and broken_links(store) == []
        store.write(
            lambda connection: connection.execute(
                sa.update(schema.VOTE).where(schema.VOTE.c.vote_id == newest.vote_id).values(outcome="skip")
            )
        )
        assert broken_links(store), "a changed row of schema 1 still shows"


def test_many_servers_that_start_at_once_migrate_once(old_store):
    stores, gate = [], threading.Barrier(4)

    def start() -> None:
        gate.wait()
        stores.append(VoteStore.open(old_store))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    check_kept(stores[0])
    for store in stores:
        store.close()


def test_an_old_export_comes_in_as_the_migrated_store(old_store, tmp_path):
    with VoteStore.open(tmp_path / "copy.sqlite") as copy, VoteStore.open(old_store) as migrated:
        import_tables(copy, OLD / "export")
        check_kept(copy)
        for record in RECORDS:
            assert copy.rows(record) == migrated.rows(record)
        assert import_tables(migrated, OLD / "export")["vote"] == (0, len(old_rows("vote")))


def test_an_old_csv_has_its_old_columns(tmp_path):
    rows = old_rows("consent")
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    (tmp_path / "consent.csv").write_text("\n".join(lines) + "\n")
    assert len(load_tables(tmp_path)["consent"]) == len(rows)
    (tmp_path / "consent.csv").write_text("\n".join(lines).replace(",voter_id,", ",voter,") + "\n")
    with pytest.raises(DataError, match="wrong columns"):
        load_tables(tmp_path)


def test_an_older_program_refuses_the_new_store_in_one_sentence(url, monkeypatch):
    VoteStore.open(url).close()
    real = ScriptDirectory.walk_revisions
    monkeypatch.setattr(
        ScriptDirectory, "walk_revisions", lambda self: [one for one in real(self) if one.revision == "0001"]
    )
    monkeypatch.setattr(ScriptDirectory, "get_current_head", lambda self: "0001")
    with pytest.raises(
        DataError, match=r"has schema 0002, newer than this program; install the newer version"
    ):
        VoteStore.open(url)


SESSIONS = OLD.parent / "votes_schema_1_sessions"
SENT = json.loads((SESSIONS / "board.json").read_text())


@pytest.fixture
def store_of_words(url: str, tmp_path: Path) -> str:
    """An old store whose session ids are what clients chose; PostgreSQL cannot hold all of them."""
    file = tmp_path / "old.sqlite"
    file.write_bytes(gzip.decompress((SESSIONS / "votes.sqlite.gz").read_bytes()))
    if url.startswith("sqlite"):
        return f"sqlite:///{file}"
    old, engine = sqlite3.connect(file), create_engine(parse_url(url))
    with pytest.MonkeyPatch.context() as only_the_first, engine.begin() as connection:
        only_the_first.setattr(ScriptDirectory, "get_current_head", lambda self: "0001")
        migrations.upgrade(connection)
        for name in ("battle", "vote", "judgment", "consent"):
            found = old.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in found.description]
            rows = [dict(zip(columns, row, strict=True)) for row in found]
            rows = [row for row in rows if "\0" not in row["session_id"]]
            values = ", ".join(f":{column}" for column in columns)
            connection.execute(sa.text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({values})"), rows)
    engine.dispose()
    old.close()
    return url


def check_words(store: VoteStore, sent: list[str]) -> None:
    """Sessions are words that no database or spreadsheet minds, still one per session, and the chain is what it was."""
    sessions = {row.voter_id: row.session_id for row in store.rows(Consent)}
    assert len(set(sessions.values())) == len(sent)
    for number, session in enumerate(SENT["sessions"]):
        if session in sent:
            plain = session == "plain-1"
            assert sessions[f"voter-{number}"] == (session if plain else f"hex:{session.encode().hex()}")
    assert {row.session_id for row in (*store.rows(Vote), *store.rows(Battle))} == set(sessions.values())
    assert broken_links(store) == []


def test_session_ids_that_were_free_text_become_plain_words_and_the_chain_holds(store_of_words, tmp_path):
    with_nul = store_of_words.startswith("sqlite")
    sent = [session for session in SENT["sessions"] if with_nul or "\0" not in session]
    with VoteStore.open(store_of_words) as store:
        check_words(store, sent)
        if with_nul:
            assert [row["vote_id"] for row in store.counted()] == SENT["counted"]
            assert build_board(store).document["inputs"]["sha256"] == SENT["sha256"]
        export_tables(store, tmp_path / "csv", Format.CSV)
        kept = store.rows(Vote)
    for file in (tmp_path / "csv").iterdir():
        with file.open(newline="") as cells:
            risky = [
                cell for line in csv.reader(cells) for cell in line if cell.startswith(tuple("=+-@\t\r"))
            ]
        assert not risky and "\\0" not in file.read_text(), "no formula, and nothing is left to escape"
    with VoteStore.open(store_of_words) as again:
        assert again.rows(Vote) == kept, "it is migrated once"


def test_votes_with_nul_bytes_move_to_postgresql_from_a_store_and_from_an_old_table(url, tmp_path):
    """What broke the move: PostgreSQL has no NUL."""
    (tmp_path / "old.sqlite").write_bytes(gzip.decompress((SESSIONS / "votes.sqlite.gz").read_bytes()))
    with VoteStore.open(tmp_path / "old.sqlite") as old:
        export_tables(old, tmp_path / "export", Format.JSONL)
    with VoteStore.open(url) as store:
        import_tables(store, SESSIONS / "csv")
        check_words(store, SENT["sessions"])
        assert import_tables(store, tmp_path / "export")["vote"] == (0, 24), "both ways give the same rows"
        assert build_board(store).document["inputs"]["sha256"] == SENT["sha256"]


def test_order_is_by_number_not_by_the_clocks_of_two_servers(store, make_battle, make_vote):
    """Two servers whose clocks are three seconds apart write in turns."""
    now = 1_800_000_000_000
    battles = [make_battle() for _ in range(10)]
    store.add(*battles)
    for turn, battle in enumerate(battles):
        store.cast(make_vote(battle, created_at_ms=now + 1000 * turn - 3000 * (turn % 2)))
    assert broken_links(store) == []
