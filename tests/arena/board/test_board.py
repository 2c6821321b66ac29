"""The leaderboard of a store: the numbers of the recipe, the same bytes from every source, nothing left out
silently."""

from __future__ import annotations

import json
import shutil
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mvr.arena.board import BoardSettings, build_board
from mvr.arena.board.forest import forest_plot, forest_text
from mvr.arena.board.source import open_votes
from mvr.arena.board.tables import differences_csv, ratings_csv, report
from mvr.errors import NotSaved, UsageError
from mvr.metrics.preference import PairVotes, rate
from mvr.votes.formats.publish import publishable
from mvr.votes.formats.tables import Format, export_tables, read_tables, write_tables
from mvr.votes.records import Consent, Judgment, PoolItem
from mvr.votes.store import VoteStore


@pytest.fixture(scope="module")
def voted_file(tmp_path_factory, make_crowd) -> Path:
    """Fourteen voters, ten votes each in both directions."""
    path = tmp_path_factory.mktemp("voted") / "votes.sqlite"
    with VoteStore.open(path) as store:
        crowd, arena = make_crowd(store, check_share=0.15)
        for number in range(14):
            crowd.votes(arena, f"voter-{number}", 7)
            crowd.votes(arena, f"voter-{number}", 3, direction="m2v")
    return path


@pytest.fixture
def voted(voted_file, tmp_path) -> Iterator[VoteStore]:
    """A copy of it for each test."""
    path = tmp_path / "voted.sqlite"
    shutil.copy(voted_file, path)
    with VoteStore.open(path) as store:
        yield store


def test_the_board_shows_what_the_recipe_computes_from_the_counted_votes(voted):
    board = build_board(voted)
    rows = [row for row in voted.counted() if row["outcome"] != "both_bad"]
    votes = PairVotes.from_names(
        [row["left_system_id"] for row in rows],
        [row["right_system_id"] for row in rows],
        [("left", "right", "tie").index(row["outcome"]) for row in rows],
        voter=[row["voter_id"] for row in rows],
        video=[row["query_group_id"] for row in rows],
    )
    section = board.section("all")
    if board.document["published_model"] == "davidson":
        expected = rate(votes)
        assert [row["system"] for row in section["rows"]] == [row.system for row in expected.rows]
        np.testing.assert_allclose(
            [r["elo"] for r in section["rows"]], [r.elo for r in expected.rows], atol=1e-5
        )
    assert sum(row["votes"] for row in section["rows"]) == 2 * section["votes"] == 2 * len(voted.counted())
    assert {s["name"] for s in board.sections} >= {"all", "v2m", "m2v", "genre: rock"}


def test_every_vote_is_on_the_board_or_in_the_count_of_what_was_left_out(voted):
    votes = build_board(voted).document["votes"]
    left_out = [
        "votes taken back",
        "votes on checks and repeats",
        "votes skipped",
        "votes set aside by flags, consent or listening time",
        "votes of excluded voters",
        "votes that a system was trained on",
        "votes on the board",
    ]
    assert votes["votes cast"] == sum(votes[name] for name in left_out) == 140


def test_the_same_votes_give_the_same_bytes_from_every_source(voted, tmp_path):
    first = build_board(voted).to_bytes()
    assert build_board(voted).to_bytes() == first
    for kind in Format:
        export_tables(voted, tmp_path / kind, kind)
        with open_votes(str(tmp_path / kind)) as copy:
            assert build_board(copy).to_bytes() == first
    with open_votes(str(voted.url.database)) as same:
        assert build_board(same).to_bytes() == first


