"""The two time lines under the picture, in a real browser."""

from __future__ import annotations

import contextlib
import json

import av
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from eval.timelines.reading import read_timeline
from mvr.page.texts import SCRIPTS
from tests.browser.conftest import on_screens

pytestmark = pytest.mark.browser

STRIP = "#mv-tab-video-to-music .mv-strip"
HEARD_FROM = "Number(document.querySelector('#mv-results-v2m .mv-row.is-heard')?.dataset.from)"

# counts what reaches a mark
TAPS = """() => {
  window.taps = 0;
  document.addEventListener("click", told => { if (told.target.closest("[data-place]")) window.taps += 1; }, true);
}"""

PLAN_IN_SIGHT = """() => {
  const at = document.querySelector("#mv-tab-video-to-music .mv-plan").getBoundingClientRect();
  return at.top >= 0 && at.bottom <= innerHeight;
}"""

# what a sound says that no server sends
NO_SERVER = """() => {
  const plain = window.fetch;
  window.fetch = () => Promise.reject(new TypeError("Failed to fetch"));
  return mvSounds.load("media/none").catch(error => error.message).finally(() => { window.fetch = plain; });
}"""

# what the page does when the server has measured meanwhile
REFINED = "row => { row.dataset.timing += ' '; mvAudition.tabs.get('v2m').paint(); }"


@pytest.mark.timelines
def test_music_is_moved_under_the_clip_and_a_track_is_fitted_to_it_heard_and_taken_away(visitor, tmp_path):
    page = visitor.open()
    page.locator("#mv-examples-v2m [data-event=pick]", has_text="Confetti Geometry").click()
    page.locator("#mv-results-v2m .mv-row[data-timing]").first.wait_for()
    page.locator("#mv-results-v2m [data-hear]").first.click()
    strip = page.locator(STRIP)
    strip.wait_for()
    visitor.rest()
    row = page.locator("#mv-results-v2m .mv-row.is-heard")
    beats = row.evaluate("r => JSON.parse(r.dataset.timing).music.beats_s")
    before = float(row.get_attribute("data-from"))

    def drag(by: int, *keys: str) -> float:
        box = visitor.place(STRIP, down=0.55)
        x, y = box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"]  # the music's line
        for key in keys:
            page.keyboard.down(key)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by / 2, y, steps=2)
        held = strip.element_handle()
        row.evaluate(REFINED)
        assert held.evaluate("strip => strip.isConnected"), "what is held is not drawn anew"
        page.mouse.move(x + by, y, steps=2)
        page.mouse.up()
        for key in keys:
            page.keyboard.up(key)
        return float(row.get_attribute("data-from"))

    snapped = drag(97 if before > 8 else -97)
    assert snapped != before and min(abs(beat - snapped) for beat in beats) < 0.002
    free = drag(-23, "Alt")
    assert free != snapped
    button = page.locator("#mv-tab-video-to-music [data-place]").first
    said = f"Start the music at {button.inner_text()}, good start 1"
    assert page.get_by_role("button", name=said, exact=True).count() == 1
    button.click()
    place = float(page.locator("#mv-tab-video-to-music [data-place]").first.get_attribute("data-place"))
    assert float(row.get_attribute("data-from")) == pytest.approx(place, abs=1e-3)
    line = page.locator("#mv-tab-video-to-music .mv-strip-line").inner_text()
    assert f"{place:.2f}" in line
    take = page.locator("#mv-tab-video-to-music [data-event=download]").first
    assert take.get_attribute("data-id").endswith(f"@{place:.3f}")

    # drawn anew, the list leaves one start to what is heard, shown and taken away
    row.evaluate("row => { row.dataset.old = 1; }")
    alpha = page.locator("#mv-tab-video-to-music .mv-alpha input[type=range]")
    alpha.focus()
    alpha.press("ArrowLeft")
    page.wait_for_function("!document.querySelector('#mv-results-v2m [data-old]')")
    visitor.rest()
    assert page.evaluate("mvAudition.tabs.get('v2m').player.current()").endswith(f" {place:.3f}")
    assert float(row.get_attribute("data-from")) == pytest.approx(place, abs=1e-3)
    assert f"{place:.2f}" in page.locator("#mv-tab-video-to-music .mv-strip-line").inner_text()
    assert take.get_attribute("data-id").endswith(f"@{place:.3f}")
    shown = f"from {int(place) // 60}:{int(place) % 60:02}" if place >= 0.5 else "from the beginning"
    assert row.locator(".mv-because").inner_text().endswith(shown)

    on_beats = json.loads(row.get_attribute("data-timing"))["placed"]["on_beats"]
    page.get_by_role("button", name="most cuts on beats near here").click()
    assert float(row.get_attribute("data-from")) == pytest.approx(on_beats["start_s"], abs=1e-3)
    line = page.locator("#mv-tab-video-to-music .mv-strip-line").inner_text()
    share, random = (round(100 * on_beats[name]) for name in ("share", "random"))
    assert f"{share} % of cuts near a beat (random cuts: {random} %)" in line

    # by keyboard: a beat on, a beat back, free with Alt, to the end and back
    slider = page.locator("#mv-tab-video-to-music .mv-strip-music[role=slider]")
    slider.focus()
    page.keyboard.press("Home")
    steps = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Alt+ArrowRight"):
        page.keyboard.press(key)
        steps.append(float(slider.get_attribute("aria-valuenow")))
    first, second = [beat for beat in beats if beat > 0.01][:2]
    assert steps == pytest.approx([first, second, first, first + 0.1], abs=0.01)
    page.wait_for_function(f"() => Math.abs({HEARD_FROM} - {steps[-1]}) < 0.01")
    expect(slider).to_be_focused()  # the next key goes on

    # a hand that takes hold right after a key goes on, too
    box = visitor.place(STRIP, down=0.55)
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"]
    page.mouse.move(x, y)
    page.keyboard.press("ArrowRight")
    page.mouse.down()
    page.mouse.move(x - 40, y, steps=2)
    page.wait_for_timeout(500)
    held_at = float(slider.get_attribute("aria-valuenow"))
    page.mouse.move(x - 160, y, steps=2)
    assert float(slider.get_attribute("aria-valuenow")) > held_at + 0.5
    page.mouse.up()
    fit_and_take(visitor, tmp_path)


