"""The store's contract on SQLite and, marked, on a real PostgreSQL server."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from mvr.errors import DataError, NotSaved, UsageError, VoteRefused
from mvr.votes import schema
from mvr.votes.ids import new_id
from mvr.votes.records import Battle, Flag, Judgment, Outcome, Vote
from mvr.votes.store import VoteStore, append, row_hash


def test_records_come_back_as_they_went_in(store, make_battle, make_vote, consent):
    battle = make_battle(query_genre="rock", query_sha256="0" * 64)
    vote = make_vote(battle, reasons='["mood"]')
    store.add(battle, consent())
    stored = store.cast(vote)
    assert store.rows(Battle) == [dataclasses.replace(battle, sequence=1)]
    assert store.rows(Vote) == [stored] == [dataclasses.replace(vote, prev_hash=stored.prev_hash, sequence=1)]


def test_a_battle_takes_one_vote_whoever_sends_it(store, make_battle, make_vote):
    battle = make_battle()
    store.add(battle)
    store.cast(make_vote(battle))
    with pytest.raises(VoteRefused, match="already voted"):
        store.cast(make_vote(battle, "right"))
    assert [vote.outcome for vote in store.rows(Vote)] == ["left"]


def test_twenty_threads_cast_one_vote(store, make_battle, make_vote):
    battle = make_battle()
    store.add(battle)
    saved, refused = [], []

    def cast():
        try:
            saved.append(store.cast(make_vote(battle)))
        except VoteRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=cast) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 1 and len(refused) == 19 and store.rows(Vote) == saved


def test_a_failed_transaction_leaves_nothing(store, make_battle, consent):
    with pytest.raises(ZeroDivisionError):
        store.write(lambda connection: append(connection, [make_battle()]) or 1 / 0)
    assert store.count(Battle) == 0
    store.add(consent())  # the writer goes on


def test_votes_are_chained_per_voter(store, make_battle, make_vote):
    battles = [make_battle(voter) for voter in ("anna", "bert", "anna", "anna")]
    store.add(*battles)
    votes = [store.cast(make_vote(battle)) for battle in battles]
    assert [bool(vote.prev_hash) for vote in votes] == [False, False, True, True]
    assert votes[2].prev_hash == row_hash(votes[0].to_row()) and votes[3].prev_hash == row_hash(
        votes[2].to_row()
    )


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"outcome": "both_bad"}, True),
        ({"outcome": "skip"}, False),
        ({"listen_left_ms": 4999}, False),
        ({"consent_version": "2"}, False),
        ({"voter_id": "bert"}, False),
    ],
)
def test_only_eligible_votes_count(store, make_battle, make_vote, consent, change, counts):
    battle = make_battle()
    store.add(battle, consent())
    store.cast(make_vote(battle, **change))
    assert len(store.counted()) == counts


@pytest.mark.parametrize("change", [{"kind": "gold", "gold_answer": "left"}, {"kind": "repeat"}])
def test_checks_do_not_count(store, make_battle, make_vote, consent, change):
    battle = make_battle(**change)
    store.add(battle, consent())
    store.cast(make_vote(battle))
    assert store.counted() == []


def test_an_undone_vote_does_not_count_and_is_still_there(store, make_battle, make_vote, consent):
    battle = make_battle()
    store.add(battle, consent())
    vote = store.cast(make_vote(battle))
    undo = dataclasses.replace(vote, vote_id=new_id(), kind="undo", undoes=vote.vote_id)
    store.cast(undo)
    assert store.counted() == [] and store.count(Vote) == 2
    with pytest.raises(VoteRefused):
        store.cast(dataclasses.replace(undo, vote_id=new_id(), attempt=1))


@pytest.mark.parametrize("kind", ["vote", "battle", "voter"])
def test_the_newest_verdict_of_each_rule_is_in_force(store, make_battle, make_vote, consent, kind):
    battle = make_battle()
    store.add(battle, consent())
    target = {"vote": store.cast(make_vote(battle)).vote_id, "battle": battle.battle_id, "voter": "anna"}[
        kind
    ]
    for verdicts, counts in (("exclude", 0), ("clear", 1), ("exclude", 0)):
        store.add(Flag(target_kind=kind, target_id=target, rule_id="one", verdict=verdicts))
        assert len(store.counted()) == counts
    store.add(Flag(target_kind=kind, target_id=target, rule_id="two", verdict="clear"))
    assert store.counted() == [] and store.excluded(kind) == {"one": {target}}


def test_forget_me_takes_votes_out_of_the_count_and_cuts_the_login(store, make_battle, make_vote, consent):
    battles = [make_battle(), make_battle("bert")]
    store.add(*battles, consent(), consent("bert"))
    assert store.voter_of_account("mac", "anna") == "anna" == store.voter_of_account("mac", "new")
    for battle in battles:
        store.cast(make_vote(battle))
    assert store.forget("anna") == 1
    assert [row["voter_id"] for row in store.counted()] == ["bert"]
    assert store.voter_of_account("mac", "new") == "new"
    assert store.count(Vote) == 2  # tombstones, until the operator purges
    assert store.purge() == 4
    assert {row.voter_id for kind in (Battle, Vote) for row in store.rows(kind)} == {"bert"}
    assert [flag.target_id for flag in store.rows(Flag)] == ["anna"]


def test_a_purge_keeps_judgments_of_others(store, make_battle, consent):
    battle = make_battle()
    judgment = Judgment(
        battle_id=battle.battle_id,
        direction="v2m",
        query_id="q",
        item_id="i",
        item_group_id="g",
        grade=2,
        guideline_version="1",
        pool_version="1",
        voter_id="bert",
        session_id="s",
        consent_version="1",
    )
    store.add(battle, judgment)
    store.forget("anna")
    store.purge()
    assert store.rows(Judgment) == [dataclasses.replace(judgment, battle_id=None, sequence=1)]


def test_the_migrations_build_exactly_the_schema(url):
    with VoteStore.open(url) as store:
        store.read(
            lambda connection: check_no_difference(
                compare_metadata(MigrationContext.configure(connection), schema.METADATA)
            )
        )
        view = sa.text(f"SELECT * FROM {schema.COUNTED_VOTE}")
        columns = store.read(lambda connection: list(connection.execute(view).keys()))
    assert "left_alpha" in columns and len(columns) == len(set(columns))


def test_the_migrations_build_the_views_that_the_schema_shows(tmp_path):
    query = sa.text("SELECT sql FROM sqlite_master WHERE type = 'view'")
    with VoteStore.open(f"sqlite:///{tmp_path / 'votes.db'}") as store:
        built = store.read(lambda connection: list(connection.execute(query).scalars()))
    shown = (
        *(schema.EXCLUDED_SQL, schema.COUNTED_VOTE_SQL),
        *(schema.EXCLUDED_V1_SQL, schema.COUNTED_VOTE_V1_SQL),
    )
    assert {" ".join(view.split()) for view in built} == {" ".join(view.split()) for view in shown}


def check_no_difference(differences):
    assert differences == []


def test_opening_twice_migrates_once(url, make_battle):
    with VoteStore.open(url) as store:
        store.add(make_battle())
    with VoteStore.open(url) as store:
        assert store.count(Battle) == 1


def test_a_store_of_a_newer_program_is_refused(url):
    with VoteStore.open(url) as store:
        store.write(
            lambda connection: connection.execute(sa.text("UPDATE alembic_version SET version_num='9999'"))
        )
    with pytest.raises(DataError, match="newer than this program"):
        VoteStore.open(url)


def test_reading_does_not_wait_for_a_writer(store, make_battle):
    store.add(make_battle())
    inside, go_on = threading.Event(), threading.Event()

    def slow(connection):
        append(connection, [make_battle()])
        inside.set()
        assert go_on.wait(120)

    writer = threading.Thread(target=store.write, args=(slow,))
    writer.start()
    assert inside.wait(120)
    assert store.count(Battle) == 1
    go_on.set()
    writer.join()
    assert store.count(Battle) == 2


@pytest.mark.parametrize("bad", ["mysql://h/d", "sqlite://", "sqlite:///:memory:", "no:such://url"])
def test_other_databases_are_refused(bad):
    with pytest.raises(UsageError):
        VoteStore.open(bad)


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path):
    file = tmp_path / "votes.sqlite"
    file.write_bytes(b"x" * 4096)
    with pytest.raises(NotSaved, match="not a database"):
        VoteStore.open(file)
    assert file.read_bytes() == b"x" * 4096


def test_sqlite_waits_for_the_disk_at_every_commit(sqlite_url):
    with VoteStore.open(sqlite_url) as store:

        def pragma(name):
            return store.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar())

        assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_row_with_nan_is_refused(make_battle, value):
    with pytest.raises(DataError, match="finite"):
        make_battle(pair_prob=value)


def test_a_misspelt_outcome_is_refused(make_battle, make_vote):
    with pytest.raises(DataError, match=", ".join(Outcome)):
        make_vote(make_battle(), "Left")


def test_ids_sort_by_the_time_they_were_made():
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(ids) and len(set(ids)) == 5000


def test_a_visitor_reads_no_host_and_no_user_of_the_database(monkeypatch, caplog):
    """What the server's driver says goes to the operator's log."""
    with pytest.raises(NotSaved, match="did not answer as it should") as told:
        VoteStore.open("postgresql://keeper:secret@db-internal.invalid:5432/votes")
    assert "db-internal" not in str(told.value) and "keeper" not in str(told.value)
    assert "db-internal" in caplog.text