def test_a_published_copy_has_the_same_board_and_no_old_name(voted, tmp_path):
    tmp_path = tmp_path / "out"
    tmp_path.mkdir()
    write_tables(publishable(read_tables(voted)), tmp_path, Format.JSONL)
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "voter-" not in text and "session" not in text.replace("session_id", "")
    with open_votes(str(tmp_path)) as copy:
        mine, theirs = build_board(voted).document, build_board(copy).document
    assert mine["inputs"].pop("sha256") != theirs["inputs"].pop("sha256")
    assert mine["inputs"].keys() == theirs["inputs"].keys()
    for a, b in zip(mine["boards"], theirs["boards"], strict=True):
        assert json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)
    assert mine["votes"] == theirs["votes"] and mine["excluded_voters"] == theirs["excluded_voters"]


def test_plot_table_and_csv_hold_the_same_numbers(voted):
    board = build_board(voted)
    section = board.section("all")
    svg = forest_plot(section, "All votes")
    root = ET.fromstring(svg)
    names = {"svg": "http://www.w3.org/2000/svg"}
    assert root.find("svg:title", names).text == "All votes"
    assert root.find("svg:desc", names).text == forest_text(section)
    text, table, lines = forest_text(section), report(board), ratings_csv(board)
    for row in section["rows"]:
        interval = f"{row['elo_low']:.0f} to {row['elo_high']:.0f}"
        assert f"{row['system']}: {row['elo']:.0f} Elo, 95 % interval {interval}" in text
        assert interval in table and interval in svg and f"{row['elo']}" in lines
    assert len(root.findall("svg:circle", names)) == len(section["rows"])
    assert float(root.get("viewBox").split()[2]) * 11 / 14 <= 358, "a phone shows all of it, at 11 px or more"
    assert differences_csv(board).count("\n") == 1 + sum(len(s["differences"]) for s in board.sections)


def test_an_empty_store_says_so(store):
    board = build_board(store)
    assert board.section("all")["rows"] == [] and "too few" in forest_text(board.section("all"))
    assert "none yet" in report(board) and ET.fromstring(forest_plot(board.section("all"), "x")) is not None


def test_one_voter_has_strengths_but_no_interval(make_arena, crowd, store):
    crowd.votes(make_arena(check_share=0.0), "anna", 30)
    rows = build_board(store).section("all")["rows"]
    assert all(row["elo_low"] is None and row["preliminary"] for row in rows)
    assert "no interval yet" in forest_text(build_board(store).section("all"))


def test_somebody_undefeated_is_not_ranked(make_arena, crowd, store):
    crowd.theta = {"cca": 50.0, "mvbind": 0.0, "random": -0.1}
    arena = make_arena(check_share=0.0)
    for number in range(8):
        crowd.votes(arena, f"voter-{number}", 10)
    section = build_board(store).section("all")
    assert section["separated"] and "not comparable yet" in section["note"]
    for row in section["rows"]:
        assert row["rank_low"] is None and row["elo_high"] - row["elo_low"] > 100


def test_people_who_click_blindly_or_for_one_system_are_set_aside_and_counted(make_arena, crowd, store):
    arena = make_arena(check_share=0.25)
    for number in range(10):
        crowd.votes(arena, f"voter-{number}", 16)
    crowd.votes(arena, "lefty", 30, "left")
    for direction in ("v2m", "m2v"):
        crowd.votes(arena, "shill", 26, "shill:random", direction)
    document = build_board(store).document
    assert document["excluded_voters"]["one side"] == 1
    assert document["excluded_voters"]["one system"] >= 1
    assert document["votes"]["votes of excluded voters"] > 30


def test_votes_that_a_system_learned_from_do_not_rate_it(voted):
    groups = frozenset({"source-0", "source-1"})
    board = build_board(voted, BoardSettings(training_groups={"cca": groups}))
    rows = voted.counted()
    trained = [
        row
        for row in rows
        if row["query_group_id"] in groups and "cca" in (row["left_system_id"], row["right_system_id"])
    ]
    assert trained and board.document["votes"]["votes that a system was trained on"] == len(trained)


