"""`mvr library` as a user types it: list, edit, remove, restore; what is gone; words that would paint a terminal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_tone
from tests.large_library import fill

DEMO = Path(__file__).parents[2] / "assets" / "demo"

Attempt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def music(tmp_path: Path, make_tone, tiny_assets: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for seed, name in enumerate(("a.wav", "b \x1b[31mred\n.wav")):
        make_tone(folder / name, seconds=1.0, seed=seed)
    (folder / "bad \x1b[0m\n.mp3").write_text("no music")
    (folder / "metadata.csv").write_text("file,title\na.wav,One\x1b[31m \u202etwo\x9b1m\n")
    return folder


def listed(attempt: Attempt) -> list[dict]:
    code, out, _ = attempt("library", "list", "--json")
    assert code == 0
    return json.loads(out)["items"]


def test_the_library_is_edited_emptied_and_brought_back(attempt: Attempt, music: Path) -> None:
    assert attempt("library", "add", music, "--system", "chance")[0] == 0
    first, second = listed(attempt)
    code, out, _ = attempt(
        "library", "edit", first["id"], "--title", "Sea", "--artist", "Mei", "--licence", "CC0"
    )
    assert (code, out) == (0, f"{first['id']}  “Sea” by Mei, licence: CC0\n")
    assert listed(attempt)[0]["title"] == "Sea"
    code, _, errors = attempt("library", "edit", first["id"])
    assert code == 2 and "nothing to edit; give at least one of --title" in errors
    assert attempt("library", "remove", first["id"], second["id"])[1] == "2 removed\n"
    assert listed(attempt) == []
    code, out, _ = attempt("library", "restore", "--json")
    assert code == 0 and json.loads(out) == {"restored": [first["id"], second["id"]]}
    assert listed(attempt)[0]["title"] == "Sea"
    code, _, errors = attempt("library", "restore")
    assert code == 1 and "nothing was removed since files were last added" in errors


def test_a_track_that_is_there_already_is_named_by_its_file(
    attempt: Attempt, tmp_path: Path, make_tone, tiny_assets: Path
) -> None:
    kept = tmp_path / "kept.wav"
    make_tone(kept, seconds=21.0, seed=0)
    copied = tmp_path / "copied.wav"
    copied.write_bytes(kept.read_bytes()[:-4000])  # the same music, cut
    attempt("library", "add", kept, "--system", "chance")
    code, _, errors = attempt("library", "add", copied, "--system", "chance")
    assert code == 0, errors
    assert f"{copied} holds the same music as {kept} (" in errors


def test_list_keeps_its_keys_and_has_the_new_ones(attempt: Attempt, music: Path) -> None:
    attempt("library", "add", music / "a.wav", "--system", "chance")
    (item,) = listed(attempt)
    before = "id content modality path name title artist album genre mood licence credit source duration_s tempo_bpm"
    before += " loudness_lufs true_peak_dbtp width_px height_px size_bytes same_as added_at"
    now = "isrc iswc composer publisher year licence_url missing"
    assert {*before.split(), *now.split()} <= set(item)
    assert item["missing"] is False and item["year"] is None


def test_a_file_that_is_gone_is_listed_as_such_and_its_removal_offered(attempt: Attempt, music: Path) -> None:
    attempt("library", "add", music, "--system", "chance")
    gone = next(item for item in listed(attempt) if item["name"] == "a.wav")
    (music / "a.wav").unlink()
    code, out, errors = attempt("library", "list")
    assert code == 0 and "(file is gone)" in next(line for line in out.splitlines() if gone["id"] in line)
    assert "`mvr library remove ID` removes them" in errors
    assert [item["id"] for item in listed(attempt) if item["missing"]] == [gone["id"]]
    code, out, errors = attempt("library", "add", music, "--system", "chance")
    assert "1 known" in out


def test_nothing_of_a_file_is_obeyed_by_a_terminal_and_every_line_is_one(
    attempt: Attempt, music: Path, make_clip, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip \x1b[5m\n.mp4")
    spoken = ""
    for words in (
        ("library", "add", music, "--system", "chance"),
        ("library", "list"),
        ("library", "list", "--json"),
        ("recommend", clip, "--system", "chance"),
        ("recommend", clip, "--system", "chance", "--json"),
        ("recommend", tmp_path / "no\x1b[31m.mp4"),
        ("library", "add", tmp_path / "no\x1b[31m"),
        ("recommend", music / "bad \x1b[0m\n.mp3"),
        ("library", "edit", "no\x1b[31m", "--title", "x"),
        ("export", clip, "no\x1b[31m", "--out", tmp_path / "o\x1b[3m.mp4"),
    ):
        _, out, errors = attempt(*words)
        spoken += out + errors
    obeyed = [
        char
        for char in spoken
        if (ord(char) < 32 or 127 <= ord(char) < 160 or char == "\u202e") and char != "\n"
    ]
    assert obeyed == []
    lines = spoken.splitlines()
    assert any("One [31m two 1m" in line for line in lines) and any(
        "b [31mred .wav" in line for line in lines
    )


def test_a_long_list_is_read_in_as_many_looks_as_a_short_one(
    attempt: Attempt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    connect = sqlite3.connect
    monkeypatch.setattr(
        "mvr.embeddings.cache.sqlite3.connect",
        lambda *given, **named: opened.append(given) or connect(*given, **named),
    )
    looks, sound = [], write_tone(tmp_path / "a.wav", seconds=0.5)
    for count in (3, 60):
        folder = tmp_path / str(count)
        fill(folder, sound, count)
        opened.clear()
        code, out, _ = attempt("library", "list", "--library", folder)
        assert code == 0 and out.count("\n") == count
        looks.append(len(opened))
    assert looks[0] == looks[1] < 20


def test_what_is_measured_is_shown_with_every_beat_and_cut(attempt: Attempt, music: Path) -> None:
    track, video = (sorted((DEMO / kind).iterdir())[0] for kind in ("tracks", "videos"))
    assert attempt("library", "add", music, video, track, "--system", "chance")[0] == 0
    code, out, _ = attempt("library", "show", track)
    assert code == 0
    beat, parts, hits, ends = out.splitlines()[1:]
    assert "bpm" in beat and "bars of" in beat and parts.startswith("parts from 0.00") and hits and ends
    timing = json.loads(attempt("library", "show", track, "--json")[1])["timing"]
    assert f"{len(timing['beats_s'])} beats" in beat and f"{timing['tempo_bpm']:.1f} bpm" in beat
    assert set(timing["downbeats_s"]) <= set(timing["beats_s"])
    shown = json.loads(attempt("library", "show", video, "--json")[1])
    cuts = ", ".join(f"{time:.2f}" for time in shown["timing"]["cuts_s"])
    assert f"cuts at {cuts} s" in attempt("library", "show", shown["id"])[1]
    assert "no beat" in attempt("library", "show", listed(attempt)[0]["id"])[1]
    listing = attempt("library", "list")[1]
    assert f"  {timing['tempo_bpm']:.0f} bpm" in next(line for line in listing.splitlines() if "bpm" in line)
    code, _, errors = attempt("library", "show", "nix")
    assert code == 1 and "holds no item" in errors