def fit_and_take(visitor, tmp_path):
    """On the same page: the hit, a refusal, the plan, the sound, the files."""
    page = visitor.page
    panel = page.locator("#mv-tab-video-to-music")
    panel.locator(".mv-strip").wait_for()
    chosen = page.locator("#mv-results-v2m .mv-row.is-heard").get_attribute("data-id")
    duration_s = float(panel.locator(".mv-stage").get_attribute("data-duration"))

    # a click on the clip's line names the hit; a second outside of the clip is one sentence
    box = visitor.place(STRIP, down=0.1)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.1 * box["height"])
    hit = panel.locator("[name=hit]")
    assert float(hit.input_value()) == pytest.approx(duration_s / 2, abs=0.1)
    expect(panel.locator(".mv-strip-hit")).to_have_count(1)
    hit.fill("900")
    panel.locator("[data-event=fit]").click()
    visitor.status("error", "outside the clip")
    hit.fill("")
    hit.press("Enter")
    plan = panel.locator(".mv-plan")
    plan.wait_for()
    assert "the clip's end" in plan.inner_text()
    page.wait_for_function(PLAN_IN_SIGHT)
    page.wait_for_function("mvAudition.tabs.get('v2m').player.current()?.startsWith('fitted')")
    pieces = json.loads(plan.get_attribute("data-pieces"))
    assert sum(length for _, _, length in pieces) == pytest.approx(duration_s, abs=1e-3)
    expect(panel.locator(".mv-strip-join")).to_have_count(len(pieces) - 1)
    take = panel.locator("[data-event=download]").first
    assert take.get_attribute("data-id") == f"{chosen}@fit"

    with page.expect_download() as music:
        plan.locator("[data-export=fit-music]").click()
    with av.open(str(music.value.path())) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples == round(duration_s * 48_000)
    with page.expect_download() as timeline:
        plan.locator("[data-export=fit-timeline]").click()
    out = tmp_path / "t.otioz"
    timeline.value.save_as(out)
    live = [
        place
        for place in read_timeline(out).placed
        if place.heard and "(own sound)" not in place.name and place.track > 0
    ]
    assert len(live) == len(pieces)

    # moved by hand, fitted music is the track again, from where it was taken hold of
    slider, line = panel.locator(".mv-strip-music"), panel.locator(".mv-strip-line")
    expect(slider).to_have_attribute("aria-valuenow", f"{pieces[0][1]:.2f}")
    box = visitor.place(STRIP, down=0.55)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"])
    page.mouse.down()
    page.keyboard.down("Alt")
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"])
    at = max(0.0, pieces[0][1] - 0.05 * duration_s)
    assert f"Music from {at:.1f}" in line.inner_text() and panel.locator(".mv-strip-join").count() == 0
    page.mouse.up()
    page.keyboard.up("Alt")
    expect(plan.locator("[data-fit-choice=plain]")).to_have_attribute("aria-pressed", "true")
    plan.locator("[data-fit-choice=fit]").click()
    page.wait_for_function("mvAudition.tabs.get('v2m').player.current()?.startsWith('fitted')")

    plan.locator("[data-fit-choice=plain]").click()
    page.wait_for_function(
        "!document.querySelector('#mv-tab-video-to-music [data-event=download]').dataset.id.endsWith('@fit')"
    )
    page.wait_for_function("mvAudition.tabs.get('v2m').player.current()?.startsWith('fitted') === false")

    # another clip comes while a hand holds the music
    box, before = visitor.place(STRIP, down=0.55), panel.locator(".mv-stage").get_attribute("data-clip")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"])
    page.mouse.down()
    page.evaluate("document.querySelector('#mv-examples-v2m [data-event=pick]').click()")
    expect(panel.locator(".mv-stage[data-clip]")).not_to_have_attribute("data-clip", before)
    page.mouse.up()
    visitor.rest()
    page.locator("#mv-results-v2m [data-hear]").first.click()
    panel.locator(".mv-strip").wait_for()


