"""Playlists in files as a source of a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvr.embeddings.system import load_system
from mvr.errors import UsageError
from mvr.library import Library
from mvr.library.playlists import read_playlist
from mvr.library.scan import scan


@pytest.fixture
def music(tmp_path: Path, make_tone) -> Path:
    (tmp_path / "é").mkdir()
    for seed, name in enumerate(("a.wav", "é/b #1.wav", "c.wav")):
        make_tone(tmp_path / name, seconds=3.0, seed=seed)
    return tmp_path


def test_a_playlist_s_files_are_added_in_its_order_and_what_is_missing_is_said(
    tiny_assets: Path, music: Path
) -> None:
    lines = [
        "#EXTM3U",
        "#EXTINF:3,x",
        "é\\b #1.wav",
        "",
        "a.wav",
        (music / "c.wav").as_uri(),
        "a.wav",
        "gone.wav",
        "http://h/x.mp3",
    ]
    (music / "list.m3u8").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    report = Library.open(music / "library").add([music / "list.m3u8"], load_system("tiny"))
    assert [item.name for item in report.added] == ["b #1.wav", "a.wav", "c.wav"]
    assert [note.split(",")[0] for note in report.notes] == [
        "list.m3u8 names gone.wav",
        "list.m3u8 names http://h/x.mp3",
    ]


def test_an_old_playlist_is_read_in_its_own_letters(music: Path) -> None:
    (music / "old.m3u").write_bytes("é/b #1.wav\n".encode("cp1252"))
    assert read_playlist(music / "old.m3u")[0] == [music / "é/b #1.wav"]
    (music / "new.m3u").write_text("é/b #1.wav\n", encoding="utf-8")
    assert scan([music / "new.m3u"]).files == [music / "é/b #1.wav"]


def test_the_parts_of_a_stream_are_no_music(music: Path) -> None:
    (music / "hls.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:4\na.wav\n")
    with pytest.raises(UsageError, match="parts of a stream"):
        scan([music / "hls.m3u8"])


def test_hostile_entries_are_notes(music: Path) -> None:
    (music / "bad.m3u").write_bytes(b"a\x00.wav\n" + b"x" * 5000 + b"\n../../../../etc\n")
    files, notes = read_playlist(music / "bad.m3u")
    assert files == [] and len(notes) == 3 and all(len(note) < 300 for note in notes)


def test_a_playlist_inside_a_folder_changes_nothing(music: Path) -> None:
    (music / "list.m3u").write_text("a.wav\n")
    assert len(scan([music]).files) == 3
