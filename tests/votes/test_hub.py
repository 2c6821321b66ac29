"""Copies to a dataset, offline: a stand-in takes the place of the scheduler that talks to the Hub."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
import yaml

from mvr.errors import UsageError
from mvr.votes.formats.tables import import_tables, read_tables
from mvr.votes.hub import HubCopy
from mvr.votes.records import Flag, Vote
from mvr.votes.store import VoteStore


class StandIn:
    """Behaves as `CommitScheduler`: sends files that it has not sent, forgets nothing that failed."""

    def __init__(self, **options):
        self.options, self.lock = options, threading.Lock()
        self.sent, self.broken, self.stopped = set(), False, False
        self.asked = threading.Event()

    def trigger(self):
        self.asked.set()
        done = Future()
        if self.broken:
            done.set_exception(ConnectionError("no network\nmore"))
        else:
            self.sent |= set(self.options["folder_path"].rglob("*.jsonl"))
            done.set_result(None)
        return done

    def stop(self):
        self.stopped = True


@pytest.fixture
def copy(sqlite_url, tmp_path, make_battle, make_vote, consent):
    with VoteStore.open(sqlite_url) as store:
        made = []
        copy = HubCopy(
            store,
            tmp_path / "waiting",
            "anna/votes",
            create_scheduler=lambda **o: made.append(StandIn(**o)) or made[0],
        )
        battle = make_battle()
        store.add(battle, consent())
        store.cast(make_vote(battle))
        yield copy, made[0], store


def test_the_dataset_is_private_and_files_have_fresh_names(copy):
    hub, scheduler, _ = copy
    assert scheduler.options["private"] is True and scheduler.options["repo_type"] == "dataset"
    status = hub.push()
    assert status.last_sync_ms is not None and status.waiting_rows == 0 and not status.last_error
    assert {path.parent.name for path in scheduler.sent} == {"battle", "vote", "consent"}
    assert all(len(path.stem) == 36 for path in scheduler.sent)


def test_the_card_says_what_is_there_what_does_not_count_and_under_which_licence(copy, tmp_path):
    hub, _, store = copy
    store.add(Flag(target_kind="vote", target_id=store.rows(Vote)[0].vote_id, rule_id="rate-minute"))
    hub.push()
    front, _, body = (tmp_path / "waiting" / "README.md").read_text().removeprefix("---\n").partition("---\n")
    settings = yaml.safe_load(front)
    assert settings["license"] == "cc-by-4.0"
    files = {one["config_name"]: one["data_files"] for one in settings["configs"]}
    assert set(files) == {"battle", "vote", "flag", "consent"}
    assert all(list((tmp_path / "waiting").glob(pattern)) for pattern in files.values())
    assert "- rate-minute: 1" in body and "| `vote` | 1 |" in body and "keep this dataset private" in body


def test_only_new_rows_are_written(copy, make_battle, consent):
    hub, scheduler, store = copy
    hub.push()
    first = set(scheduler.sent)
    hub.push()
    assert scheduler.sent == first
    store.add(make_battle())
    hub.push()
    assert [path.parent.name for path in scheduler.sent - first] == ["battle"]


def test_a_failure_is_shown_and_its_rows_go_with_the_next_push(copy, tmp_path):
    hub, scheduler, store = copy
    scheduler.broken = True
    status = hub.push()
    assert (status.failures, status.waiting_rows, status.last_sync_ms) == (1, 3, None)
    assert status.last_error == "ConnectionError: no network"
    assert hub.push().waiting_rows == 3 and hub.status.failures == 2
    scheduler.broken = False
    assert hub.push().waiting_rows == 0 and hub.status.last_error == ""
    with VoteStore.open(tmp_path / "back.sqlite") as back:
        import_tables(back, tmp_path / "waiting" / "data")
        assert read_tables(back) == read_tables(store)


def test_a_restarted_copy_sends_rows_again_and_the_import_takes_each_once(copy, tmp_path):
    hub, _, store = copy
    hub.push()
    HubCopy(store, tmp_path / "waiting", "anna/votes", create_scheduler=StandIn).push()
    with VoteStore.open(tmp_path / "back.sqlite") as back:
        assert import_tables(back, tmp_path / "waiting" / "data")["vote"] == (1, 0)


def test_it_pushes_in_the_background_until_closed(copy):
    hub, scheduler, _ = copy
    hub.start(every_s=0.01)
    assert scheduler.asked.wait(120)
    hub.close()  # lets a push that has begun come to its end
    assert scheduler.sent and scheduler.stopped and hub.status.last_sync_ms is not None


def test_a_dataset_needs_an_owner(sqlite_url, tmp_path):
    with VoteStore.open(sqlite_url) as store, pytest.raises(UsageError, match="owner/name"):
        HubCopy(store, tmp_path / "w", "votes", create_scheduler=StandIn)
