"""Copies of votes: a backup while they are written, a file copied alone, a folder that can only be read."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mvr.errors import DataError, NotSaved, OutputRefused, UsageError
from mvr.votes.copies import back_up, note_on_nothing, open_to_read
from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore


def vote(store: VoteStore, number: int) -> None:
    sides = [Side(system_id=n, system_version="1", item_id=n, item_group_id=n) for n in ("a", "b")]
    battle = Battle(
        voter_id="v", session_id="s", direction="v2m", query_id="q", query_group_id="q", left=sides[0], right=sides[1],
        pool_version="1", pool_size=9, policy_id="uniform-v1", pair_prob=1.0, seed=number, ui_version="1",
    )  # fmt: skip
    store.add(battle)
    heard = {"listen_left_ms": 5000, "listen_right_ms": 5000}
    store.cast(
        Vote(
            battle_id=battle.battle_id,
            voter_id="v",
            session_id="s",
            consent_version="1",
            outcome="left",
            **heard,
        )
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "votes.sqlite"


@pytest.fixture
def store(path: Path):
    """A server that has its votes open."""
    with VoteStore.open(path) as opened:
        opened.add(Consent(voter_id="v", session_id="s", version="1", text_sha256="0"))
        for number in range(5):
            vote(opened, number)
        yield opened


def test_a_backup_holds_every_vote_while_the_server_runs_and_stands_alone(
    store: VoteStore, path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sqlite"
    assert back_up(path, copy) == 5
    vote(store, 9)
    assert store.count(Vote) == 6
    moved = copy.rename(tmp_path / "moved.sqlite")
    assert sorted(p.name for p in tmp_path.glob("*copy*")) == []
    with open_to_read(moved) as other:
        assert (
            other.count(Vote) == 5
            and [v.vote_id for v in other.rows(Vote)] == [v.vote_id for v in store.rows(Vote)][:5]
        )


def test_a_file_copied_alone_is_said_to_be_so(store: VoteStore, path: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(path, tmp_path / "alone.sqlite"))
    before = alone.read_bytes()
    with (
        pytest.raises(DataError, match=r"holds no votes; .*alone\.sqlite-wal .*mvr votes backup"),
        open_to_read(alone),
    ):
        pass
    with pytest.raises(DataError, match="holds no votes"):
        back_up(alone, tmp_path / "copy.sqlite")
    assert alone.read_bytes() == before and not (tmp_path / "copy.sqlite").exists(), (
        "reading makes no tables in it"
    )


def test_a_store_without_votes_has_its_sentence(tmp_path: Path) -> None:
    with VoteStore.open(tmp_path / "new.sqlite"):
        pass
    with open_to_read(tmp_path / "new.sqlite") as empty:
        assert "if it was copied while a server was running" in note_on_nothing(empty)


def test_what_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database" * 100)
    with pytest.raises(DataError, match="cannot be read as votes"), open_to_read(tmp_path / "text.sqlite"):
        pass
    with pytest.raises(UsageError, match="there are no votes at"), open_to_read(tmp_path / "none.sqlite"):
        pass
    with pytest.raises(UsageError, match="pg_dump"):
        back_up("postgresql://host/name", tmp_path / "copy.sqlite")


def test_a_backup_that_cannot_be_written_leaves_nothing(store: VoteStore, path: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputRefused, match="no such folder does not exist"):
        back_up(path, tmp_path / "no such folder" / "copy.sqlite")
    (tmp_path / "copies" / "copy.sqlite").mkdir(parents=True)
    with pytest.raises(NotSaved, match="could not be copied"):
        back_up(path, tmp_path / "copies" / "copy.sqlite")
    assert [each.name for each in (tmp_path / "copies").iterdir()] == ["copy.sqlite"]
    assert back_up(path, tmp_path / "copy.sqlite") == 5
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
