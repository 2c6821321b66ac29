"""The arena on a host's own library: its clips and its music, its clips' own sound, never the demo's or a visitor's."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mvr.datatypes import Direction, Modality
from mvr.errors import MediaError, UsageError, VoteRefused
from mvr.library import Item
from mvr.page import texts
from mvr.page.library import DEMO, Catalogue
from mvr.page.voting.contest import Contest
from mvr.page.voting.host_library import Soundtracks, library_of_this_server
from tests.page.conftest import Clock
from tests.page.test_arena_routes import visitor
from tests.page.test_hearing import Server
from tests.page.test_own_music import SECONDS, clip

TRACKS = Path(__file__).parents[2] / "assets" / "demo" / "tracks"
V2M, M2V = Direction.VIDEO_TO_MUSIC, Direction.MUSIC_TO_VIDEO


def item(name: str, modality: Modality = Modality.VIDEO, path: Path | None = None, content: str = "") -> Item:
    return Item(
        id=name, content=content or f"content of {name}", modality=modality, path=path or Path(f"/{name}"), name=name,
        title=name, duration_s=SECONDS, loudness_lufs=-14.0,
    )  # fmt: skip


class Shelves:
    """A catalogue of items by library."""

    def __init__(self, **libraries: list[Item]) -> None:
        self.libraries = libraries

    def items(self, library: str, modality: Modality | None = None) -> list[Item]:
        return [one for one in self.libraries[library] if modality in (None, one.modality)]


def contest(
    catalogue: Shelves, library: str, brings_music: Callable[[Item], bool] = lambda _: True
) -> Contest:
    return Contest(catalogue, library, learned=object(), brings_music=brings_music)  # type: ignore[arg-type]


def test_queries_are_the_hosts_own_and_the_demos_only_where_there_are_none():
    host = [
        item("clip-1"),
        item("clip-2"),
        replace(item("clip-3"), missing=True),
        item("song", Modality.AUDIO),
    ]
    shelves = Shelves(demo=[item("demo-clip"), item("demo-song", Modality.AUDIO)], host=host)
    asked = contest(shelves, "host").queries(V2M)
    assert [(one.query_id, one.source) for one in asked] == [("clip-1", "library"), ("clip-2", "library")]
    songs = Shelves(demo=shelves.libraries["demo"], host=[item("song", Modality.AUDIO)])
    assert [(one.query_id, one.source) for one in contest(songs, "host").queries(V2M)] == [
        ("demo-clip", "demo")
    ]
    assert [one.query_id for one in contest(songs, "host").queries(M2V)] == ["song"]


def test_only_the_sound_of_the_hosts_own_clips_may_compete_never_the_demos_wherever_it_lies():
    rendered = item("demo-clip", content="rendered")
    host = [item("clip"), item("a-copy", content="rendered"), item("noise"), item("song", Modality.AUDIO)]
    shelves = Shelves(demo=[rendered], host=host)
    asked = contest(shelves, "host", lambda one: one.name != "noise").queries(V2M)
    assert {one.query_id: one.own_music for one in asked} == {"clip": True, "a-copy": False, "noise": False}
    assert [one.own_music for one in contest(shelves, "demo").queries(V2M)] == [False]
    assert [one.own_music for one in contest(shelves, "host").queries(M2V)] == [False], "a track is no clip"


def heard(soundtracks: Soundtracks, clips: list[Item], kept: Path) -> list[bool]:
    """Ask until the verdict of every clip is kept, as the page asks with every draw."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = [soundtracks.competes(one) for one in clips]
        if kept.exists() and set(json.loads(kept.read_text())["clips"]) == {one.content for one in clips}:
            return found
        time.sleep(0.05)
    raise AssertionError("nobody listened")


