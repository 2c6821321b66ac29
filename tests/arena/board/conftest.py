"""Votes of a board as the rows that a store's view gives, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

OUTCOMES = ("left", "right", "tie", "both_bad")


def board_row(left: str, right: str, outcome: str, **changes: Any) -> dict[str, Any]:
    """One counted vote with the columns that a board reads."""
    row: dict[str, Any] = {
        "left": left, "right": right, "outcome": outcome, "voter_id": "anna", "query_group_id": "v1", "pair_prob": 1.0,
        "day": 0, "recognised": 0, "direction": "v2m", "query_genre": None, "reasons": "[]",
        "left_system_id": left, "right_system_id": right, "left_alpha": None, "right_alpha": None,
    }  # fmt: skip
    return row | changes


def result_rows(results: Sequence[tuple[str, str, int, int]], voters: int = 20) -> list[dict[str, Any]]:
    """Rows of (a, b, wins of a, wins of b), sides by turns, spread over voters, videos and days."""
    rows = []
    for a, b, wins, losses in results:
        for number in range(wins + losses):
            left, right = (a, b) if number % 2 else (b, a)
            winner = a if number < wins else b
            rows.append(board_row(left, right, "left" if winner == left else "right"))
    for number, row in enumerate(rows):
        row["voter_id"], row["query_group_id"] = f"voter-{number % voters}", f"v{number % 17}"
        row["day"] = number * 7919 % 12
    return rows


@pytest.fixture
def make_rows():
    return result_rows


@pytest.fixture
def make_row():
    return board_row
