"""The tab Library: add an own file, find it, remove it; and a search that is cancelled leaves what was there."""

from __future__ import annotations

import base64

import numpy as np
import pytest
import soundfile

from tests.browser.conftest import PHONE_PX, fits, on_a_phone_too

pytestmark = pytest.mark.browser

LIST = "#mv-library-list"
ROWS = f"{LIST} .mv-row[data-id]"

# from inside the page: a test that looks for the button from outside may see it too late
CANCEL_AT_ONCE = """
() => new MutationObserver((_, changes) => {
  const button = document.querySelector("#mv-tab-video-to-music .mv-cancel");
  if (!button?.offsetParent) return;
  changes.disconnect();
  window.cancelled = true;
  button.click();
}).observe(document.body, { attributes: true, childList: true, subtree: true })
"""


IN_SIGHT = """(part) => {
  const at = document.querySelector(`#mv-tab-library ${part}`)?.getBoundingClientRect();
  return at && at.height > 0 && at.top >= 0 && at.bottom <= innerHeight && at.left >= 0 && at.right <= innerWidth;
}"""


@on_a_phone_too
def test_an_own_file_is_added_edited_searched_removed_and_brought_back(visitor, tmp_path):
    tune = tmp_path / "quiet harbour.wav"
    seconds = np.arange(4 * 22_050) / 22_050
    soundfile.write(tune, 0.3 * np.sin(2 * np.pi * 220 * seconds) * (seconds % 0.5 < 0.25), 22_050)
    page = visitor.open("?tab=library")
    page.locator(ROWS).nth(3).wait_for()
    visitor.upload("mv-upload-library", tune)
    page.locator(ROWS).locator("strong", has_text="quiet harbour").wait_for()
    assert page.locator(ROWS).count() == 1, "the own library holds nothing but the file"
    wave = page.locator(f"{ROWS} .mv-wave").get_attribute("style").split("'")[1]
    assert "<svg" in visitor.server.get(f"/{wave}").text

    page.locator("#mv-tab-library").get_by_label("Find").fill("something else")
    page.locator(f"{LIST} .mv-empty").wait_for()
    page.locator("#mv-tab-library").get_by_label("Find").fill("HARBOUR")
    page.locator(ROWS).locator("strong", has_text="quiet harbour").wait_for()

    page.locator("#mv-tab-library").get_by_label("Find").fill("")
    row = page.locator(ROWS).filter(has_text="quiet harbour")
    row.locator(".mv-edit summary").click()
    boxes = [row.get_by_label(label).bounding_box() for label in ("Title", "Artist", "Genre", "Licence")]
    height = 44 if page.viewport_size["width"] < PHONE_PX else 32  # what a finger, what a mouse needs
    assert all(box["height"] >= height and box["width"] >= 130 for box in boxes)
    row.get_by_label("Title").fill("Loud <b>Harbour</b>")
    row.get_by_label("Artist").fill("Anna Lind")
    row.get_by_label("Genre").fill("ambient; sea")
    row.get_by_label("Licence").fill("cc by 4.0")
    row.locator("[data-event=edit]").click()
    page.locator(ROWS).locator("strong", has_text="Loud <b>Harbour</b>").wait_for()
    assert page.locator(f"{ROWS} .mv-by").inner_text() == "Anna Lind"
    facts = page.locator(f"{ROWS} .mv-facts").inner_text()
    assert "sea" in facts and "CC BY 4.0" in facts and "with credit" in facts
    page.wait_for_function(IN_SIGHT, arg=".mv-told .mv-status-done")

    page.locator(f"{ROWS} [data-event=remove]").click()
    page.locator(f"{LIST} .mv-empty").wait_for()
    assert "Loud" in visitor.status("done")
    assert page.locator("#mv-tab-library [data-goto]").count() == 0, "nothing is left of what was added"
    page.wait_for_function(IN_SIGHT, arg="[data-event=undo]")
    page.locator("#mv-tab-library [data-event=undo]").click()
    page.locator(ROWS).locator("strong", has_text="Loud").wait_for()
    assert page.locator("#mv-tab-library [data-goto]").inner_text() == "Search it now"
    assert fits(page)

    page.locator("#mv-tab-library [data-goto=video-to-music]").click()
    page.wait_for_function(
        "() => document.querySelector('#mv-tab-video-to-music .mv-which input:checked')?.value === 'own'"
    )
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.wait_for_function("() => document.querySelectorAll('#mv-results-v2m .mv-row[data-id]').length === 1")
    page.get_by_role("tab", name="Library").click()
    page.locator(f"{ROWS} [data-event=remove]").click()
    page.locator(f"{LIST} .mv-empty").wait_for()
    soundfile.write(tmp_path / "another.wav", 0.3 * np.sin(2 * np.pi * 990 * seconds), 22_050)
    visitor.upload("mv-upload-library", tmp_path / "another.wav")
    page.locator(ROWS).locator("strong", has_text="another").wait_for()
    page.locator("#mv-tab-library [data-goto=video-to-music]").click()
    found = page.locator("#mv-results-v2m .mv-row[data-id]")
    found.locator("strong", has_text="another").wait_for()  # also where this library was searched before
    assert found.count() == 1
    page.get_by_role("tab", name="Library").click()
    assert not list(visitor.server.home.rglob("quiet harbour.wav")), "gone for good with the next addition"
    page.locator(f"{ROWS} [data-event=remove]").click()
    page.locator(f"{LIST} .mv-empty").wait_for()
    assert list((visitor.server.home / "page-cache").glob("*.part")) == []