def test_clips_are_listened_to_once_and_their_estimates_are_kept_over_a_restart(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    paths = {}
    for name, sound in (("music", sorted(TRACKS.iterdir())[0]), ("noise", 0.3 * rng.normal(size=16_000 * 9))):
        paths[name] = tmp_path / f"{name}.mp4"
        shutil.move(clip(tmp_path, sound), paths[name])
    clips = [item(name, path=path) for name, path in paths.items()]
    silent = replace(item("silent"), loudness_lufs=None)
    kept = tmp_path / "battles" / "own-music.json"
    first = Soundtracks(kept)
    assert first.competes(clips[0]) is False, "nothing is known yet"
    assert heard(first, clips, kept) == [True, False] and not first.competes(silent)
    document = json.loads(kept.read_text())
    assert (
        document["clips"]["content of noise"]["flatness"]
        > 0.2
        > document["clips"]["content of music"]["flatness"]
    )
    monkeypatch.setattr(
        "mvr.page.voting.host_library.OwnMusic.of", lambda *_: pytest.fail("listened to again")
    )
    assert [Soundtracks(kept).competes(one) for one in clips] == [True, False]


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"measured": null}', '{"measured": [0], "clips": {"a": {}}}']
)
def test_estimates_of_another_day_or_damaged_ones_are_made_again(tmp_path, content):
    kept = tmp_path / "own-music.json"
    kept.write_text(content)
    soundtracks = Soundtracks(kept)
    assert not soundtracks.competes(item("gone", path=tmp_path / "gone.mp4")), (
        "a file that is gone stops nobody"
    )


def test_a_library_that_cannot_be_the_arenas_is_told_before_the_page_starts(tmp_path, monkeypatch):
    monkeypatch.setenv("MVR_HOME", str(tmp_path / "home"))
    catalogue = Catalogue()
    assert library_of_this_server(catalogue, {}) == DEMO
    with pytest.raises(
        UsageError, match=r"MVR_ARENA_LIBRARY \(.*none\) is not a library with music; make one: mvr"
    ):
        library_of_this_server(catalogue, {"MVR_ARENA_LIBRARY": str(tmp_path / "none")})
    private = tmp_path / "home" / "visits" / "somebody" / "library"
    with pytest.raises(UsageError, match="is inside the folder of visitors' private files"):
        library_of_this_server(catalogue, {"MVR_ARENA_LIBRARY": str(private)})
    catalogue.has_items = lambda key, modality: modality is Modality.AUDIO  # type: ignore[method-assign]
    named = tmp_path / "home" / ".." / "music"
    assert library_of_this_server(catalogue, {"MVR_ARENA_LIBRARY": str(named)}) == str(tmp_path / "music")


def test_files_that_are_gone_are_drawn_past_and_their_names_reach_no_visitor(tmp_path):
    server = Server(tmp_path, Clock())
    try:
        media, broken = server.box.media, {"drawn": 0}
        ready = media.of_battle

        def of_battle(battle):
            broken["drawn"] += 1
            if broken["drawn"] <= broken["until"]:
                raise MediaError("/srv/host/secret.mp3: the file is gone")
            return ready(battle)

        media.of_battle = of_battle  # type: ignore[method-assign]
        me = visitor(server.client)
        body = {"session": me["session"], "direction": "v2m"}
        broken["until"] = 3
        first = server.client.post("/arena/battle", json=body, headers=me["headers"])
        assert first.status_code == 200 and "token" in first.json()
        broken.update(drawn=0, until=1)  # the open one cannot be played any more
        second = server.client.post("/arena/battle", json=body, headers=me["headers"])
        assert second.status_code == 200 and "secret" not in second.text
        broken.update(drawn=0, until=99)
        answer = server.client.post("/arena/battle", json=body, headers=me["headers"])
        assert answer.status_code == 409 and answer.json() == {"error": texts.NO_BATTLE_PLAYS}
    finally:
        server.close()


def test_a_refusal_of_the_arena_itself_is_still_its_own_sentence(tmp_path):
    server = Server(tmp_path, Clock())
    try:

        def prepare(*_, **__):
            raise VoteRefused("you have judged every pair")

        server.box.arena.prepare = prepare  # type: ignore[method-assign]
        me = visitor(server.client)
        answer = server.client.post(
            "/arena/battle", json={"session": me["session"], "direction": "v2m"}, headers=me["headers"]
        )
        assert answer.json() == {"error": "you have judged every pair"}
    finally:
        server.close()
