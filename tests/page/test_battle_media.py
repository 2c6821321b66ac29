"""Media of battles: shared files under addresses that are each battle's own, sounds of one size and loudness."""

from __future__ import annotations

import hashlib
import wave
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from mvr.errors import NotSaved
from mvr.media.loudness import measure_loudness
from mvr.media.probe import probe
from mvr.page.serving.shelf import Shelf
from mvr.page.voting.battle_media import ArenaMedia, BattleMedia
from mvr.page.voting.excerpts import Excerpts, Source
from mvr.page.voting.hearing import Hearing
from mvr.votes.records import Battle, Side
from mvr.votes.store import VoteStore
from mvr.votes.voter import VoterSigner

DEMO = Path(__file__).parents[2] / "assets" / "demo"


def source(kind: str, number: int) -> Source:
    path = sorted((DEMO / kind).iterdir())[number]
    return Source(path=path, content=path.name)


def battle_media(shelf: Shelf, folder: Path, secret: bytes = b"a secret for tests only") -> ArenaMedia:
    def no_store() -> VoteStore:
        raise NotSaved("no store here")

    return ArenaMedia(None, shelf, folder, VoterSigner(secret), Hearing(no_store))  # type: ignore[arg-type]


def write_noise(path: Path, seconds: float = 1.0, level: int = 3000) -> Path:
    samples = np.random.default_rng(1).integers(-level, level, (int(48_000 * seconds), 2)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def fetched(shelf: Shelf, addresses: list[str], **options: Any) -> list[httpx.Response]:
    with TestClient(Starlette(routes=[shelf.route()])) as client:
        return [client.get(address, **options) for address in addresses]


def samples_of(data: bytes) -> np.ndarray:
    with wave.open(BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)


def test_no_two_battles_share_bytes_and_nobody_hears_the_difference(tmp_path):
    """Hashes, sizes and lengths tell nothing: over battles, visitors and restarts, on both sides."""
    file = write_noise(tmp_path / "a.wav")
    played = BattleMedia(videos=(), sounds=(file, file), duration_s=1.0)
    contents = []
    for secret in (b"the secret of one server", b"the secret of another one"):
        shelf = Shelf()
        media = battle_media(shelf, tmp_path, secret)
        for battle in ("battle-1", "battle-2"):
            contents += [
                one.content for one in fetched(shelf, media.addresses(battle, played, 500)["sounds"])
            ]
    assert (
        len({hashlib.sha256(one).digest() for one in contents}) == 8
        and len({len(one) for one in contents}) == 1
    )
    plain = samples_of(file.read_bytes())
    for content in contents:
        noise = samples_of(content) - plain
        assert set(np.unique(noise)) == {-1, 0, 1}
        assert 20 * np.log10(np.sqrt(np.mean(noise.astype(float) ** 2)) / 32768) < -90
    shelf = Shelf()
    again = battle_media(shelf, tmp_path, b"the secret of one server").addresses("battle-1", played, 500)
    assert fetched(shelf, again["sounds"])[0].content == contents[0], (
        "after a restart ranges still fit together"
    )


class Clips:
    """A library of demo clips and tracks, by number."""

    def own(self, item_id: str) -> None:
        return None

    def item(self, item_id: str) -> Source:
        return source("tracks" if item_id.startswith("t") else "videos", int(item_id[1:]))

    def duration_s(self, item_id: str) -> float:
        return 2.0


def clip_battle(battle_id: str) -> Battle:
    """Which of two clips fits a music."""
    sides = {
        name: Side(system_id=name, system_version="1", item_id=f"v{number}", item_group_id=name)
        for number, name in enumerate(("left", "right"))
    }
    return Battle(
        battle_id=battle_id, voter_id="v", session_id="s", direction="m2v", query_id="t0", query_group_id="t0",
        pool_version="1", pool_size=1, policy_id="p", pair_prob=1.0, seed=1, ui_version="1", **sides,
    )  # fmt: skip


def test_two_competing_clips_are_equal_in_answers_and_ranges_and_are_made_again_when_they_are_gone(tmp_path):
    shelf = Shelf()
    media = ArenaMedia(
        Clips(),  # type: ignore[arg-type]
        shelf,
        tmp_path,
        VoterSigner(b"a secret for tests only"),
        Hearing(lambda: None),  # type: ignore[arg-type,return-value]
    )
    made = media.of_battle(clip_battle("battle-1"))
    addresses = media.addresses("battle-1", made, 500)["videos"]
    ranges = [None, "bytes=0-4095", "bytes=-1000", "bytes=100-"]
    answers = [fetched(shelf, addresses, headers={"range": wanted} if wanted else {}) for wanted in ranges]
    for left, right in answers:
        assert left.content != right.content or left.request.headers.get("range") == "bytes=0-4095"
        heads = [
            {name: value for name, value in one.headers.items() if name != "etag"} for one in (left, right)
        ]
        assert heads[0] == heads[1] and left.status_code == right.status_code
    assert len(answers[0][0].content) == made.videos[0].stat().st_size
    for file in made.videos:
        file.unlink()
    again = fetched(shelf, addresses)
    assert [one.content for one in again] == [one.content for one in answers[0]]
    media.close()


@pytest.mark.parametrize(
    ("header", "status", "part"),
    [
        (None, 200, slice(None)),
        ("bytes=0-99", 206, slice(0, 100)),
        ("bytes=100-", 206, slice(100, None)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=0-", 200, slice(None)),
        ("bytes=999999999-", 416, slice(0, 0)),
        ("bytes=-0", 416, slice(0, 0)),
        (f"bytes={'9' * 5000}-", 416, slice(0, 0)),
        (f"bytes=0-{'9' * 5000}", 200, slice(None)),
        ("bytes=0-1,5-9", 200, slice(None)),
    ],
)
def test_a_battle_s_bytes_come_in_ranges_and_are_kept_nowhere(tmp_path, header, status, part):
    shelf = Shelf()
    file = write_noise(tmp_path / "a.wav")
    played = BattleMedia(videos=(), sounds=(file, file), duration_s=1.0)
    (address, _) = battle_media(shelf, tmp_path).addresses("battle-1", played, 500)["sounds"]
    (whole,) = fetched(shelf, [address])
    (answer,) = fetched(shelf, [address], headers={"range": header} if header else {})
    assert answer.status_code == status and answer.content == whole.content[part]
    assert answer.headers["cache-control"] == "no-store" and "date" not in answer.headers


def test_one_file_has_another_address_in_every_battle_and_tells_no_date(tmp_path):
    shelf = Shelf()
    media = battle_media(shelf, tmp_path)
    file = write_noise(tmp_path / "a.wav")
    played = BattleMedia(videos=(), sounds=(file, file), duration_s=1.0)
    first, second = media.addresses("battle-1", played, 500), media.addresses("battle-2", played, 500)
    assert media.addresses("battle-1", played, 500) == first, "a reload gets the same"
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
    picture = excerpts.picture(source("videos", 0), 12.0)
    info = probe(picture)
    assert info.audio is None and info.video is not None and info.duration_s == pytest.approx(12, abs=0.1)


@pytest.mark.slow
def test_the_cost_of_a_battle_is_printed(capsys):
    from eval.votes.__main__ import main

    assert main(["media", "--battles", "2"]) == 0
    printed = capsys.readouterr().out
    assert "a battle's own two sounds (every battle) |" in printed
    assert "a battle's own two clips, encoded side by side (every battle) |" in printed
    assert "8 different contents of 8; 2 different tables of samples of 2;" in printed
    assert "both sides of one size and one table: yes." in printed
