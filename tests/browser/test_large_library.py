"""A library of 10,000 tracks on the tab Library: pages, words, kinds, an edit far from the top."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.browser.conftest import Server, Visitor, both_sizes, fits
from tests.conftest import write_tone
from tests.large_library import fill

pytestmark = pytest.mark.browser

COUNT = 10_000
LIST = "#mv-library-list"
ROWS = f"{LIST} .mv-row[data-id]"
NAMES = f"() => [...document.querySelectorAll('{ROWS} .mv-name strong')].map(one => one.textContent)"


@pytest.fixture(scope="module")
def large(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, while its user has ten thousand tracks."""
    sound = write_tone(tmp_path_factory.mktemp("large") / "take.wav", seconds=0.5)
    fill(server.home / "library", sound, COUNT)
    yield server
    with closing(sqlite3.connect(server.home / "library" / "catalogue.sqlite")) as catalogue, catalogue:
        catalogue.execute("DELETE FROM items WHERE name LIKE 'take _____.wav'")
        catalogue.execute("UPDATE changes SET revision = revision + 1")


def shows(visitor: Visitor, first: str) -> list[str]:
    """Wait for the list that begins with a track; its titles."""
    visitor.page.wait_for_function(f"first => ({NAMES})()[0] === first", arg=first)
    return list(visitor.page.evaluate(NAMES))


@both_sizes
def test_ten_thousand_tracks_are_paged_searched_and_edited_on_page_2(visitor: Visitor, large: Server) -> None:
    page = visitor.open("?tab=library&library=own")
    assert shows(visitor, "Take 00000") == [f"Take {number:05d}" for number in range(50)]
    pages = page.locator(f"{LIST} .mv-pages")
    assert pages.inner_text().split("\n")[-2:] == ["1 to 50 of 10000", "Later"]
    assert pages.get_by_role("button", name="Earlier").is_disabled()
    pages.get_by_role("button", name="Later").click()
    assert shows(visitor, "Take 00050") == [f"Take {number:05d}" for number in range(50, 100)]
    page.wait_for_function(
        f"() => {{ const at = document.querySelector('{LIST} .mv-list-head').getBoundingClientRect();"
        " return at.top > -2 && at.top < innerHeight / 2 && document.activeElement.matches('.mv-list-head'); }"
    )

    edited = f"Edited at {page.viewport_size}"
    row = page.locator(ROWS).nth(30)
    row.locator(".mv-edit summary").click()
    row.get_by_label("Title").fill(edited)
    row.locator("[data-event=edit]").click()
    page.locator(ROWS).nth(30).locator("strong", has_text=edited).wait_for()
    told = page.locator("#mv-tab-library .mv-told .mv-status-done")
    told.wait_for()
    at = told.bounding_box()
    assert at is not None and 0 <= at["y"] < visitor.page.viewport_size["height"] - at["height"]
    assert "51 to 100 of 10000" in page.locator(f"{LIST} .mv-pages").inner_text(), "still page 2"

    # what was typed for one item and not saved is not in the boxes of the one that takes its place
    row.locator(".mv-edit summary").click()
    row.get_by_label("Title").fill("typed and left")
    page.locator(ROWS).nth(29).locator("[data-event=remove]").click()
    page.locator("#mv-tab-library [data-event=undo]").wait_for()
    page.wait_for_function(f"edited => ({NAMES})()[29] === edited", arg=edited)
    row.locator(".mv-edit summary").click()
    assert row.get_by_label("Title").input_value() == row.locator(".mv-name strong").inner_text()
    page.locator("#mv-tab-library [data-event=undo]").click()
    page.wait_for_function(f"edited => ({NAMES})()[30] === edited", arg=edited)
    assert "51 to 100 of 10000" in page.locator(f"{LIST} .mv-pages").inner_text(), "still page 2"

    find = page.locator("#mv-tab-library").get_by_label("Find")
    find.fill("ÇELIK orchestral")
    wanted = [f"Take {number:05d}" for number in range(COUNT) if number % 4 == 2 and number % 5 == 2]
    assert shows(visitor, wanted[0]) == wanted[:50]
    assert page.locator(f"{LIST} .mv-list-head strong").inner_text() == str(len(wanted))
    page.locator("#mv-tab-library").get_by_role("radio", name="Video").check(force=True)
    page.locator(f"{LIST} .mv-empty").get_by_text("Nothing matches").wait_for()
    page.locator("#mv-tab-library").get_by_role("radio", name="Music").check(force=True)
    assert shows(visitor, wanted[0]) == wanted[:50]
    find.fill(edited)
    assert shows(visitor, edited) == [edited]
    assert fits(page)

    row = page.locator(ROWS).first  # an emptied box brings the file's own word back
    row.locator(".mv-edit summary").click()
    row.get_by_label("Title").fill("")
    row.locator("[data-event=edit]").click()
    page.locator(f"{LIST} .mv-empty").get_by_text("Nothing matches").wait_for()
