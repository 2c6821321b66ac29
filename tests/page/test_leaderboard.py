"""The words around the leaderboard's numbers."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from mvr.page.board.leaderboard_tab import board_html

TOO_FEW = "too few votes: no system has been preferred yet"


def row(**interval: float | None) -> dict[str, object]:
    return {
        "system": "cca", "elo": 1000.0, "elo_low": None, "elo_high": None, "rank_low": None, "rank_high": None,
        "votes": 1, "wins": 1, "losses": 0, "ties": 0, "win_share": 1.0, "effective_voters": 1.0, "preliminary": True,
        "both_bad_share": 0.0, "both_bad_low": 0.0, "both_bad_high": 0.79, **interval,
    }  # fmt: skip


def shown(
    monkeypatch,
    audit: dict[str, object] | None = None,
    tallies: dict[str, int] | None = None,
    **section: object,
) -> str:
    """The board's HTML without its plot and its downloads."""
    monkeypatch.setattr("mvr.page.board.leaderboard_tab.downloads", lambda context, board: [])
    monkeypatch.setattr("mvr.page.board.leaderboard_tab.forest_plot", lambda section, title: "")
    days = {"first_vote": "2026-11-01", "last_vote": section.pop("last", "2026-11-01")}
    original = section.pop("original", [])
    whole = {
        "votes": 1,
        "voters": 1,
        "rows": [],
        "differences": [],
        "note": "",
        "needs": "",
        "days": "",
        "groups": [],
        "audit": audit or {"findings": [], "pairs": [], "orders": []},
        **section,
    }
    board = SimpleNamespace(
        document={
            "inputs": days,
            "alphas": [],
            "original": original,
            "campaigns": [],
            "votes": Counter(tallies),
        },
        section=lambda name: whole,
    )
    return " ".join(board_html(None, board, "all").split())  # type: ignore[arg-type]


def test_one_vote_of_one_person_on_one_day_is_said_in_the_singular(monkeypatch):
    assert "1 vote by 1 person, 2026-11-01." in shown(monkeypatch, rows=[row()])
    many = shown(monkeypatch, rows=[row()], votes=3, voters=2, last="2026-11-02")
    assert "3 votes by 2 people, 2026-11-01 to 2026-11-02." in many


@pytest.mark.parametrize(
    ("votes", "said"), [(0, "No votes yet."), (4, "Too few votes: no system has been preferred yet")]
)
def test_ties_alone_are_not_called_no_votes(monkeypatch, votes, said):
    html = shown(monkeypatch, votes=votes, note=TOO_FEW)
    assert said in html and html.lower().count("votes yet") + html.lower().count("preferred yet") == 1


def test_what_became_of_all_saved_votes_is_one_sentence_that_adds_up(monkeypatch):
    tallies = {
        "votes cast": 12, "votes taken back": 2, "votes on checks and repeats": 3, "votes skipped": 1,
        "votes of excluded voters": 2, "votes on the board": 4,
        "votes on the board that are provisional (their voters are new)": 4,
    }  # fmt: skip
    html = shown(monkeypatch, tallies=tallies, rows=[row()])
    assert (
        "Of 10 saved votes 4 are on the leaderboard; 3 checked whether people listen, 1 were skipped, 2 are"
        in html
    )
    assert "4 of those on it are provisional: their voters are new." in html


def test_pairs_are_told_apart_in_words_and_without_p_or_e_values(monkeypatch):
    gap = {
        "better": "a", "worse": "b", "elo": 90.0, "elo_low": 10.0, "elo_high": 170.0, "p_holm": 0.02,
        "e_value": 31.0, "votes_still_needed": 0,
    }  # fmt: skip
    far = shown(monkeypatch, rows=[row()], differences=[gap])
    near = shown(monkeypatch, rows=[row()], differences=[gap | {"p_holm": 0.4, "votes_still_needed": 700}])
    assert "<td>yes</td><td>0</td>" in far and "<td>not yet</td><td>700</td>" in near
    assert "E-value" not in far and "Holm" not in far.partition("<summary>How")[0]