# a track of 13 s under a clip of 20 s, from 3.1 s on: the line below it, and where its rounds are drawn
STARTS_OVER = """() => {
  const place = document.createElement("div"), row = document.createElement("div");
  const beats = Array.from({ length: 26 }, (_, n) => 0.1 + n / 2), curve = [0, 50, 100];
  row.dataset.from = "3.100";
  row.dataset.timing = JSON.stringify({
    clip: { duration_s: 20, cuts_s: [1, 4.25, 8.5, 12, 15.5], curve, rate_hz: 0.15 },
    music: { duration_s: 13, beats_s: beats, downbeats_s: [], sections_s: [], curve, rate_hz: 0.2 },
    placed: { start_s: 3.1, told: "shorter than the clip", places_s: [], random: 40, on_beats: null },
  });
  document.querySelector("#mv-tab-video-to-music").append(place);
  mvStrip.draw(place, row, {});
  const rounds = [...place.querySelectorAll(".mv-strip-music svg")].map((one) => Number(one.getAttribute("x")) / 50);
  const shaded = [...place.querySelectorAll(".mv-strip-heard")]
    .map((one) => [Number(one.getAttribute("x")), Number(one.getAttribute("width"))].map((wide) => wide * 0.013));
  return [place.querySelector(".mv-strip-line").innerText, rounds, shaded];
}"""


