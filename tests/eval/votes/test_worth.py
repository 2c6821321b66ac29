"""What the leaderboard is worth: committed tables, the commands that print them, planted boards from end to end."""

from __future__ import annotations

import html
import json

import pytest
from typer.testing import CliRunner

from eval.numbers import RESULTS
from eval.votes import audit, coverage
from eval.votes.__main__ import main
from eval.votes.planted import planted_boards, write_votes
from mvr.__main__ import app
from mvr.arena.board.audit import flagged
from mvr.arena.board.cache import BoardCache
from mvr.page.board import leaderboard_tab
from mvr.votes.store import VoteStore

FOLDER = RESULTS / "votes"


@pytest.mark.parametrize("module", [audit, coverage])
def test_committed_tables_are_rendered_from_their_json(module):
    stem = FOLDER / module.__name__.rpartition(".")[2]
    document = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    assert module.as_markdown(document) == stem.with_suffix(".md").read_text(encoding="utf-8")


def test_committed_intervals_hold_in_every_crowd_with_five_hundred_repeats():
    document = json.loads((FOLDER / "coverage.json").read_text(encoding="utf-8"))
    assert set(document["coverage"]) == set(coverage.CROWDS)
    for name, row in document["coverage"].items():
        assert row["repeats"] >= 500 and 0.93 <= row["strengths"]["recipe"] <= 0.98, name
        assert 0.93 <= row["difference"]["recipe"] <= 0.98, name
    few = document["few"]
    assert few["voters"]["4"]["wider_than_before"] > 0.01 >= few["voters"]["5"]["wider_than_before"]
    assert few["videos"]["5"]["wider_than_before"] <= 0.01


def test_committed_audit_misses_no_planted_fault():
    assert audit.missed(json.loads((FOLDER / "audit.json").read_text(encoding="utf-8"))) == []


def test_a_missed_fault_and_a_false_alarm_are_both_said():
    document = {
        "wanted": {"even": [], "cycle": ["cycles"], "good": ["order"]},
        "boards": {name: {"flagged": ["order"]} for name in ("even", "cycle", "good")},
    }
    assert audit.missed(document) == ["even", "cycle"]


def test_coverage_is_printed_and_written_by_its_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(coverage, "CROWDS", {"few votes": coverage.Crowd(votes=120, voters=12)})
    monkeypatch.setattr(coverage, "FEW", {"voters": {3: coverage.Crowd(votes=30, voters=3, busy=None)}})
    arguments = ["coverage", "--repeats", "2", "--seed", "3", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "out" / "coverage.md").read_text() == text and "| few votes |" in text
    assert main([*arguments[:2], "0", *arguments[3:]]) == 2
    assert "--repeats must be at least 1, not 0" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_planted_fault_is_flagged_through_import_and_report_and_said_on_the_page(tmp_path, monkeypatch):
    """`mvr votes import`, then `python -m eval.votes` and the page's tab, as anybody would."""
    monkeypatch.setattr(leaderboard_tab, "downloads", lambda context, board: [])
    for key, votes in planted_boards(0).items():
        write_votes(votes, tmp_path / key)
        db = str(tmp_path / f"{key}.sqlite")
        assert CliRunner().invoke(app, ["votes", "import", str(tmp_path / key), "--db", db]).exit_code == 0
        assert main(["--db", db, "--out", str(tmp_path / "board" / key)]) == 0
        board = json.loads((tmp_path / "board" / key / "board.json").read_text(encoding="utf-8"))
        found = set(flagged(next(one for one in board["boards"] if one["name"] == "all")["audit"]))
        assert found >= set(audit.WANTED[key]) and (found == set() or key != "even-board"), key
        with VoteStore.open(db) as store:
            page = leaderboard_tab.board_html(None, BoardCache(store).current(), "all")  # type: ignore[arg-type]
        unfolded = html.unescape(page.partition("<details")[0])
        for finding in next(one for one in board["boards"] if one["name"] == "all")["audit"]["findings"]:
            assert (finding["said"] in unfolded) is finding["flagged"], (key, finding)