def test_groups_that_never_met_are_not_compared_pair_by_pair(monkeypatch):
    gap = {
        "elo": 9.0,
        "elo_low": 0.0,
        "elo_high": 18.0,
        "p_holm": 1.0,
        "e_value": 1.0,
        "votes_still_needed": None,
    }
    pairs = [gap | {"better": one, "worse": other} for one, other in (("a", "b"), ("a", "c"), ("c", "d"))]
    groups = [
        {"group": 1, "systems": ["a", "b"], "votes": 5},
        {"group": 2, "systems": ["c", "d"], "votes": 6},
    ]
    html = shown(monkeypatch, rows=[row()], differences=pairs, groups=groups)
    assert "a over b" in html and "c over d" in html and "a over c" not in html
    assert "a over c" in shown(monkeypatch, rows=[row()], differences=pairs)


def test_an_interval_that_is_not_known_is_one_dash(monkeypatch):
    assert '<span class="mv-interval">–</span>' in shown(monkeypatch, rows=[row()])
    assert ">950 to 1050</span>" in shown(monkeypatch, rows=[row(elo_low=950.0, elo_high=1050.0)])


def test_what_speaks_against_the_order_stands_above_and_the_rest_is_folded_away(monkeypatch):
    findings = [
        {"check": "cycles", "flagged": True, "said": "a beats b, b beats c, c beats a."},
        {"check": "drift", "flagged": False, "said": "First and second half agree."},
    ]
    pair = {"first": "a", "second": "b", "votes": 9, "points_share": 0.75, "expected_share": 0.5}
    audit = {"findings": findings, "pairs": [pair], "orders": []}
    open_part, _, folded = shown(monkeypatch, audit, rows=[row()]).partition("<details")
    assert "a beats b" in open_part and "First and second" not in open_part
    assert "First and second half agree." in folded and "<td>75 %</td><td>50 %</td>" in folded


def test_systems_are_shown_beside_the_published_share_against_human_choice(monkeypatch):
    share = {"votes": 20, "win_or_tie": 0.4, "low": 0.2, "high": 0.6}
    own = (
        {"system": "cca"}
        | share
        | {f"{name}_unrecognised": None for name in share}
        | {"votes_unrecognised": 0}
    )
    html = shown(monkeypatch, rows=[row()], original=[own])
    assert "VTMR" in html and "46 %" in html and "40 %" in html and ">20 to 60</span>" in html
    assert "VTMR" not in shown(monkeypatch, rows=[row()])


def test_fifty_openings_of_a_board_leave_one_set_of_downloads(tmp_path):
    from mvr.arena.board import build_board
    from mvr.page.board.leaderboard_tab import downloads
    from mvr.page.serving import Shelf
    from mvr.votes.records import Flag
    from mvr.votes.store import VoteStore
    from tests.page.test_battle_media import battle_media

    shelf = Shelf()
    media = battle_media(shelf, tmp_path)
    context = SimpleNamespace(shelf=shelf, ballots=SimpleNamespace(media=media))
    with VoteStore.open(tmp_path / "votes.sqlite") as store:
        board = build_board(store)
        links = {tuple(downloads(context, board)) for _ in range(50)}  # type: ignore[arg-type]
        assert len(links) == 1 and len(shelf._items) == 4
        for number in range(6):  # every vote makes another board
            store.add(Flag(target_kind="vote", target_id=str(number), rule_id="r"))
            newest = downloads(context, build_board(store))  # type: ignore[arg-type]
    assert len(shelf._items) == 4 * 3, "somebody may still look at the two before"
    token = newest[0][1].split("/")[1]
    item = shelf.take(token)
    assert item is not None and b'"boards"' in shelf.made(item).read_bytes()
