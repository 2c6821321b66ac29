"""The picture of the page in README: `MVR_SCREENSHOT=assets/screenshot.png pytest tests/browser/test_screenshot.py`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser


def test_the_main_tab_with_results_can_be_pictured(new_visitor, tmp_path):
    visitor = new_visitor(viewport={"width": 1280, "height": 940})
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").nth(2).click()
    page.locator("#mv-results-v2m [data-hear]").first.click()
    page.wait_for_function(
        "() => { const v = document.querySelector('.mv-stage video'); return v && v.currentTime > 1; }"
    )
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(5, 5)
    out = Path(os.environ.get("MVR_SCREENSHOT", tmp_path / "screenshot.png"))
    page.screenshot(path=str(out))
    assert out.read_bytes().startswith(b"\x89PNG") and out.stat().st_size > 50_000
