"""The words around the leaderboard's numbers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mvr.page.board.leaderboard_tab import board_html

TOO_FEW = "too few votes: nobody was preferred yet"


def row(**interval: float | None) -> dict[str, object]:
    return {
        "system": "cca", "elo": 1000.0, "elo_low": None, "elo_high": None, "rank_low": None, "rank_high": None,
        "votes": 1, "wins": 1, "losses": 0, "ties": 0, "win_share": 1.0, "effective_voters": 1.0, "preliminary": True,
        "both_bad_share": 0.0, "both_bad_low": 0.0, "both_bad_high": 0.79, **interval,
    }  # fmt: skip


def shown(monkeypatch, **section: object) -> str:
    """The board's HTML without its plot and its downloads."""
    monkeypatch.setattr("mvr.page.board.leaderboard_tab.downloads", lambda context, board: [])
    monkeypatch.setattr("mvr.page.board.leaderboard_tab.forest_plot", lambda section, title: "")
    days = {"first_vote": "2026-11-01", "last_vote": section.pop("last", "2026-11-01")}
    whole = {"votes": 1, "voters": 1, "rows": [], "differences": [], "note": "", "needs": "", **section}
    board = SimpleNamespace(
        document={"inputs": days, "alphas": [], "campaigns": []}, section=lambda name: whole
    )
    return " ".join(board_html(None, board, "all").split())  # type: ignore[arg-type]


def test_one_vote_of_one_person_on_one_day_is_said_in_the_singular(monkeypatch):
    assert "1 vote by 1 person, 2026-11-01." in shown(monkeypatch, rows=[row()])
    many = shown(monkeypatch, rows=[row()], votes=3, voters=2, last="2026-11-02")
    assert "3 votes by 2 people, 2026-11-01 to 2026-11-02." in many


@pytest.mark.parametrize(
    ("votes", "said"), [(0, "No votes yet."), (4, "Too few votes: nobody was preferred yet")]
)
def test_ties_alone_are_not_called_no_votes(monkeypatch, votes, said):
    html = shown(monkeypatch, votes=votes, note=TOO_FEW)
    assert said in html and html.lower().count("votes yet") + html.lower().count("preferred yet") == 1


def test_an_interval_that_is_not_known_is_one_dash(monkeypatch):
    assert '<span class="mv-interval">–</span>' in shown(monkeypatch, rows=[row()])
    assert ">950 to 1050</span>" in shown(monkeypatch, rows=[row(elo_low=950.0, elo_high=1050.0)])