@on_screens("375x720")
def test_a_finger_moves_the_music_on_a_phone(visitor):
    page = visitor.open()
    assert page.evaluate(NO_SERVER) == SCRIPTS["sound_lost"]
    line, rounds, shaded = page.evaluate(STARTS_OVER)
    assert "67 % of cuts near a beat (random cuts: 40 %)" in line, "as the command line counts them"
    assert rounds == pytest.approx([0, 8.9])
    assert "starts over once" in line
    [heard] = shaded  # from 3.1 to 12 s, and again from the middle of the crossfade on: 1 to 12.1 s
    assert heard == pytest.approx([1.0, 11.1])
    page.locator("#mv-examples-v2m [data-event=pick]").first.click()
    page.locator("#mv-results-v2m .mv-row[data-timing]").first.wait_for()
    page.locator("#mv-results-v2m [data-hear]").first.tap()
    page.locator("#mv-tab-video-to-music .mv-stage[data-clip]").wait_for()
    visitor.rest()
    page.evaluate("document.querySelector('#mv-tab-video-to-music .mv-stage-box').scrollIntoView()")
    box = visitor.place(STRIP, down=0.55)
    before = page.evaluate(HEARD_FROM)
    assert box["x"] >= 0 and box["x"] + box["width"] <= 375
    name = page.locator("#mv-tab-video-to-music .mv-file-name")
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth"), "the clip's name is not cut off"
    touch = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + 0.55 * box["height"]
    way = 60 if before > 5 else -60
    for kind, at in (
        ("touchStart", x),
        ("touchMove", x + way / 2),
        ("touchMove", x + way),
        ("touchEnd", None),
    ):
        points = [] if at is None else [{"x": at, "y": y}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(f"() => {HEARD_FROM} !== {before}")
    visitor.rest()  # a finger is lifted and put down again later than the next picture
    place = page.locator("#mv-tab-video-to-music [data-place]").first
    assert place.evaluate("button => button.getBoundingClientRect().height") >= 24
    wanted, mark = float(place.get_attribute("data-place")), place.element_handle()
    page.evaluate(TAPS)
    for _ in range(3):  # a finger that the browser plays is lost at times after a drag
        place.tap()
        with contextlib.suppress(PlaywrightTimeout):
            page.wait_for_function("taps > 0", timeout=3_000)
            break
        assert mark.evaluate("mark => mark.isConnected"), "marks are not drawn anew under a finger"
    page.wait_for_function(f"() => Math.abs({HEARD_FROM} - {wanted}) < 0.01")


# notes what the server told while it measured and what the line under the list said; once it has told how much of the
# clip it saw, the next answer waits until `proceed()`
LISTEN = """() => {
  window.told = []; window.lines = [];
  const go = new Promise(done => { window.proceed = done; }), plain = window.fetch;
  window.fetch = async (...asked) => {
    if (!String(asked[0]).endsWith("timing.json")) return plain(...asked);
    if (told.some(one => one.said.includes("%"))) await go;
    const answer = await plain(...asked);
    told.push(await answer.clone().json());
    return answer;
  };
  new MutationObserver(() => document.querySelectorAll("#mv-results-v2m [data-measuring]").forEach(line => {
    if (!line.hidden && line.textContent) lines.push(line.textContent);
  })).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def test_a_longer_clip_is_listed_first_and_its_starts_follow_without_a_jump_in_what_is_heard(visitor, clips):
    page = visitor.open()
    page.evaluate(LISTEN)
    large = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "40", "-pix_fmt", "yuv420p", "-c:a", "aac")
    clip = clips(
        "long.mp4", *large, seconds=33, size="1920x1080"
    )  # small ones are seen through before one asks again
    visitor.upload("mv-upload-v2m", clip)
    page.locator("#mv-tab-video-to-music .mv-stage").get_by_text(clip.name, exact=True).wait_for()
    rows = page.locator("#mv-results-v2m .mv-row[data-id]")
    rows.first.wait_for()
    page.wait_for_function("told.length > 0")
    assert page.evaluate("told[0].done") is False and page.evaluate("told[0].rows") == {}
    placed = """[...document.querySelectorAll('#mv-results-v2m .mv-row[data-id]')]
        .filter(row => (row.dataset.timing || '').includes('"placed"')).length"""
    assert page.evaluate(placed) == 0, "the list does not wait for the clip"
    page.wait_for_function("lines.some(line => /\\d+ %/.test(line))")

    rows.first.locator("[data-hear]").click()
    heard = page.locator("#mv-results-v2m .mv-row.is-heard")
    heard.wait_for()
    before = heard.evaluate("row => [row.dataset.id, row.dataset.from, row.dataset.start]")
    page.evaluate("proceed()")
    page.wait_for_function("told.at(-1).done")
    page.wait_for_function(f"{placed} > 0")
    assert heard.evaluate("row => [row.dataset.id, row.dataset.from, row.dataset.start]") == before
    known = page.evaluate("Object.assign({}, ...told.map(one => one.rows))")
    shown = rows.evaluate_all(
        "rows => Object.fromEntries(rows.map(row => [row.dataset.id, row.dataset.from]))"
    )
    assert set(shown) == set(known)
    assert all(known[name]["from"] == start for name, start in shown.items() if name != before[0])
    expect(page.locator("#mv-results-v2m [data-measuring]")).to_be_hidden()
