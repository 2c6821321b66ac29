"""The tables of docs/numbers.md are those of eval/results, and the generator notices when they are not."""

from __future__ import annotations

import json
import re

import pytest

from eval.numbers import RESULTS, ROOT, fill, main, table
from mvr.errors import DataError


@pytest.fixture
def results(tmp_path):
    def row(system, alpha, direction, task, value):
        both = {
            "recall": {"1": value / 2, "10": value},
            "precision": {"1": value, "10": value},
            "median_rank": 7.0,
        }
        intervals = {"recall@10": [value - 0.1, value + 0.1], "precision@10": [0.0, 1.0]}
        place = {"system": system, "alpha": alpha, "direction": direction, "task": task, "pool": 50}
        return {**place, **both, "intervals": intervals, "chance": both | {"median_rank": 25.5}}

    rows = [
        row(system, alpha, direction, task, value)
        for system, alpha, value in (("ours", 0.0, 0.5), ("ours", 0.3, 0.6), ("cca", None, 0.25))
        for direction in ("v2m", "m2v")
        for task in ("pair", "label:genre")
    ]
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "results.json").write_text(json.dumps({"features": {}, "rows": rows}))
    (tmp_path / "borders").mkdir()
    (tmp_path / "borders" / "borders.md").write_text(
        "# Title\n\ntext\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n\nend\n"
    )
    return tmp_path


def test_a_table_is_generated_between_its_markers(results):
    text = "before\n<!-- results:demo -->\nold\n<!-- /results:demo -->\nafter\n"
    filled = fill(text, results)
    assert filled.startswith("before\n<!-- results:demo -->\n| system |") and filled.endswith("\nafter\n")
    assert "| ours | 0 | 25.0 | 50.0 [40.0, 60.0] | 7.0 |" in filled and "old" not in filled
    assert "0.3" not in filled and "| chance |" in filled and "25.5" in filled
    assert fill(filled, results) == filled


def test_the_first_table_of_a_markdown_file_is_taken_over(results):
    assert table("borders", results) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


def test_markers_without_results_or_end_are_refused(results):
    with pytest.raises(DataError, match="results:none"):
        fill("<!-- results:none -->\n<!-- /results:none -->\n", results)
    with pytest.raises(DataError, match="results:demo is not closed"):
        fill("<!-- results:demo -->\n", results)


def test_check_reports_a_stale_table(tmp_path, capsys):
    name = "demo"
    assert (RESULTS / name / "results.json").exists()
    stale = tmp_path / "README.md"
    stale.write_text(f"<!-- results:{name} -->\n| 99 |\n<!-- /results:{name} -->\n")
    assert main(["--file", str(stale), "--check"]) == 1
    assert "other numbers than eval/results" in capsys.readouterr().err
    assert main(["--file", str(stale)]) == 0
    assert main(["--file", str(stale), "--check"]) == 0


def test_the_page_of_numbers_shows_the_committed_results():
    text = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- results:([\w-]+) -->", text), "there is no result table"
    assert fill(text) == text, "run python -m eval.numbers"
