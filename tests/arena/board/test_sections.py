"""The parts of a board: what stands beside each pair, and groups that never met."""

from __future__ import annotations

import json

import pytest

from mvr.arena.board.board import Board
from mvr.arena.board.sections import rating_section
from mvr.arena.board.tables import report
from mvr.metrics.preference import RatingSettings, directed_e_value


def pair(section, first: str, second: str):
    return next(row for row in section["differences"] if {row["better"], row["worse"]} == {first, second})


def test_the_e_value_never_certifies_the_system_that_lost_more(make_rows):
    rows = make_rows([("a", "b", 94, 285), ("a", "c", 900, 20), ("b", "c", 330, 320)])
    gap = pair(rating_section("all", rows, RatingSettings()), "a", "b")
    assert (gap["better"], gap["wins"], gap["losses"]) == ("a", 94, 285)
    assert gap["e_value"] == directed_e_value(94, 285) < 0.05 and not gap["separated_by_e_value"]


def test_a_pair_that_is_told_apart_needs_no_more_votes(make_rows):
    section = rating_section("all", make_rows([("a", "b", 700, 300), ("b", "c", 260, 240)]), RatingSettings())
    assert pair(section, "a", "b")["p_holm"] < 0.05
    assert pair(section, "a", "b")["votes_still_needed"] == 0
    assert pair(section, "b", "c")["p_holm"] > 0.05
    assert pair(section, "b", "c")["votes_still_needed"] > 500


def test_groups_that_never_met_are_named_with_their_own_order(make_rows):
    rows = make_rows([("a", "b", 160, 40), ("b", "c", 150, 50), ("x", "y", 60, 140)])
    section = rating_section("all", rows, RatingSettings())
    assert "not comparable yet" in section["note"] and section["separated"]
    assert [group["systems"] for group in section["groups"]] == [["a", "b", "c"], ["y", "x"]]
    assert [group["rank_low"] for group in section["groups"]] == [[1, 2, 3], [1, 2]]
    assert [group["votes"] for group in section["groups"]] == [400, 200]
    whole = rating_section("all", make_rows([("a", "b", 160, 40)]), RatingSettings())
    assert whole["groups"] == []


def test_no_table_prints_a_number_of_many_digits(make_rows, voted):
    section = rating_section("all", make_rows([("a", "b", 900, 90), ("b", "c", 300, 200)]), RatingSettings())
    assert pair(section, "a", "b")["e_value"] > 1e100
    section["audit"] = {"findings": []}
    document = json.loads(json.dumps(voted)) | {"boards": [section]}
    text = report(Board(document=document))
    assert max(len(word) for word in text.split() if word.isdigit()) < 8
    assert "e+" in text


def test_two_people_get_a_sentence_instead_of_an_interval_that_nobody_believes(make_rows):
    rows = make_rows([("a", "b", 7, 3), ("b", "c", 4, 5)], voters=2)
    section = rating_section("all", rows, RatingSettings())
    assert all(row["elo_low"] is row["elo_high"] is row["rank_low"] is None for row in section["rows"])
    assert all(abs(row["elo"] - 1000) < 400 for row in section["rows"])
    assert section["needs"] == (
        "19 votes by 2 people count as 2.0 equally busy voters and 15.7 videos; from 5 of each on there are intervals "
        "and ranks, so at least 4 more voters are needed."
    )
    assert all(gap["votes_still_needed"] is None for gap in section["differences"])
    assert section["needs"] in report_of(section)


def report_of(section) -> str:
    from mvr.arena.board.tables import _rating_lines

    return "\n".join(_rating_lines(section))


def test_one_day_is_said_not_to_know_how_tastes_move_and_many_days_are(make_rows, make_row):
    rows = make_rows([("a", "b", 70, 50)])
    assert (
        "Votes of 12 days: how much tastes move from day to day is in"
        in rating_section("all", rows, RatingSettings())["days"]
    )
    for row in rows:
        row["day"] = 5
    assert (
        "Votes of 1 day: how much tastes move from day to day is not in"
        in rating_section("all", rows, RatingSettings())["days"]
    )


@pytest.fixture
def voted(store):
    from mvr.arena.board import build_board

    return build_board(store).document
