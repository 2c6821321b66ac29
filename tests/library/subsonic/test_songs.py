"""A server's songs in a library, and a list back on the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from mvr.embeddings.system import load_system
from mvr.errors import DataError, ServerFault, UsageError
from mvr.library import Library
from mvr.library.subsonic import add_songs, write_playlist


@pytest.fixture
def library(tiny_assets: Path, tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def taken_in(library: Library, server, **options):
    with server.client() as client:
        return add_songs(library, client, list(client.songs()), load_system("tiny"), whole=True, **options)


def fetched(server) -> list[str]:
    return [asked["id"][0] for method, asked in server.calls if method == "download"]


def test_songs_are_fetched_once_embedded_and_let_go(library: Library, server) -> None:
    report = taken_in(library, server)
    assert [item.title for item in report.added] and report.embedded == 3 and not report.skipped
    items = library.items()
    assert [(item.title, item.artist, item.genre) for item in items] == [
        (f"Song {n}", "Mei", ("folk", "live")) for n in range(3)
    ]
    assert [item.source for item in items] == [f"subsonic://mei@music.example#s{n}" for n in range(3)]
    assert all(item.on_server and item.path.stat().st_size == 0 for item in items)
    assert library.index(load_system("tiny"), items[0].modality).items == tuple(items), "they are ranked"
    with pytest.raises(DataError, match="is on its server; add it again with --keep"):
        library.file_of(items[0])
    again = taken_in(library, server)
    assert (len(again.added), len(again.known), again.embedded) == (0, 3, 0) and len(fetched(server)) == 3
    assert not library.check_files(), "an item on a server is not missing"


def test_files_are_kept_when_asked_and_fetched_again_for_that(library: Library, server) -> None:
    taken_in(library, server)
    report = taken_in(library, server, keep=True)
    assert len(report.known) == 3 and len(library.items()) == 3
    for item, song in zip(library.items(), server.songs.values(), strict=True):
        assert library.file_of(item).read_bytes() == song["bytes"] and not item.on_server


def test_a_song_that_was_replaced_takes_the_place_of_the_old_one(
    library: Library, server, make_tone, tmp_path: Path
) -> None:
    taken_in(library, server)
    before = library.items()
    song = server.albums["one"][1]
    song["bytes"] = make_tone(tmp_path / "new.wav", seconds=5.0, seed=77).read_bytes()
    song |= {"size": len(song["bytes"]), "duration": 5, "title": "Song 1, new"}
    report = taken_in(library, server)
    after = library.items()
    assert fetched(server)[3:] == ["s1"] and report.embedded == 1
    assert [item.title for item in after] == ["Song 0", "Song 1, new", "Song 2"]
    assert [item.id for item in after][::2] == [item.id for item in before][::2] and after[1].id != before[
        1
    ].id


def test_a_song_that_the_server_has_no_more_is_marked_and_not_ranked(library: Library, server) -> None:
    taken_in(library, server)
    gone = server.albums["two"].pop()
    report = taken_in(library, server)
    assert [item.title for item in report.gone] == ["Song 2"]
    assert [item.missing for item in library.items()] == [False, False, True]
    server.albums["two"].append(gone)
    assert len(taken_in(library, server).known) == 3 and not any(item.missing for item in library.items())


def test_a_refused_song_is_skipped_and_a_server_gone_in_the_middle_keeps_what_was_added(
    library: Library, server
) -> None:
    server.albums["one"][0]["bytes"] = None
    report = taken_in(library, server)
    assert len(report.added) == 2 and "Song not found" in report.skipped[0].reason
    server.albums["one"][0]["bytes"] = b"no music at all"
    assert "not a video or sound file" in taken_in(library, server).skipped[0].reason
    other = Library.open(library.root.with_name("other"))
    server.albums["one"].pop(0)
    server.calls, server.gone_after = [], 6  # ping, two album lists, two albums, the first song
    with pytest.raises(ServerFault, match="cannot be reached"):
        taken_in(other, server)
    assert len(other.items()) == 1 and not list((other.root / "server").rglob(".part-*"))
    server.gone_after = None
    assert len(taken_in(other, server).added) == 1


def test_the_same_music_on_disk_and_on_the_server_is_one_item(
    library: Library, server, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.wav").write_bytes(server.albums["one"][0]["bytes"])
    library.add([own], load_system("tiny"))
    taken_in(library, server)
    items = library.items()
    assert len(items) == 3 and items[0].path == own / "mine.wav" and items[0].source == ""


def test_a_list_goes_back_as_a_playlist_without_what_is_not_there(
    library: Library, server, make_tone, tmp_path: Path
) -> None:
    taken_in(library, server)
    library.add([make_tone(tmp_path / "mine.wav", seconds=4.0, seed=50)], load_system("tiny"))
    items = library.items()[::-1]
    with server.client() as client:
        written = write_playlist(client, "For my clip", items)
        assert [item.title for item in written] == ["Song 2", "Song 1", "Song 0"]
        with pytest.raises(UsageError, match=r"none of these tracks is on subsonic://mei@music\.example"):
            write_playlist(client, "Nothing", items[:1])
    assert server.playlists == {"For my clip": ["s2", "s1", "s0"]}
