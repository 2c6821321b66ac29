"""What is asked of a music server, and what becomes of its answers."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import httpx
import pytest

from mvr.errors import ServerFault, UsageError
from mvr.library.subsonic import Client, Song, parse_address, password_of
from mvr.library.subsonic.address import base_url


def test_ten_thousand_songs_are_listed_page_by_page_each_once(server) -> None:
    server.albums = {f"a{n}": [{"id": f"{n}-{m}", "title": "x"} for m in range(10)] for n in range(1005)}
    with server.client() as client:
        songs = [song.id for song in client.songs()]
    assert len(songs) == len(set(songs)) == 10_050
    pages = [asked for method, asked in server.calls if method == "getAlbumList2"]
    assert [asked["offset"][0] for asked in pages] == ["0", "500", "1000", "1005"]


def test_a_server_that_does_not_count_pages_is_not_asked_for_ever(server) -> None:
    server.counts = False
    with server.client() as client:
        assert [song.id for song in client.songs()] == ["s0", "s1", "s2"]


def test_the_password_is_never_sent_where_a_token_will_do(server) -> None:
    server.client().close()
    sent = server.calls[0][1]
    assert sent["t"][0] == hashlib.md5(b"s3cret" + sent["s"][0].encode()).hexdigest() and "p" not in sent
    server.tokens, server.calls = False, []
    server.client().close()
    assert [("t" in asked, "p" in asked) for _, asked in server.calls] == [(True, False), (False, True)]
    assert server.calls[1][1]["p"] == ["enc:" + b"s3cret".hex()]


def test_a_wrong_password_is_one_sentence_though_the_status_is_200(server) -> None:
    server.password_ok = False
    with pytest.raises(ServerFault, match=r"music\.example says: Wrong username or password"):
        server.client()


def test_an_error_document_is_not_saved_as_music(server, tmp_path: Path) -> None:
    server.albums["two"][0]["bytes"] = None
    with server.client() as client, pytest.raises(ServerFault, match="Song not found"):
        client.download(next(song for song in client.songs() if song.id == "s2"), tmp_path / "song.wav")
    assert not (tmp_path / "song.wav").exists()


def test_a_server_that_is_gone_or_another_kind_of_server_is_one_sentence(server) -> None:
    server.gone_after = 0
    with pytest.raises(ServerFault, match=r"music\.example cannot be reached: connection refused"):
        server.client()
    pages = httpx.MockTransport(lambda _: httpx.Response(404, text="<html>not here</html>"))
    with pytest.raises(ServerFault, match="does not answer like a Subsonic server"):
        Client(parse_address("subsonic://me@music.example"), "", transport=pages)
    away = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": "http://127.0.0.1/"}))
    with pytest.raises(ServerFault, match=r"status 302"):
        Client(parse_address("subsonic://me@music.example"), "", transport=away)


def test_a_playlist_is_found_by_name_and_one_that_is_none_says_which_there_are(server) -> None:
    server.playlists = {"Walk": ["s2", "s0"]}
    with server.client() as client:
        assert [song.id for song in client.playlist("Walk")] == ["s2", "s0"]
        with pytest.raises(ServerFault, match="no playlist 'Run'; it has: Walk"):
            client.playlist("Run")
        with pytest.raises(ServerFault, match="already has a playlist 'Walk'"):
            client.create_playlist("Walk", ["s1"])
        client.create_playlist("Run", ["s1", "s0"])
    assert server.playlists["Run"] == ["s1", "s0"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("subsonic://mei:secret@music.example", "leave the password out"),
        ("subsonic://music.example", r"write subsonic://USER@HOST"),
        ("http://mei@music.example", r"write subsonic://USER@HOST"),
        ("subsonic://mei@", r"write subsonic://USER@HOST"),
        ("subsonic://mei@host:port", "not an address of a music server"),
        ("subsonic://mei@music.example?x=1", r"write subsonic://USER@HOST"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_address(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "192.168.1.5", "10.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0"]
)
def test_near_addresses_need_the_user_s_word(host: str) -> None:
    address = parse_address(f"subsonic://mei@{host}:4533/sub")
    with pytest.raises(UsageError, match="add --private if that is intended"):
        base_url(address, private=False)
    assert base_url(address, private=True) == f"http://{host}:4533/sub/rest"


def test_public_addresses_are_asked_over_https() -> None:
    assert base_url(parse_address("subsonic://mei@9.9.9.9"), private=False) == "https://9.9.9.9/rest"
    assert base_url(parse_address("subsonic://mei@9.9.9.9"), private=True) == "https://9.9.9.9/rest"


def test_the_password_comes_from_the_environment_or_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    address = parse_address("subsonic://mei@music.example:1")

    class Keyring:
        @staticmethod
        def get_password(service: str, user: str) -> str | None:
            return "kept" if (service, user) == ("mvr", "subsonic://mei@music.example:1") else None

    class Errors:
        KeyringError = RuntimeError

    monkeypatch.delenv("MVR_SUBSONIC_PASSWORD", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", Keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", Errors)
    assert password_of(address) == "kept"
    with pytest.raises(UsageError, match=r"keyring set mvr 'subsonic://mei@elsewhere\.example'"):
        password_of(parse_address("subsonic://mei@elsewhere.example"))
    monkeypatch.setenv("MVR_SUBSONIC_PASSWORD", "told")
    assert password_of(address) == "told"
    monkeypatch.delenv("MVR_SUBSONIC_PASSWORD")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(UsageError, match=r"pip install 'mvr\[subsonic\]' \(in a checkout: make subsonic\)"):
        password_of(address)


def test_a_song_of_few_words_and_one_of_hostile_words() -> None:
    song = Song.of({"id": 7, "title": "a\x1b[31m\nb", "suffix": "../mp3", "userRating": None})
    assert (song.id, song.title, song.suffix, song.rating) == ("7", "a [31m b", "mp3", 0)
