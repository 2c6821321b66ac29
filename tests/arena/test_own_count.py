"""One source for all numbers of one's own votes, and for all saved ones."""

from __future__ import annotations

from dataclasses import replace

from mvr.arena.board import build_board
from mvr.arena.own_count import own_count, saved_votes
from mvr.arena.reranking.personal import usable_votes
from mvr.datatypes import Direction
from mvr.votes.ids import new_id
from mvr.votes.records import Battle, BattleKind, Consent, Flag, Side, Vote
from mvr.votes.store import VoteStore

SIDES = {
    name: Side(system_id=name, system_version="1", item_id=name, item_group_id=name)
    for name in ("left", "right")
}


def battle(number: int, **more: object) -> Battle:
    return Battle(
        **{
            "created_at_ms": 1_800_000_000_000 + number * 1000, "voter_id": "anna", "session_id": "s",
            "direction": "v2m", "query_id": "q", "query_group_id": "q", "pool_version": "1", "pool_size": 9,
            "policy_id": "p", "pair_prob": 1.0, "seed": number, "ui_version": "1", **SIDES, **more,
        }
    )  # fmt: skip


def vote(on: Battle, outcome: str = "left", **more: object) -> Vote:
    heard = {"listen_left_ms": 9000, "listen_right_ms": 9000, "created_at_ms": on.created_at_ms + 500}
    made = {"battle_id": on.battle_id, "voter_id": on.voter_id, "session_id": "s", "consent_version": "4"}
    return Vote(**{"outcome": outcome, **heard, **made, **more})


def test_every_vote_is_counted_once_and_what_it_became_is_told_when_it_is_closed(tmp_path):
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        store.add(Consent(voter_id="anna", session_id="s", version="4", text_sha256="0"))
        assert own_count(store, "anna").cast == own_count(store, "anna").closed == saved_votes(store) == 0
        battles = [
            battle(0), battle(1, direction="m2v"), battle(2), battle(3), battle(4),
            battle(5, kind=BattleKind.GOLD, gold_answer="left"), battle(6), battle(7),
        ]  # fmt: skip
        store.add(*battles)
        outcomes = ("left", "tie", "both_bad", "skip", "right", "left", "left")
        cast = [store.cast(vote(one, outcome)) for one, outcome in zip(battles, outcomes, strict=False)]
        store.add(Flag(target_kind="vote", target_id=cast[4].vote_id, rule_id="rate-minute"))
        store.cast(replace(cast[6], vote_id=new_id(), kind="undo", undoes=cast[6].vote_id, sequence=0))
        store.cast(vote(battles[0], "right", aspect="quality"))

        count = own_count(store, "anna")
        assert (count.cast, count.closed) == (6, 6)
        assert (count.counted, count.checks, count.skipped, count.set_aside) == (3, 1, 1, 1)
        assert count.teaching == {Direction.VIDEO_TO_MUSIC: 1, Direction.MUSIC_TO_VIDEO: 1}
        for direction in Direction:
            assert count.teaching[direction] == len(usable_votes(store, "anna", direction))
        tallies = build_board(store).document["votes"]
        assert saved_votes(store) == 6 == tallies["votes cast"] - tallies["votes taken back"]
        assert tallies["votes on the board"] == count.counted

        newest = store.cast(vote(battles[7]))
        assert own_count(store, "anna") == replace(count, cast=7), "what the newest was is not told yet"
        store.add(Flag(target_kind="battle", target_id=newest.battle_id, rule_id="revealed", verdict="clear"))
        assert own_count(store, "anna").counted == 4 and own_count(store, "anna").closed == 7
        store.forget("anna")
        assert own_count(store, "anna").counted == 0
