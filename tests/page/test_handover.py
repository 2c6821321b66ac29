"""What the page hands to an editor: the timeline behind its link, and the papers in the pack."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from eval.timelines.reading import read_timeline
from mvr.datatypes import Direction
from mvr.embeddings.system import load_system
from mvr.errors import NotInLibrary
from mvr.library import Library
from mvr.media.probe import probe
from mvr.page.search.desk import Clip, Desk
from mvr.page.search.exports import timeline_link
from mvr.page.search.handover import delivery_of, papers
from mvr.page.serving import Shelf
from mvr.retrieval import Retriever
from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece


@pytest.fixture
def desk(tiny_assets: Path, tmp_path: Path, make_tone, make_clip):
    """A function: the desk of a direction with a list on it."""
    system, library = load_system("tiny"), Library.open(tmp_path / "library")
    media = [make_tone(tmp_path / f"{n}.wav", seconds=5.0, seed=n) for n in range(3)]
    media.append(make_clip(tmp_path / "été #1.mp4", seconds=3.0, rate_hz=25))
    library.add(media, system)

    def made(direction: Direction) -> Desk:
        asked = media[3] if direction is Direction.VIDEO_TO_MUSIC else media[0]
        retriever = Retriever(library, system)
        desk = Desk(direction=direction, owner="visit")
        desk.clip = Clip(path=asked, name=asked.name, info=probe(asked))
        desk.ranked = retriever.rank(retriever.embed_query(asked, direction), 0.3, 10)
        return desk

    return made


def preview_of(desk: Desk, tmp_path: Path, rank: int = 2) -> SimpleNamespace:
    result = desk.ranked.results[rank - 1]
    return SimpleNamespace(
        item_id=result.item.id, start_s=result.start_s, path=tmp_path / "out.mp4", name="out.mp4", plan=None
    )


@pytest.mark.timelines
def test_music_fitted_under_a_found_video_lies_there_in_its_pieces(desk, tmp_path: Path) -> None:
    asked = desk(Direction.MUSIC_TO_VIDEO)
    preview = preview_of(asked, tmp_path, rank=1)
    pieces = (
        Piece(source_start_s=0.5, source_end_s=2.0, start_s=0.0),
        Piece(source_start_s=3.0, source_end_s=4.5, start_s=1.5),
    )
    preview.plan = FitPlan(pieces=pieces, length_s=3.0, method=Method.BARS, ending=Ending.REAL)
    laid = delivery_of(asked, preview).chosen.pieces
    assert [(piece.start_s, piece.source_start_s) for piece in laid] == [(0.0, 0.5), (1.5, 3.0)]


@pytest.mark.timelines
def test_the_link_leads_to_a_timeline_with_the_chosen_track_live_and_the_others_muted(
    desk, tmp_path: Path
) -> None:
    asked = desk(Direction.VIDEO_TO_MUSIC)
    shelf, visit = Shelf(), SimpleNamespace(id="visit", folder=tmp_path)
    ((_, url, what),) = timeline_link(shelf, visit, asked, preview_of(asked, tmp_path))
    token = url.split("/")[1]
    placed = read_timeline(shelf.made(shelf.take(token))).placed
    live = {place.name.rpartition(" (")[0] for place in placed if place.heard and place.track > 0}
    assert what == "timeline" and live == {asked.ranked.results[1].item.title}
    assert len({place.track for place in placed if not place.heard}) == 2
    assert all(place.url.startswith("media/") for place in placed), "the media are inside"
    moved = preview_of(asked, tmp_path)
    moved.start_s = 1.75  # by hand, on the time line
    assert delivery_of(asked, moved).chosen.pieces[0].source_start_s == 1.75, "as it is heard"


def test_in_the_other_direction_the_visitor_s_music_lies_under_the_found_video(desk, tmp_path: Path) -> None:
    asked = desk(Direction.MUSIC_TO_VIDEO)
    evidence = json.loads(papers(asked, preview_of(asked, tmp_path, rank=1))["claim evidence.json"])
    assert evidence["film"]["file"] == "été #1.mp4" and evidence["music"]["file"] == "0.wav"
    assert evidence["placement"][-1]["out_s"] == 3.0


def test_a_list_that_has_changed_is_said_and_without_the_package_there_is_no_link(
    desk, tmp_path: Path, monkeypatch
) -> None:
    asked = desk(Direction.VIDEO_TO_MUSIC)
    with pytest.raises(NotInLibrary, match="search again"):
        papers(asked, SimpleNamespace(item_id="0" * 16, start_s=0.0, path=tmp_path / "x.mp4", plan=None))
    monkeypatch.setattr("mvr.page.search.exports.has", lambda _: False)
    assert (
        timeline_link(Shelf(), SimpleNamespace(id="v", folder=tmp_path), asked, preview_of(asked, tmp_path))
        == []
    )
