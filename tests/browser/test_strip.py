"""The two time lines under the picture, in a real browser."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_music_is_dragged_under_the_clip_snaps_to_beats_and_a_place_is_jumped_to(visitor):
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator("#mv-results-v2m .mv-row[data-timing]").first.wait_for(timeout=60_000)
    page.locator("#mv-results-v2m [data-hear]").first.click()
    strip = page.locator("#mv-tab-video-to-music .mv-strip")
    strip.wait_for()
    row = page.locator("#mv-results-v2m .mv-row.is-heard")
    beats = page.evaluate("r => JSON.parse(r.dataset.timing).music.beats_s", row.element_handle())
    before = float(row.get_attribute("data-from"))

    def drag(by: int, *keys: str) -> float:
        strip.scroll_into_view_if_needed()
        box = strip.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"]  # the music's line
        for key in keys:
            page.keyboard.down(key)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by, y, steps=4)
        page.mouse.up()
        for key in keys:
            page.keyboard.up(key)
        return float(row.get_attribute("data-from"))

    snapped = drag(97 if before > 8 else -97)
    assert snapped != before and min(abs(beat - snapped) for beat in beats) < 0.002
    free = drag(-23, "Alt")
    assert free != snapped
    page.locator("#mv-tab-video-to-music [data-place]").first.click()
    place = float(page.locator("#mv-tab-video-to-music [data-place]").first.get_attribute("data-place"))
    assert float(row.get_attribute("data-from")) == pytest.approx(place, abs=1e-3)
    line = page.locator("#mv-tab-video-to-music .mv-strip-line").inner_text()
    assert f"{place:.2f}" in line
    take = page.locator("#mv-tab-video-to-music [data-event=download]").first
    assert take.get_attribute("data-id").endswith(f"@{place:.3f}")
