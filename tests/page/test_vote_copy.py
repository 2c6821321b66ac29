"""What the page says of saved votes and of their copy to a dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvr.page.voting import vote_copy
from mvr.page.voting.vote_copy import VARIABLE, VoteCopy
from mvr.votes.hub import SyncStatus
from mvr.votes.store import VoteStore


@pytest.fixture
def store(tmp_path: Path):
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        yield store


class Hub:
    """A copy with a status that tests set."""

    status = SyncStatus()

    def __init__(self, *_: object) -> None:
        self.started = self.closed = False

    def start(self) -> None:
        self.started = True

    def close(self) -> None:
        self.closed = True


def test_without_a_dataset_only_the_number_is_said(store, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert VoteCopy(store).words() == "Votes saved on this server: 0."


def test_the_last_copy_and_a_failure_are_said(store, monkeypatch):
    monkeypatch.setenv(VARIABLE, "anna/votes")
    monkeypatch.setattr(vote_copy, "HubCopy", Hub)
    copy = VoteCopy(store)
    assert copy._hub.started and copy.words().count(".") == 1
    monkeypatch.setattr(
        Hub, "status", SyncStatus(last_sync_ms=1_700_000_000_000, last_error="no", waiting_rows=3)
    )
    assert "Last copied at 22:13 UTC. The last copy failed; 3 rows wait" in copy.words()
    copy.close()
    assert copy._hub.closed


def test_a_copy_that_cannot_begin_does_not_stop_the_voting(store, monkeypatch):
    def refuse(*_: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setenv(VARIABLE, "anna/votes")
    monkeypatch.setattr(vote_copy, "HubCopy", refuse)
    assert "could not start" in VoteCopy(store).words()
