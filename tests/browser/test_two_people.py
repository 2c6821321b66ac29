"""Two people at one server, each with a clip of their own: what one does to the library breaks nobody else's list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, ROWS, Visitor, screen_of
from tests.browser.hearing import EAR, wait_hz, write_tone

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TAB = "#mv-tab-video-to-music"
SHELF = "#mv-library-list .mv-row[data-id]"
H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")


def names(page: Any, rows: str = ROWS) -> set[str]:
    return set(page.eval_on_selector_all(rows, "rows => rows.map(row => row.dataset.name)"))


def has(page: Any, rows: str, *wanted: str) -> None:
    """Wait until a list holds these and no others."""
    page.wait_for_function(
        "([rows, wanted]) => JSON.stringify([...document.querySelectorAll(rows)].map(r => r.dataset.name).sort())"
        " === wanted",
        arg=[rows, "[" + ",".join(f'"{name}"' for name in sorted(wanted)) + "]"],
    )


def press(page: Any, name: str) -> None:
    page.locator(f"{ROWS}[data-name='{name}'] [data-hear]").click()


def shelf(page: Any, name: str, event: str) -> Any:
    return page.locator(f"{SHELF}[data-name='{name}'] [data-event={event}]")


def test_who_edits_the_library_leaves_anothers_list_music_and_download_alone(
    new_visitor: Callable[..., Visitor], other_server: Any, clips: Callable[..., Path], tmp_path: Path
) -> None:
    with other_server(tmp_path / "server") as server:
        anna, bo = new_visitor(**screen_of(PHONE)), new_visitor(**screen_of(DESKTOP))
        anna.server = bo.server = server
        edit_while_another_listens(anna, bo, clips, tmp_path)
        for person in (anna, bo):  # before their server goes
            person.page.close()


def edit_while_another_listens(
    anna: Visitor, bo: Visitor, clips: Callable[..., Path], tmp_path: Path
) -> None:
    for hz in (300, 480, 770, 1230):
        write_tone(tmp_path, hz)
    tone = {hz: tmp_path / f"tone {hz}.wav" for hz in (300, 480, 770, 1230)}
    mine = anna.open("?tab=library&library=own")
    anna.upload("mv-upload-library", tone[300], tone[480], tone[770])
    has(mine, SHELF, "tone 300", "tone 480", "tone 770")

    # each a clip and a list of their own
    bo.page.add_init_script(EAR)
    his = bo.open("?library=own")
    bo.upload("mv-upload-v2m", clips("bo.mp4", *H264, sound=False, seconds=4))
    has(his, ROWS, "tone 300", "tone 480", "tone 770")
    press(his, "tone 480")
    wait_hz(his, 480)
    his.wait_for_function(
        "rows => [...document.querySelectorAll(rows)].every(row => mvSounds.has(row.dataset.sound))", arg=ROWS
    )
    mine.locator("#mv-tab-library [data-goto=video-to-music]").click()
    anna.upload("mv-upload-v2m", clips("anna.mp4", *H264, sound=False, seconds=5))
    has(mine, ROWS, "tone 300", "tone 480", "tone 770")
    assert mine.locator(f"{TAB} .mv-file-name").inner_text() == "anna.mp4"
    assert his.locator(f"{TAB} .mv-file-name").inner_text() == "bo.mp4"

    # she edits one, removes one, and adds one: the removed file is deleted with that
    mine.get_by_role("tab", name="Library").click()
    row = mine.locator(f"{SHELF}[data-name='tone 770']")
    row.locator("summary").click()
    row.get_by_label("Title").fill("deep")
    shelf(mine, "tone 770", "edit").click()
    has(mine, SHELF, "tone 300", "tone 480", "deep")
    shelf(mine, "tone 300", "remove").click()
    has(mine, SHELF, "tone 480", "deep")
    anna.upload("mv-upload-library", tone[1230])
    has(mine, SHELF, "tone 480", "deep", "tone 1230")
    assert not list(bo.server.home.rglob("tone 300.wav"))

    # what he hears, sees and takes away is as it was
    wait_hz(his, 480)
    assert names(his) == {"tone 300", "tone 480", "tone 770"}
    press(his, "tone 770")
    wait_hz(his, 770)
    with his.expect_download() as waiting:
        his.locator(f"{TAB} [data-event=download]").first.click()
    assert waiting.value.suggested_filename == "bo + tone 770.mp4"

    # what is gone says so in one sentence, and the next list is of what there is
    press(his, "tone 300")
    his.locator(f"{TAB} [data-event=download]").first.click()
    assert bo.status("error").startswith("tone 300 is gone from the library; move a control")
    slider = his.locator(f"{TAB} .mv-alpha input[type=range]")
    slider.focus()
    slider.press("Home")
    has(his, ROWS, "tone 480", "deep", "tone 1230")
    press(his, "deep")
    wait_hz(his, 770)
    assert mine.locator(f"{TAB} .mv-file-name").text_content() == "anna.mp4"
