"""The frame table is what the command prints, and the command notices a wrong frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.numbers import ROOT
from eval.timelines.__main__ import compare, main
from eval.timelines.clips import make_clips
from mvr.delivery import timeline

TABLE = ROOT / "eval" / "results" / "timelines.md"


def test_the_committed_table_has_every_rate_and_no_wrong_frame() -> None:
    rows = [
        line.split(" | ") for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ][2:]
    assert {row[1] for row in rows} >= {"23.976", "24", "25", "29.97", "30", "50", "59.94", "60"}
    assert all(row[2] == "yes" and row[-1] == "yes |" and row[4:8] == ["0"] * 4 for row in rows)
    assert all(float(row[8]) <= 0.5 for row in rows)
    assert sum("10 minutes" in row[0] for row in rows) == 3


@pytest.mark.timelines
def test_a_shift_of_one_frame_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = next(iter(make_clips(tmp_path)))
    right = compare(clip, tmp_path)
    assert right.frames_right and right.muted_right and sum(right.wrong) == 0
    span = timeline._Layout._span
    monkeypatch.setattr(
        timeline._Layout, "_span", lambda self, start, frames: span(self, start + (start > 0), frames)
    )
    wrong = compare(clip, tmp_path)
    assert all(count > 0 for count in wrong.wrong)


@pytest.mark.timelines
@pytest.mark.slow
def test_the_table_is_printed_again_word_for_word(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    assert (tmp_path / "timelines.md").read_text(encoding="utf-8") == TABLE.read_text(encoding="utf-8")