def test_both_bad_is_a_share_of_its_own(make_arena, crowd, store, make_visit):
    visit = make_visit(make_arena(check_share=0.0), "anna")
    for _ in range(4):
        visit.vote(visit.next(), "both_bad")
    crowd.votes(visit.arena, "bert", 12)
    crowd.votes(visit.arena, "carl", 12)
    section = build_board(store).section("all")
    bad = sum(row["both_bad_share"] * row["votes"] for row in section["rows"])
    assert bad == pytest.approx(8, abs=1e-4)
    assert any(row["name"] == "both bad as a tie" for row in build_board(store).document["sensitivity"])


def test_preferred_alphas_have_shares_with_intervals(store, world, signer, clock, make_visit):
    from mvr.arena.arena import Arena
    from mvr.arena.candidates import Competitor
    from mvr.arena.draw import DrawSettings
    from mvr.arena.rules import ArenaSettings

    systems = [
        Competitor(system_id="control-mvr-mini", version="1", alpha=alpha) for alpha in (0.0, 0.5, 1.0)
    ]
    settings = ArenaSettings(draw=DrawSettings(check_share=0.0))
    arena = Arena(store, world, systems, signer, settings=settings, clock=clock, seed=1)
    for voter in range(6):
        visit = make_visit(arena, f"voter-{voter}")
        for _ in range(10):
            shown = visit.next()
            visit.vote(shown, "left" if (shown.battle.left.alpha < shown.battle.right.alpha) else "right")
    rows = build_board(store).document["alphas"]
    assert [(row["alpha"], row["preferred"]) for row in rows][::2] == [(0.0, 1.0), (1.0, 0.0)]
    assert rows[0]["low"] < 1 and all(row["low"] <= row["preferred"] <= row["high"] for row in rows)


def test_two_versions_of_a_system_are_two_systems(voted, make_crowd, monkeypatch):
    monkeypatch.setattr("mvr.arena.draw.Candidate.side", _new_version)
    crowd, arena = make_crowd(voted, check_share=0.0)
    crowd.votes(arena, "late", 10)
    names = [row["system"] for row in build_board(voted).section("all")["rows"]]
    assert "cca #1" in names and "cca #2" in names


def _new_version(self, competitor, item_prob=1.0):
    from mvr.votes.records import Side

    return Side(
        system_id=competitor.system_id,
        system_version="2",
        item_id=self.item_id,
        item_group_id=self.group_id,
        item_prob=item_prob,
    )


def test_the_order_by_people_is_compared_with_the_order_by_recall(voted):
    board = build_board(voted)
    order = [row["system"] for row in board.section("v2m")["rows"]]
    rows = [
        {
            "system": name,
            "alpha": None,
            "direction": "v2m",
            "task": "pair",
            "recall": {"10": 0.9 - place / 10},
            "median_rank": place + 1,
        }
        for place, name in enumerate(order)
    ]
    agreeing = build_board(voted, offline={"rows": rows}).document["offline"][0]
    assert agreeing["tau_recall_at_10"] == agreeing["tau_median_rank"] == 1.0
    assert build_board(voted, offline={"rows": rows[:2]}).document["offline"][0]["tau_recall_at_10"] is None


def judged(
    store: VoteStore, grades: dict[str, int], found: dict[str, dict[str, int]], voter: str = "anna"
) -> None:
    common = {"direction": "v2m", "query_id": "v1", "pool_version": "p1"}
    store.add(Consent(voter_id=voter, session_id="s", version="1", text_sha256="0"))
    known = {row.item_group_id for row in store.rows(PoolItem)}
    store.add(
        *(
            PoolItem(item_id=item, item_group_id=item, found_by=json.dumps(ranks), **common)
            for item, ranks in found.items()
            if item not in known
        ),
        *(
            Judgment(
                item_id=item,
                item_group_id=item,
                grade=grade,
                guideline_version="1",
                voter_id=voter,
                session_id="s",
                consent_version="1",
                **common,
            )
            for item, grade in grades.items()
        ),
    )


