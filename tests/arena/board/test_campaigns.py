"""New voters are counted together: campaigns are set aside as a whole, a class behind one address is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.votes.__main__ import main
from eval.votes.attack import STRENGTHS, TASTE_SD, Crowd, Voter, cast, honest_crowd, run_seed
from mvr.arena.board import build_board
from mvr.arena.board.cache import BoardCache
from mvr.arena.board.exclusion import excluded_voters, judge_voters, kept_rows
from mvr.arena.board.inputs import read_input
from mvr.arena.board.source import open_votes
from mvr.arena.board.tables import report
from mvr.arena.history import Policies
from mvr.arena.policy import PolicySettings
from mvr.datatypes import Direction
from mvr.metrics.preference import PairVotes, fit_davidson
from mvr.votes.formats.publish import publishable
from mvr.votes.formats.tables import Format, export_tables, import_tables, read_tables, write_tables
from mvr.votes.ids import new_id
from mvr.votes.records import Battle, Consent, Flag, Side, Vote
from mvr.votes.store import VoteStore

DAY_MS = 86_400_000


@pytest.mark.parametrize("seed", [7, *(pytest.param(n, marks=pytest.mark.slow) for n in range(6))])
def test_no_attack_moves_a_system_by_half_of_its_interval(seed):
    rows = run_seed(seed)
    assert len({row["attack"] for row in rows}) == 7
    for row in rows:
        assert max(row["share_of_width"].values()) < 0.5, row
        assert row["lost"] <= 0.05, row
    known = rows[0]
    assert known["caught"] >= 0.9 and known["share_without_campaigns"]["random"] > 1


@pytest.mark.parametrize("company", [True, False])
def test_a_class_of_sixty_behind_one_address_keeps_its_votes(company):
    crowd, honest = honest_crowd(3)
    if not company:
        crowd = Crowd(random.Random(3))
    for number in range(60):
        taste = {name: crowd.rng.gauss(0, TASTE_SD) for name in STRENGTHS}
        cast(crowd, Voter(f"class-{number}", "school", 3, taste, honest), 15)
    barred = set().union(*excluded_voters(crowd.data()).values())
    votes = [row["voter_id"] for row in crowd.rows if row["voter_id"].startswith("class")]
    assert sum(voter not in barred for voter in votes) >= 0.95 * len(votes) == 855


def test_one_attacker_in_a_class_does_not_take_the_class_along():
    crowd, honest = honest_crowd(4)
    for number in range(30):
        taste = {name: crowd.rng.gauss(0, TASTE_SD) for name in STRENGTHS}
        cast(crowd, Voter(f"class-{number}", "school", 3, taste, honest), 10)
    for number in range(12):
        cast(crowd, Voter(f"bad-{number}", "school", 3, {}, lambda *seen: always_random(*seen)), 6)
    barred = set().union(*excluded_voters(crowd.data()).values())
    assert sum(voter.startswith("bad") for voter in barred) >= 11
    assert sum(voter.startswith("class") for voter in barred) <= 1


def always_random(voter: Voter, left: str, right: str, video: int) -> str | None:
    return {left: "left", right: "right"}.get("random")


def test_voters_who_passed_their_checks_are_not_counted_together():
    from mvr.arena.board.inputs import Check

    crowd, _ = honest_crowd(5)
    for number in range(12):
        cast(crowd, Voter(f"keen-{number}", "home", 3, {}, always_random), 6)
        crowd.checks += [Check(voter_id=f"keen-{number}", passed=True)] * 4
    by_rule = excluded_voters(crowd.data())
    assert not any(voter.startswith("keen") for voter in by_rule["campaign"])


@pytest.fixture
def attacked(tmp_path: Path) -> Iterator[VoteStore]:
    """An honest crowd and twelve from one address, in a store as the arena fills it."""
    crowd, _ = honest_crowd(6)
    for number in range(12):
        cast(crowd, Voter(f"bad-{number}", "one", 2, {}, always_random), 6)
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        voters = {row["voter_id"] for row in crowd.rows}
        store.add(*(Consent(voter_id=one, session_id="s", version="4", text_sha256="0") for one in voters))
        pairs = [stored(row, number) for number, row in enumerate(crowd.rows)]
        store.add(*(battle for battle, _ in pairs))
        store.add(*(vote for _, vote in pairs))
        yield store


def stored(row: dict, number: int) -> tuple[Battle, Vote]:
    sides = {
        name: Side(
            system_id=row[name],
            system_version="1",
            item_id=f"{name}{number}",
            item_group_id=f"{name}{number}",
        )
        for name in ("left", "right")
    }
    at = 1_800_057_600_000 + row["day"] * DAY_MS + number * 1000
    battle = Battle(
        created_at_ms=at, voter_id=row["voter_id"], session_id="s", direction="v2m", query_id=row["query_group_id"],
        query_group_id=row["query_group_id"], pool_version="1", pool_size=9, policy_id="p", pair_prob=1 / 6,
        seed=number, ui_version="1", **sides,
    )  # fmt: skip
    vote = Vote(
        created_at_ms=at, battle_id=battle.battle_id, voter_id=row["voter_id"], session_id="s", consent_version="4",
        outcome=row["outcome"], listen_left_ms=9000, listen_right_ms=9000, group_label=row["group_label"],
    )  # fmt: skip
    return battle, vote


def test_a_campaign_is_shown_as_such_and_found_again_in_a_publication(attacked, tmp_path):
    board = build_board(attacked)
    document = board.document
    (campaign,) = document["campaigns"]
    assert campaign == {
        "target": "random",
        "found_in": campaign["found_in"],
        "voters": 12,
        "votes": 72,
        "days": 1,
    }
    assert document["excluded_voters"]["campaign"] == 12
    assert "Set aside as a campaign: 72 votes of 12 new voters who chose random together" in report(board)
    write_tables(publishable(read_tables(attacked), b"key"), _made(tmp_path / "published"), Format.CSV)
    with open_votes(str(tmp_path / "published")) as published:
        again = build_board(published).document
    for part in ("campaigns", "excluded_voters", "votes", "boards"):
        assert again[part] == document[part]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_page_replica_replay_export_and_command_print_the_same_bytes(attacked, tmp_path, capsys):
    """With a campaign, a vote that was taken back, somebody who withdrew, and an operator's flag in the store."""
    votes = attacked.rows(Vote)
    gone = next(vote.voter_id for vote in votes if not vote.voter_id.startswith("bad"))
    attacked.forget(gone)
    taken_back, flagged = [vote for vote in votes if vote.voter_id not in (gone, votes[-1].voter_id)][:2]
    undo = replace(taken_back, vote_id=new_id(), kind="undo", undoes=taken_back.vote_id, sequence=0)
    attacked.cast(undo)
    attacked.add(Flag(target_kind="vote", target_id=flagged.vote_id, rule_id="by-hand"))
    page = BoardCache(attacked).current()
    assert (
        page.document["excluded_voters"]["campaign"] == 12 and page.document["votes"]["votes taken back"] == 1
    )
    assert page.set_aside == judge_voters(read_input(attacked)).barred and len(page.set_aside) >= 12
    with VoteStore.open(str(attacked.url)) as replica:
        assert BoardCache(replica).current().to_bytes() == page.to_bytes()
    export_tables(attacked, tmp_path / "csv", Format.CSV)
    export_tables(attacked, tmp_path / "jsonl", Format.JSONL)
    with VoteStore.open(tmp_path / "again.sqlite") as again:
        import_tables(again, tmp_path / "jsonl")
    sources = [str(attacked.url.database), str(tmp_path / "csv"), str(tmp_path / "again.sqlite")]
    for number, source in enumerate(sources):
        assert main(["--db", source, "--out", str(tmp_path / f"board-{number}"), "--json"]) == 0
        assert (tmp_path / f"board-{number}" / "board.json").read_bytes() == page.to_bytes(), source
        assert capsys.readouterr().out.encode() == page.to_bytes(), source
    assert gone not in page.to_bytes().decode()


