"""A system that explains itself, in a real browser: what it sees, what it asks for, why each track is there."""

from __future__ import annotations

import pytest

from mvr.backbones.tag_table import TAG_KINDS
from tests.browser.conftest import on_a_phone_too

pytestmark = pytest.mark.browser

LIST = "#mv-results-v2m"
ROWS = f"{LIST} .mv-row[data-id]"


@pytest.fixture
def page(visitor):
    """The demo's first clip, ranked by `bridge-mini`."""
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator(ROWS).first.wait_for()
    visitor.rest()
    page.get_by_role("button", name="Refine").first.click()
    page.locator("#mv-tab-video-to-music").get_by_role("combobox", name="System").click()
    page.get_by_role("option", name="Bridge mini").click()
    page.locator(f"{LIST} [data-part=sees]").wait_for()
    visitor.rest()
    return page


def test_the_list_says_what_is_seen_and_every_word_can_be_pressed(page):
    assert page.locator(f"{LIST} [data-part=sees]").inner_text().startswith("In the clip: ")
    reasons = page.locator(f"{ROWS} [data-part=because]")
    assert reasons.count() >= 1 and reasons.first.inner_text().startswith("Fits because: ")
    words = page.eval_on_selector_all(f"{LIST} .mv-word", "all => all.map(one => one.dataset.word)")
    assert words and set(words) <= set(TAG_KINDS)


@on_a_phone_too
def test_a_pressed_word_keeps_what_has_it_and_a_second_press_brings_all_back(page):
    button = page.locator(f"{ROWS} .mv-word").first
    word, count = button.get_attribute("data-word"), page.locator(ROWS).count()
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    shown = page.eval_on_selector_all(
        ROWS, "all => all.filter(row => !row.hidden).map(row => row.dataset.words)"
    )
    assert 0 < len(shown) < count and all(f"|{word}|" in words for words in shown)
    button.click()
    assert page.locator(f"{ROWS}:not([hidden])").count() == count