def test_judgments_give_graded_metrics_and_incomplete_ones_refuse_the_comparison(store):
    found = {f"m{i}": {"cca": i, "random": 11 - i} for i in range(1, 11)}
    judged(store, {f"m{i}": 3 if i == 1 else 0 for i in range(1, 11)}, found)
    pool = build_board(store).document["relevance"][0]
    systems = {row["system"]: row for row in pool["systems"]}
    assert pool["refused"] is None and systems["cca"]["judged@10"] == 1.0
    assert systems["cca"]["ndcg@10"] == 1.0
    assert systems["random"]["ndcg@10"] == pytest.approx(1 / np.log2(11), abs=1e-6)


def test_unjudged_items_are_no_zeros_and_stop_the_comparison(store):
    found = {f"m{i}": {"cca": i} for i in range(1, 11)}
    judged(store, {"m1": 0, "m2": 3}, found)
    pool = build_board(store).document["relevance"][0]
    assert "judged@10 must be at least 0.9" in pool["refused"]
    row = pool["systems"][0]
    assert row["judged@10"] == pytest.approx(0.2) and row["ndcg@10"] < row["ndcg@10_upper"]


def test_the_grade_of_an_item_is_the_lower_median_of_its_judges(store):
    found = {"m1": {"cca": 1}, "m2": {"cca": 2}}
    for voter, grades in {"a": (3, 0), "b": (2, 1), "c": (2, 0)}.items():
        judged(store, dict(zip(found, grades, strict=True)), found, voter)
    from mvr.arena.board.inputs import read_input
    from mvr.arena.board.relevance import qrels_of

    assert qrels_of(read_input(store).judgments) == {("p1", "v2m"): {"v1": {"m1": 2, "m2": 0}}}
    assert build_board(store).document["quality"]["judges"]["items_judged_twice"] == 2


def test_a_misspelt_path_is_no_empty_board(tmp_path):
    with pytest.raises(UsageError, match="no votes at"), open_votes(str(tmp_path / "nothing.sqlite")):
        pass


def test_the_kept_board_is_computed_again_only_after_a_change(voted, make_crowd, monkeypatch):
    import mvr.arena.board.cache as cache

    computed = []
    monkeypatch.setattr(cache, "build_board", lambda *a: computed.append(1) or build_board(*a))
    kept = cache.BoardCache(voted)
    assert kept.current() is kept.current() and len(computed) == 1
    crowd, arena = make_crowd(voted, check_share=0.0)
    crowd.votes(arena, "late", 1)
    assert kept.current().to_bytes() == build_board(voted).to_bytes() and len(computed) == 2


def test_a_board_that_takes_long_is_counted_beside_and_the_one_before_is_shown(
    voted, make_crowd, monkeypatch
):
    import mvr.arena.board.cache as cache

    go = threading.Event()
    kept = cache.BoardCache(voted, patience_s=0.05)
    monkeypatch.setattr(cache, "build_board", lambda *a: go.wait(60) and build_board(*a))
    assert kept.latest().board is None and kept.set_aside() == frozenset(), "nobody waits for the first"
    go.set()
    first = kept.current()
    go.clear()
    crowd, arena = make_crowd(voted, check_share=0.0)
    crowd.votes(arena, "late", 3)
    latest = kept.latest()
    assert latest.board is first and latest.newer == 3
    go.set()
    assert kept.current().to_bytes() == build_board(voted).to_bytes() != first.to_bytes()
    assert kept.latest().newer == 0


def test_a_failed_count_is_told_and_tried_again(voted, monkeypatch):
    import mvr.arena.board.cache as cache

    def broken(*_):
        raise NotSaved("the vote store could not be used")

    kept = cache.BoardCache(voted, patience_s=60.0)  # a busy machine is slow, not wrong
    with monkeypatch.context() as patched, pytest.raises(NotSaved, match="could not be used"):
        patched.setattr(cache, "build_board", broken)
        kept.latest()
    assert kept.latest().board is not None
