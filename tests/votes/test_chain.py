"""A vote that is changed or removed behind the program's back shows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from mvr.__main__ import app
from mvr.errors import DataError
from mvr.votes.chain import broken_links
from mvr.votes.records import Vote
from mvr.votes.store import VoteStore


@pytest.fixture
def chained(sqlite_url, make_battle, make_vote):
    with VoteStore.open(sqlite_url) as store:
        battles = [make_battle(voter) for voter in ("anna", "bert", "anna", "anna")]
        store.add(*battles)
        for battle in battles:
            store.cast(make_vote(battle))
        yield store


def test_untouched_votes_follow_each_other(chained, sqlite_url):
    assert broken_links(chained) == []
    done = CliRunner().invoke(app, ["votes", "verify", "--db", sqlite_url])
    assert done.exit_code == 0 and "as it was cast" in done.stdout


@pytest.mark.parametrize("change", ["UPDATE vote SET outcome = 'right' WHERE", "DELETE FROM vote WHERE"])
def test_a_change_behind_the_back_shows_in_the_next_vote(chained, sqlite_url, change):
    votes = [vote for vote in chained.rows(Vote) if vote.voter_id == "anna"]
    chained.write(lambda connection: connection.execute(sa.text(f"{change} vote_id = '{votes[0].vote_id}'")))
    assert broken_links(chained) == [votes[1].vote_id]
    done = CliRunner().invoke(app, ["votes", "verify", "--db", sqlite_url])
    assert isinstance(done.exception, DataError) and votes[1].vote_id in str(done.exception)