# what a hand drops on a box, or on whatever lies there in place of it; true where the browser does not leave the page
DROP = """([selector, files]) => {
  const at = document.querySelector(selector).getBoundingClientRect();
  const part = document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2);
  const data = new DataTransfer();
  for (const [name, bytes] of files)
    data.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name, { type: "audio/wav" }));
  const drag = (what) =>
    part.dispatchEvent(new DragEvent(what, { bubbles: true, cancelable: true, dataTransfer: data }));
  drag("dragenter");
  drag("dragover");
  return !drag("drop");
}"""


LISTEN = """() => {
  window.told = [];
  const look = () => document.querySelectorAll("#mv-tab-library :is(.mv-status, .mv-held)")
    .forEach((line) => told.includes(line.innerText.trim()) || told.push(line.innerText.trim()));
  new MutationObserver(look).observe(document.body, { characterData: true, childList: true, subtree: true });
}"""


def drop(page, selector: str, *files) -> bool:
    data = [[file.name, base64.b64encode(file.read_bytes()).decode()] for file in files]
    return page.evaluate(DROP, [selector, data])


def test_files_that_are_dropped_while_others_arrive_or_are_added_follow_them(visitor, tmp_path):
    noise = np.random.default_rng(12)
    names = ["first", "second", "while they arrive", "while they are added", "after a reload"]
    for number, name in enumerate(names):
        seconds = 25 if number < 2 else 3
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * noise.standard_normal(seconds * 16_000), 16_000)
    first, second, third, fourth, last = (tmp_path / f"{name}.wav" for name in names)
    page = visitor.open("?tab=library")
    page.locator(ROWS).nth(3).wait_for()
    page.evaluate(LISTEN)
    assert drop(page, "#mv-tab-library h2", last), "beside the box nothing opens in place of the page"
    assert drop(page, "#mv-upload-library", first, second)
    page.locator("#mv-upload-library [type=file]").wait_for(state="detached")
    assert drop(page, "#mv-upload-library", third)
    page.wait_for_function("told.some((said) => said.includes('then 1 more'))")
    visitor.upload("mv-upload-library", fourth)
    page.wait_for_function("told.some((said) => said.includes('then 2 more'))")
    assert "When these have arrived: 1 more" in page.evaluate("told")
    page.reload()
    page.locator("#mv-tab-library .mv-status").filter(has_text="dd").first.wait_for()  # adding, or added
    visitor.upload("mv-upload-library", last)
    page.locator("#mv-tab-library").get_by_label("Find").fill("while")
    visitor.status("done", "added.")
    assert sorted(page.locator(f"{ROWS} strong").all_inner_texts()) == sorted(names[2:4]), (
        "as the controls stand"
    )
    page.locator("#mv-tab-library").get_by_label("Find").fill("")
    page.locator(ROWS).nth(4).wait_for()
    assert sorted(page.locator(f"{ROWS} strong").all_inner_texts()) == sorted(names)
    page.locator("#mv-tab-library [data-goto]").wait_for()
    page.get_by_role("button", name="Stop adding").wait_for(state="hidden")
    # clicks that are faster than their answers count, too
    page.evaluate(f"document.querySelectorAll('{ROWS} [data-event=remove]').forEach((one) => one.click())")
    page.locator(f"{LIST} .mv-empty").wait_for()


def test_a_search_that_is_cancelled_leaves_what_was_there(visitor, clips):
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator("#mv-results-v2m .mv-row[data-id]").first.wait_for()
    page.locator("#mv-tab-video-to-music .mv-stage video").wait_for()
    cancel = page.locator("#mv-tab-video-to-music .mv-cancel")
    cancel.wait_for(state="hidden")
    ids = "rows => rows.map(row => row.dataset.id)"
    before = page.locator("#mv-results-v2m .mv-row[data-id]").evaluate_all(ids)
    shown = page.locator("#mv-tab-video-to-music .mv-file-name").inner_text()

    page.evaluate(CANCEL_AT_ONCE)
    quick = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "35", "-pix_fmt", "yuv420p"]
    visitor.upload("mv-upload-v2m", clips("slow.mp4", *quick, seconds=59, size="1280x720"))
    page.wait_for_function("() => window.cancelled")
    cancel.wait_for(state="hidden")
    page.wait_for_function(
        "name => document.querySelector('#mv-tab-video-to-music .mv-file-name')?.innerText === name",
        arg=shown,
    )
    page.locator("#mv-tab-video-to-music .mv-stage video").wait_for()
    page.wait_for_function(
        "before => String([...document.querySelectorAll('#mv-results-v2m .mv-row[data-id]')]"
        ".map(row => row.dataset.id)) === String(before)",
        arg=before,
    )
