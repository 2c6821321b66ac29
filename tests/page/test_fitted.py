"""A result cut to the clip's length on the page: what is asked, the plan in words, the files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from eval.speed.ear import RATE_HZ, write_wave
from eval.timelines.reading import read_timeline
from mvr.commands.fit import describe
from mvr.datatypes import Direction
from mvr.embeddings.system import load_system
from mvr.errors import NotInLibrary, UsageError
from mvr.library import Library
from mvr.media.mux import MuxSettings, mux_music
from mvr.media.probe import probe
from mvr.media.sound import read_stereo
from mvr.page import texts
from mvr.page.search.desk import Ask, Clip, Desk
from mvr.page.search.exports import credit_text
from mvr.page.search.fitted import Typed, fit_html, fit_result, fitted_of, plan_words
from mvr.page.search.preview import Taken, mux_preview
from mvr.page.search.search_view import View
from mvr.page.serving import Shelf
from mvr.retrieval import Filters, Retriever
from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece


@pytest.fixture
def place(tiny_assets: Path, tmp_path: Path, make_tone, make_clip):
    """A desk with a clip of 3 s on it and two tones of 5 s in the list."""
    folder = tmp_path
    system, library = load_system("tiny"), Library.open(folder / "library")
    library.add([make_tone(folder / f"{n}.wav", seconds=5.0, seed=n) for n in range(2)], system)
    clip = make_clip(folder / "clip.mp4", seconds=3.0, rate_hz=25)
    retriever = Retriever(library, system)
    desk = Desk(direction=Direction.VIDEO_TO_MUSIC, owner="visit")
    desk.put(Clip(path=clip, name="clip", info=probe(clip), shared=True), {}, desk.turn)
    desk.asked = Ask(alpha=0.3, library="own", system="tiny", filters=Filters())
    desk.ranked = retriever.rank(retriever.embed_query(clip, desk.direction), 0.3)
    visit = SimpleNamespace(
        id="visit",
        folder=folder / "visit",
        new_file=lambda suffix: folder / f"made{len(list(folder.iterdir()))}{suffix}",
    )
    shelf = Shelf()
    view = View(SimpleNamespace(), shelf, desk.direction, texts.VIDEO_TO_MUSIC)
    return SimpleNamespace(**locals())


@pytest.mark.timelines
def test_the_fitted_music_is_what_the_film_and_the_timeline_hold(place) -> None:
    desk, row = place.desk, place.view.rows(place.desk)[1]
    desk.fitted = fit_result(place.visit, desk, row, Typed(ending="fade"))
    assert fitted_of(desk, row.id) is None and fitted_of(desk, f"{row.id}@fit") is desk.fitted
    with pytest.raises(NotInLibrary, match="press “Fit” again"):
        fitted_of(desk, "0" * 16 + "@fit")
    plan = desk.fitted.plan
    preview = mux_preview(
        place.visit, desk, Taken(row=row, original="mute", fitted=desk.fitted), lambda _: None
    )
    assert probe(preview.path).duration_s == pytest.approx(3.0, abs=0.04)
    assert Taken(row=row, original="mute", fitted=desk.fitted).made(preview)
    assert not Taken(row=row, original="mute").made(preview), "the plain cut is another file"
    assert "cut to the clip's length" in credit_text(preview)
    html = fit_html(place.shelf, place.visit, desk)
    for line in plan_words(plan):
        assert line.replace("'", "&#39;") in html
    address = html.split('-export="fit-timeline"')[0].rsplit('href="media/', 1)[1].split("/")[0]
    read = read_timeline(place.shelf.made(place.shelf.take(address)))
    live = [each for each in read.placed if each.heard and each.track > 0]
    assert len(live) == len(plan.pieces)
    for typed, said in (
        (Typed(hit="soon"), "soon"),
        (Typed(hit="9"), "outside"),
        (Typed(ending="loud"), "loud"),
    ):
        with pytest.raises(UsageError, match=said):
            fit_result(place.visit, place.desk, row, typed)


def test_a_plan_is_told_with_its_joins_its_hit_and_what_could_not_be_done() -> None:
    pieces = (
        Piece(source_start_s=4.0, source_end_s=12.0, start_s=0.0),
        Piece(
            source_start_s=20.0,
            source_end_s=24.0,
            start_s=8.0,
            likeness=0.934,
            percentile=0.981,
            crossfade_s=0.02,
        ),
    )
    plan = FitPlan(
        pieces=pieces, length_s=12.0, method=Method.BARS, ending=Ending.REAL, hit_s=8.0, hit_error_s=0.012,
        end_error_s=-0.25, note="the end is early",
    )  # fmt: skip
    assert plan_words(plan) == [
        "0.00 s: the track from 4.00 to 12.00 s",
        "8.00 s: the track from 20.00 to 24.00 s, joined with likeness 0.93, better than 98 % of all jumps",
        "Ends with the track's own ending, 0.25 s before the clip's end.",
        "Hits at 8.00 s with second 20.00 of the track, +12 ms off.",
        "The end is early.",
    ]
    assert json.dumps(plan.to_json())


def test_music_that_is_moved_under_a_shorter_video_begins_at_a_second_of_the_music(place) -> None:
    place.library.add([place.clip], place.system)
    music, direction = place.folder / "0.wav", Direction.MUSIC_TO_VIDEO
    desk = Desk(direction=direction, owner="visit", asked=place.desk.asked)
    desk.put(Clip(path=music, name="0.wav", info=probe(music), shared=True), {}, desk.turn)
    desk.ranked = place.retriever.rank(place.retriever.embed_query(music, direction), 0.3)
    view, [result] = (
        View(SimpleNamespace(), place.shelf, direction, texts.MUSIC_TO_VIDEO),
        desk.ranked.results,
    )
    assert view.row(desk, f"{result.item.id}@4.500").music_from_s == 4.5, "the video is 3 s long, the music 5"
    with pytest.raises(NotInLibrary):
        view.row(desk, f"{result.item.id}@5.500")


def test_under_a_found_video_the_music_is_heard_as_it_is_taken_away(place, tmp_path: Path) -> None:
    place.library.add([place.clip], place.system)
    t = np.arange(30 * RATE_HZ) / RATE_HZ
    loud = np.where(t < 20, 0.02, 0.5)  # a soft part is not lifted by as much as the whole track
    music = write_wave(tmp_path / "swell.wav", loud * np.sin(2 * np.pi * (300 * t + 40 * t * t)))
    direction = Direction.MUSIC_TO_VIDEO
    desk = Desk(direction=direction, owner="visit", asked=place.desk.asked)
    desk.put(Clip(path=music, name="swell.wav", info=probe(music)), {}, desk.turn)
    ranked = place.retriever.rank(place.retriever.embed_query(music, direction), 0.3)
    desk.ranked = replace(
        ranked, results=tuple(replace(result, query_start_s=4.0) for result in ranked.results)
    )
    [row] = View(SimpleNamespace(), place.shelf, direction, texts.MUSIC_TO_VIDEO).rows(desk)
    heard = place.shelf.made(place.shelf.take(row.sound_url.split("/")[1]))
    assert heard.is_relative_to(tmp_path), "beside the visitor's own file"
    mux_music(row.path, music, tmp_path / "out.mp4", MuxSettings(start_s=row.music_from_s))
    lead = slice(24_000, 96_000)
    played, taken = (read_stereo(file, 48_000)[lead, 0] for file in (heard, tmp_path / "out.mp4"))
    assert abs(20 * np.log10(np.std(played) / np.std(taken))) < 0.5, "as loud"
    assert np.corrcoef(played, taken)[0, 1] > 0.98, "from the same second"
    item = place.shelf.take(row.sound_url.split("/")[1])
    moved = item.named("from-22.500.flac")
    mux_music(row.path, music, tmp_path / "out.mp4", MuxSettings(start_s=22.5))
    played, taken = (
        read_stereo(file, 48_000)[lead, 0] for file in (place.shelf.made(moved), tmp_path / "out.mp4")
    )
    assert abs(20 * np.log10(np.std(played) / np.std(taken))) < 0.5, "moved by hand, too"
    assert np.corrcoef(played, taken)[0, 1] > 0.98
    assert [item.named(name) for name in ("from-1.flac", "from--1.000.flac", "../x.flac")] == [None] * 3
    levels = place.shelf.made(place.shelf.take(row.levels_url.split("/")[1]))
    assert json.loads(levels.read_text()).keys() == {"own_db", "mix_db", "duck_db", "hop_s"}
    desk.settle()
    desk.put(replace(desk.clip, shared=True), {}, desk.turn)
    assert heard.exists(), "whoever cancels is given the music back"
    desk.settle()
    assert not heard.exists(), "gone with the music"


def test_a_loop_is_told_once_and_a_late_end_with_its_fade() -> None:
    pieces = tuple(Piece(source_start_s=0.0, source_end_s=2.0, start_s=2.0 * number) for number in range(6))
    plan = FitPlan(
        pieces=pieces, length_s=11.4, method=Method.PLAIN, ending=Ending.REAL, end_error_s=0.6, fade_s=0.6
    )
    assert plan_words(plan) == [
        "0.00 s: the track from 0.00 to 2.00 s",
        "The same 5 times more, up to 12.00 s",
        "Ends with the track's own ending, 0.60 s after the clip's end, so its last 0.6 s in the clip are faded.",
    ]
    assert describe(plan) == [
        "   0.000 s  track    0.000 to    2.000 s",
        "            ... the same 5 times more, up to 12.000 s",
        "ends with the track's own ending, 0.60 s after the clip's end, so its last 0.6 s in the clip are faded",
    ]