def test_the_next_pairs_are_drawn_by_what_the_board_counts(attacked):
    """The campaign makes `random` as strong as the others; who draws by it sends good votes where none are needed."""
    names = {direction: sorted(STRENGTHS) for direction in Direction}
    settings = PolicySettings(votes_per_pair=20)
    raw, kept = (
        Policies(attacked, names, lambda: 0, barred, settings).current(Direction.VIDEO_TO_MUSIC)
        for barred in (frozenset, lambda: judge_voters(read_input(attacked)).barred)
    )
    counted = [row for row in kept_rows(attacked) if row["outcome"] != "both_bad"]
    systems = tuple(sorted(STRENGTHS))
    number = {name: systems.index(name) for name in systems}
    theta = fit_davidson(
        PairVotes(
            systems=systems,
            left=np.array([number[row["left"]] for row in counted]),
            right=np.array([number[row["right"]] for row in counted]),
            outcome=np.array([("left", "right", "tie").index(row["outcome"]) for row in counted]),
        )
    ).theta
    assert raw.policy_id == kept.policy_id == "proximity-v1"
    gaps = np.array([abs(theta[number[a]] - theta[number[b]]) for a, b in kept.pairs])
    close = np.exp(-gaps / settings.gap_scale)
    expected = 0.8 * close / close.sum() + 0.2 / len(gaps)
    np.testing.assert_allclose(kept.probabilities, expected, atol=1e-6)
    assert raw.probability("plain", "random") > 1.2 * kept.probability("plain", "random")


def test_votes_that_are_set_aside_do_not_end_the_time_of_even_pairs(attacked):
    names = {direction: sorted(STRENGTHS) for direction in Direction}
    everybody = frozenset(row["voter_id"] for row in attacked.counted())
    policies = Policies(attacked, names, lambda: 0, lambda: everybody, PolicySettings(votes_per_pair=20))
    assert policies.current(Direction.VIDEO_TO_MUSIC).policy_id == "uniform-v1"


def test_what_may_be_learned_from_holds_no_campaign(attacked):
    rows = kept_rows(attacked)
    assert len(rows) == len(attacked.counted()) - 72
    assert not any(row["voter_id"].startswith("bad") for row in rows)
