"""The main job in a real browser: a clip becomes a ranked list, a preview and a file to take away."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import expect

from eval.timelines.reading import read_timeline
from mvr.media.sound import read_stereo
from tests.browser.conftest import ROWS, choose, on_a_phone_too, on_screens
from tests.browser.hearing import EAR

pytestmark = pytest.mark.browser

EXAMPLE = "#mv-examples-v2m [data-event=pick]"
DOWNLOAD = "#mv-tab-video-to-music [data-event=download]"
HEARD_PLAYER = "mvAudition.tabs.get('m2v').player"
# mean square of what is heard during a second and a half, from which second of the picture to which
LISTEN = f"""async () => {{
  const first = {HEARD_PLAYER}.position(), squares = [];
  while ({HEARD_PLAYER}.position() < first + 1.5) {{
    squares.push(heard().rms ** 2);
    await new Promise((next) => setTimeout(next, 15));
  }}
  return [squares.reduce((sum, one) => sum + one, 0) / squares.length, first, {HEARD_PLAYER}.position()];
}}"""


def ids(page) -> list[str]:
    return page.eval_on_selector_all(ROWS, "rows => rows.map(row => row.dataset.id)")


def start_example(visitor, query: str = "", number: int = 0):
    page = visitor.open(query)
    page.locator(EXAMPLE).nth(number).click()
    page.locator(ROWS).first.wait_for()
    page.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached")
    visitor.rest()
    return page


def decoded(path: Path) -> tuple[int, int]:
    """Frames of picture and of sound that really decode."""
    with av.open(str(path)) as container:
        frames = [0, 0]
        for packet in container.demux():
            for _ in packet.decode():
                frames[packet.stream.type == "audio"] += 1
    return frames[0], frames[1]


@pytest.mark.timelines
@on_a_phone_too
def test_an_example_is_ranked_previewed_and_exported(visitor, tmp_path):
    page = start_example(visitor)
    assert len(ids(page)) == 10
    assert page.locator("[data-export=mp4]").count() == 0, "there is nothing to take away yet"

    expect(page.locator(DOWNLOAD)).to_be_disabled()  # no track is chosen
    page.locator(f"{ROWS} [data-hear]").first.click()
    page.wait_for_function(
        "() => { const v = document.querySelector('.mv-stage video'); return v && v.currentTime > 0.3 && !v.error; }"
    )
    visitor.answered()
    with page.expect_download() as waiting:
        page.locator(DOWNLOAD).click()
    path = tmp_path / "out.mp4"
    waiting.value.save_as(path)
    assert re.fullmatch(r".+ \+ .+\.mp4", waiting.value.suggested_filename)
    pictures, sounds = decoded(path)
    assert pictures > 100 and sounds > 100

    with page.expect_download() as waiting:
        page.locator("[data-export=pack]").click()
    waiting.value.save_as(tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        decision = json.loads(pack.read("decision.json"))
        assert decision["chosen"] == ids(page)[0]
        assert [result["id"] for result in decision["ranking"]["results"]] == ids(page)
        assert "path" not in decision["ranking"]["results"][0]
        assert b"licence" in pack.read("credit.txt")
        evidence = json.loads(pack.read("claim evidence.json"))
        assert evidence["licence"]["may_use"] == "commercially" and "cue sheet.csv" in pack.namelist()

    with page.expect_download() as waiting:
        page.locator("[data-export=timeline]").click()
    waiting.value.save_as(tmp_path / "cut.otioz")
    placed = read_timeline(tmp_path / "cut.otioz").placed
    assert {place.track for place in placed if not place.heard} == {3, 4, 5, 6}, "four muted alternates"


def test_who_earns_money_sees_music_that_allows_it(visitor):
    page = start_example(visitor)
    assert page.locator(f"{ROWS} .mv-may").first.inner_text() == "use: commercially"
    before = ids(page)
    page.get_by_text("Refine", exact=True).first.click()
    with page.expect_response(lambda answer: "/queue/join" in answer.url):
        page.get_by_label("I earn money with this").first.check()
    visitor.rest()
    assert ids(page) == before, "the demo library is all CC0 and its system's weights are our own"


def test_alpha_ranks_again_without_encoding_and_the_address_keeps_it(visitor):
    page = start_example(visitor, "?alpha=0")
    slider = page.locator("#mv-tab-video-to-music .mv-alpha input[type=range]")
    assert float(slider.input_value()) == 0
    left = ids(page)
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function("() => new URL(location.href).searchParams.get('alpha') === '0.05'")
    slider.press("End")
    page.wait_for_function("() => new URL(location.href).searchParams.get('alpha') === '1'")
    page.wait_for_function(
        "before => JSON.stringify([...document.querySelectorAll('#mv-results-v2m .mv-row[data-id]')]"
        ".map(row => row.dataset.id)) !== before",
        arg=json.dumps(left, separators=(",", ":")),
    )
    right = ids(page)
    slider.press("Home")
    page.wait_for_function(
        "before => JSON.stringify([...document.querySelectorAll('#mv-results-v2m .mv-row[data-id]')]"
        ".map(row => row.dataset.id)) === before",
        arg=json.dumps(left, separators=(",", ":")),
    )
    assert left != right


def test_one_player_sounds_at_a_time_and_a_track_starts_where_it_fits(visitor):
    page = start_example(visitor)
    first, second = page.locator(ROWS).nth(0), page.locator(ROWS).nth(1)
    assert page.locator("audio, video").evaluate_all("all => all.every(m => m.paused)"), (
        "nothing plays unasked"
    )
    first.locator(".mv-play").click()
    page.wait_for_function(
        "id => { const row = document.querySelector(`#mv-results-v2m .mv-row[data-id='${id}']`);"
        " const sound = row?.querySelector('audio');"
        " return sound && !sound.paused && sound.currentTime > Number(row.dataset.start) + 0.1; }",
        arg=first.get_attribute("data-id"),
    )
    second.locator(".mv-play").click()
    page.wait_for_function(
        "id => [...document.querySelectorAll('#mv-results-v2m .mv-row audio')]"
        ".every(sound => sound.paused === (sound.closest('.mv-row').dataset.id !== id))",
        arg=second.get_attribute("data-id"),
    )
    page.get_by_role("tab", name="Library").click()
    page.wait_for_function("() => [...document.querySelectorAll('audio, video')].every(m => m.paused)")


IN_SIGHT = """() => {
  const video = document.querySelector("#mv-tab-video-to-music .mv-stage video");
  if (!video) return false;
  const at = video.getBoundingClientRect();
  const seen = Math.min(at.bottom, innerHeight) - Math.max(at.top, 0);
  return video.currentTime > 0 && seen > 0.9 * at.height;
}"""


@on_screens("375x800", "1280x800")
def test_a_track_far_down_the_list_is_heard_on_a_clip_in_sight(visitor):
    page = start_example(visitor)
    page.locator(f"{ROWS} [data-hear]").last.click()
    page.wait_for_function(IN_SIGHT)
    assert page.evaluate("scrollY") > 300, "and the page did not jump to it"


def test_a_library_without_music_says_so_and_not_that_filters_left_none(visitor):
    page = start_example(visitor)
    page.get_by_role("button", name="Refine").first.click()
    choose(page.get_by_role("radio", name="My library").first)
    page.get_by_text("This library holds no music").wait_for()


@on_a_phone_too
def test_a_filter_that_nothing_passes_says_so_and_can_be_loosened(visitor):
    page = start_example(visitor)
    page.get_by_role("button", name="Refine").first.click()
    low = page.get_by_label("Tempo from (bpm)").first
    low.fill("399")
    low.press("Enter")
    page.get_by_text("No track matches these filters").wait_for()
    low.fill("fast")
    low.press("Enter")
    visitor.status("error", "“fast” is not a number")
    low.fill("")
    low.press("Enter")
    page.locator(ROWS).first.wait_for()
    page.get_by_label("Instrument (guessed)").first.click()
    page.get_by_role("option", name="strings").first.click()
    page.wait_for_function("rows => document.querySelectorAll(rows).length === 2", arg=ROWS)
    heard = page.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.words)")
    assert all("|strings|" in words for words in heard)


def test_a_file_of_another_own_sound_is_written_anew(visitor):
    page = start_example(visitor)
    page.locator(f"{ROWS} [data-hear]").first.click()
    made = page.locator("#mv-tab-video-to-music [data-export=mp4]")
    for sound in ("Mixed in", "Music makes room"):
        choose(page.get_by_role("radio", name=sound).first)
        made.wait_for(state="detached")
        with page.expect_download():
            page.locator(DOWNLOAD).click()
        made.wait_for()


def test_the_whole_path_by_keyboard_alone(visitor):
    page = visitor.open()
    page.locator(EXAMPLE).first.focus()
    page.keyboard.press("Enter")
    page.locator(ROWS).first.wait_for()
    page.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached")
    page.locator(f"{ROWS} .mv-play").first.focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.mv-row') !== null")
    page.locator(f"{ROWS} [data-hear]").first.focus()
    page.keyboard.press("Enter")
    page.locator(f"{DOWNLOAD}:enabled").focus()
    with page.expect_download():
        page.keyboard.press("Enter")


def test_a_tab_of_the_address_is_opened_and_arrows_move_between_tabs(visitor):
    page = visitor.open("?tab=library")
    page.wait_for_function(
        "() => document.querySelector('[role=tab][aria-selected=true]')?.textContent.trim() === 'Library'"
    )
    page.get_by_role("tab", name="Library").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => new URL(location.href).searchParams.get('tab') === 'video-to-music'")


@on_a_phone_too
def test_music_finds_videos_and_is_heard_as_it_is_taken_away(visitor, tmp_path):
    visitor.page.add_init_script(EAR)
    page = visitor.open("?tab=music-to-video")
    page.locator("#mv-examples-m2v [data-event=pick]", has_text="Velvet Turnstile").click()
    rows = page.locator("#mv-results-m2v .mv-row[data-id]")
    rows.first.wait_for()
    assert rows.first.locator("video").get_attribute("poster")
    rows.first.locator("[data-hear]").click()
    visitor.answered()  # a person looks before pressing the next button
    with page.expect_download() as waiting:
        page.locator("#mv-tab-music-to-video [data-event=download]:enabled").click()
    assert waiting.value.suggested_filename.endswith(".mp4")
    waiting.value.save_as(tmp_path / "taken.mp4")
    taken = read_stereo(tmp_path / "taken.mp4", 48000).mean(axis=1)
    page.evaluate(f"{HEARD_PLAYER}.seek(1)")
    page.wait_for_function(f"() => {HEARD_PLAYER}.playing() && {HEARD_PLAYER}.position() > 1.5")
    power, first, last = page.evaluate(LISTEN)
    written = np.mean(taken[round(48000 * (first - 0.04)) : round(48000 * last)] ** 2)
    assert abs(10 * np.log10(power / written)) < 1.5, "as loud as what is taken away"
    line = page.locator("#mv-tab-music-to-video .mv-strip-line").inner_text()
    assert f"Music from {float(rows.first.get_attribute('data-from')):.2f} s" in line


@pytest.mark.parametrize("alpha", ["0.3", "1"])
def test_the_page_and_the_command_line_give_one_list_for_one_clip(visitor, tmp_path, alpha):
    clip = min((Path(__file__).parents[2] / "assets" / "demo" / "videos").glob("*.mp4"))
    page = visitor.open(f"?alpha={alpha}")
    visitor.upload("mv-upload-v2m", clip)
    page.locator(ROWS).first.wait_for()
    link = page.locator("[data-export=json]")
    link.wait_for()
    with page.expect_download() as waiting:
        link.click()
    waiting.value.save_as(tmp_path / "list.json")
    shown = json.loads((tmp_path / "list.json").read_text())

    command = [sys.executable, "-m", "mvr", "recommend", str(clip), "--alpha", alpha, "--json"]
    printed = subprocess.run(
        command, env={**os.environ, "MVR_HOME": str(tmp_path / "home")}, capture_output=True, check=True
    )
    told = json.loads(printed.stdout)
    assert ids(page) == [result["id"] for result in told["results"]]
    for here, there in zip(shown["results"], told["results"], strict=True):
        assert here["score"] == pytest.approx(there["score"], abs=1e-6)
        assert (here["id"], here["start_s"]) == (there["id"], there["start_s"])
