"""The tab Evaluate in a real browser: committed results, one's own file beside them, refusals in words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
TABLE = "#mv-evaluate table.mv-table"


def test_results_are_shown_and_an_own_file_stands_beside_them(visitor, tmp_path):
    page = visitor.open("?tab=evaluate")
    page.locator(TABLE).wait_for()
    assert "chance" in page.locator(TABLE).inner_text()
    assert page.locator("#mv-evaluate svg[role=img]").first.get_attribute("aria-label")

    assert "candidates" in page.locator(f"{TABLE} caption").first.inner_text()
    row = {
        "system": "<img src=x>", "alpha": None, "direction": "v2m", "task": "pair", "pool": 7, "recall": {"1": 0.5},
        "precision": {"1": 0.5}, "median_rank": 2, "mrr": 0.6,
    }  # fmt: skip
    own = tmp_path / "results.json"
    own.write_text(json.dumps({"rows": [row]}))
    visitor.upload("mv-upload-evaluate", own)
    visitor.status("done", "are shown on their own")
    page.locator(f"{TABLE} .mv-own").wait_for()
    assert "<img src=x>" in page.locator(TABLE).inner_text()
    assert page.locator(f"{TABLE} img").count() == 0


def test_a_file_that_is_no_result_is_refused_in_one_sentence(visitor, tmp_path):
    page = visitor.open("?tab=evaluate")
    page.locator(TABLE).wait_for()
    np.save(tmp_path / "video.npy", np.zeros((2, 2)))
    visitor.upload("mv-upload-evaluate", tmp_path / "video.npy")
    visitor.status("error", "Give one results file")
    expect(page.locator(TABLE)).to_have_count(1)
