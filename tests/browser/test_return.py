"""Coming back: a reload keeps clip, list and filters; Back goes back a step; an address opens what it says."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROWS, choose, on_a_phone_too

pytestmark = pytest.mark.browser

# what the page sees when the clip became playable after its list was there
LATE_CLIP = "() => { document.querySelector('.mv-stage').dataset.clip += ' '; mvAudition.react(); }"

IDS = f"() => [...document.querySelectorAll('{ROWS}')].map(row => row.dataset.id)"


@on_a_phone_too
def test_a_reload_keeps_clip_list_and_filters_and_another_tab_starts_anew(visitor, new_visitor, clips):
    page = visitor.open()
    visitor.upload(
        "mv-upload-v2m", clips("h264.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac")
    )
    page.wait_for_selector("#mv-tab-video-to-music .mv-stage[data-clip]")
    visitor.rest()
    everything = page.evaluate(IDS)
    chip = page.locator("#mv-tab-video-to-music .mv-chips input[value=fast]")
    choose(chip)
    page.wait_for_function(
        f"before => {{ const now = ({IDS})();"
        " return now.length && JSON.stringify(now) !== JSON.stringify(before); }",
        arg=everything,
    )
    fast = page.evaluate(IDS)
    page.reload()
    page.wait_for_selector("#mv-tab-video-to-music .mv-stage[data-clip]")
    page.wait_for_function(f"fast => JSON.stringify(({IDS})()) === JSON.stringify(fast)", arg=fast)
    expect(chip).to_be_checked()
    page.wait_for_function("() => document.querySelector('.mv-stage video')?.readyState >= 2")
    page.locator(f"{ROWS} [data-hear]").first.click()
    page.wait_for_function("() => document.querySelector('.mv-stage video')?.currentTime > 0.2")
    other = new_visitor().open()
    assert other.locator(".mv-stage").count() == 0, "nobody else sees the clip"


@on_a_phone_too
def test_back_goes_back_a_tab_and_an_address_opens_tab_alpha_and_library(visitor):
    page = visitor.open("?tab=library&library=demo&alpha=0.8")
    expect(page.locator("#mv-tab-library .mv-which input[value=demo]")).to_be_checked()
    page.get_by_role("tab", name="Vote").click()
    page.get_by_role("tab", name="Video to music").click()
    expect(page.locator("#mv-tab-video-to-music .mv-alpha input[type=range]")).to_have_value("0.8")
    for tab in ("Vote", "Library"):
        page.go_back()
        page.wait_for_function(
            "name => document.querySelector('[role=tab][aria-selected=true]')?.textContent.trim() === name",
            arg=tab,
        )
    page.go_forward()
    page.wait_for_function(
        "() => document.querySelector('[role=tab][aria-selected=true]')?.textContent.trim() === 'Vote'"
    )


@on_a_phone_too
def test_the_first_result_comes_into_sight_and_the_player_stays_while_the_list_scrolls(visitor):
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.wait_for_function(
        f"() => {{ const row = document.querySelector('{ROWS}'); if (!row) return false;"
        " const at = row.getBoundingClientRect(); return at.top >= -1 && at.top < innerHeight - 60; }"
    )
    page.locator(f"{ROWS} [data-hear]").first.click()
    page.locator("#mv-tab-video-to-music .mv-stage[data-clip]").wait_for()
    visitor.rest()
    window = page.viewport_size
    if (
        window["width"] > 860
    ):  # time lines and controls leave the picture its room, and the first result beside it
        page.locator(".mv-stage .mv-strip").wait_for()
        page.evaluate("scrollTo(0, 0)")
        visitor.rest()
        bottom = "part => part.getBoundingClientRect().bottom"
        assert page.locator(".mv-stage video").evaluate("part => part.getBoundingClientRect().height") >= 240
        assert page.locator(ROWS).first.evaluate(bottom) <= window["height"]
    visitor.place(f"{ROWS}:last-child", down=0.1)
    seen = """() => ['video', '[data-step="0"]', '[data-part=now]'].every((part) => {
      const at = document.querySelector('.mv-stage ' + part)?.getBoundingClientRect();
      return at && at.width > 0 && at.bottom <= innerHeight + 1 && at.top >= -1;
    })"""
    page.wait_for_function(seen)
    before = page.evaluate("scrollY")
    page.locator(f"{ROWS} [data-hear]").nth(8).click()
    page.locator(f"{ROWS}[aria-current=true]").wait_for()
    assert abs(page.evaluate("scrollY") - before) < 120, "the page does not jump at a tap"

    page.mouse.move(window["width"] / 2, window["height"] / 2)
    page.mouse.wheel(0, 50)
    visitor.rest()
    before = page.evaluate("scrollY")
    page.evaluate(LATE_CLIP)
    visitor.rest()
    assert abs(page.evaluate("scrollY") - before) < 120, (
        "nor when the clip comes while somebody reads the list"
    )


@on_a_phone_too
def test_rows_say_why_in_words_and_how_strong_with_the_number_behind_it(visitor):
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator(ROWS).first.wait_for()
    words = page.locator(f"{ROWS} .mv-fit-number").all_inner_texts()  # a list comes as a whole
    order = ["strong", "fair", "weak"]
    assert words == sorted(words, key=order.index) and words[0] == "strong"
    assert "% of this library" in page.locator(f"{ROWS} .mv-fit").first.get_attribute("title")
    assert "bpm" in page.locator(f"{ROWS} .mv-because").first.inner_text()
    page.locator("#mv-tab-video-to-music .mv-seen").wait_for()
