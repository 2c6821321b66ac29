"""Media of battles: shared files under addresses that are each battle's own, sounds of one size and loudness."""

from __future__ import annotations

import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.media.loudness import measure_loudness
from mvr.media.probe import probe
from mvr.page.serving.shelf import Shelf
from mvr.page.voting.battle_media import ArenaMedia, BattleMedia
from mvr.page.voting.excerpts import Excerpts, Source

DEMO = Path(__file__).parents[2] / "assets" / "demo"


def source(kind: str, number: int) -> Source:
    path = sorted((DEMO / kind).iterdir())[number]
    return Source(path=path, content=path.name)


def test_one_file_has_another_address_in_every_battle_and_tells_no_date(tmp_path):
    shelf = Shelf()
    media = ArenaMedia(None, shelf, tmp_path)  # type: ignore[arg-type]
    file = tmp_path / "a.wav"
    file.write_bytes(b"x" * 100)
    played = BattleMedia(videos=(), sounds=(file, file), duration_s=1.0)
    first, second = media.addresses("battle-1", played), media.addresses("battle-2", played)
    assert media.addresses("battle-1", played) == first, "a reload gets the same"
    addresses = [*first["sounds"], *second["sounds"]]
    assert len({address.split("/")[1] for address in addresses}) == 4
    with TestClient(Starlette(routes=[shelf.route()])) as client:
        answers = [client.get(address) for address in addresses]
    for name in ("last-modified", "content-length", "cache-control", "content-type"):
        assert len({answer.headers[name] for answer in answers}) == 1
    assert len({answer.headers["etag"] for answer in answers}) == 4


def test_people_who_ask_at_once_wait_for_one_making_and_the_next_start_finds_it(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(
        "mvr.page.voting.excerpts.write_excerpt",
        lambda music, out, *_: (made.append(out), out.write_bytes(b"1")),
    )
    excerpts = Excerpts(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: excerpts.sound(source("tracks", 0), 1.0, 2.0), range(40)))
    assert len(made) == 1 == len(set(found))
    assert Excerpts(tmp_path).sound(source("tracks", 0), 1.0, 2.0) == found[0] and len(made) == 1
    assert excerpts.sound(source("tracks", 0), 1.5, 2.0) != found[0] and len(made) == 2


def test_a_making_that_fails_is_tried_again(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    excerpts = Excerpts(tmp_path)
    monkeypatch.setattr("mvr.page.voting.excerpts.write_excerpt", fail)
    with pytest.raises(OSError, match="full"):
        excerpts.sound(source("tracks", 0), 1.0, 2.0)
    monkeypatch.setattr(
        "mvr.page.voting.excerpts.write_excerpt", lambda music, out, *_: out.write_bytes(b"1")
    )
    assert excerpts.sound(source("tracks", 0), 1.0, 2.0).read_bytes() == b"1"


def test_what_was_not_asked_for_longest_goes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "mvr.page.voting.excerpts.write_excerpt", lambda music, out, *_: out.write_bytes(b"x" * 100)
    )
    excerpts = Excerpts(tmp_path, kept_bytes=650)
    for number in range(9):
        excerpts.sound(source("tracks", 0), float(number), 2.0)
    assert len(list(tmp_path.glob("*.wav"))) == 6


def test_sounds_are_alike_in_size_and_loudness_and_a_ready_picture_is_copied(tmp_path):
    excerpts = Excerpts(tmp_path)
    sounds = [excerpts.sound(source("tracks", number), 4.0, 6.0) for number in (0, 5)]
    assert sounds[0].stat().st_size == sounds[1].stat().st_size
    for sound in sounds:
        measured = measure_loudness(sound)
        assert measured.integrated_lufs == pytest.approx(-16, abs=0.5) and measured.true_peak_dbtp <= -1.4
        with wave.open(str(sound)) as file:
            assert np.frombuffer(file.readframes(file.getnframes()), "<i2").size == 2 * 6 * 48_000
    picture = excerpts.picture(source("videos", 0), 12.0, competes=False)
    info = probe(picture)
    assert info.audio is None and info.video is not None and info.duration_s == pytest.approx(12, abs=0.1)
