"""A music server in memory that speaks the Subsonic API as its description says, faults included."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from mvr.library.subsonic import Client, parse_address


@dataclass
class FakeServer:
    """Albums of songs, each song a dictionary as in an answer with its bytes under "bytes"."""

    albums: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    playlists: dict[str, list[str]] = field(default_factory=dict)
    password_ok: bool = True
    tokens: bool = True
    counts: bool = True  # False: a server that ignores offset
    gone_after: int | None = None
    calls: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2].removesuffix(".view")
        asked = parse_qs(request.content.decode())
        self.calls.append((method, asked))
        assert not request.url.query, "nothing secret stands in an address"
        if self.gone_after is not None and len(self.calls) > self.gone_after:
            raise httpx.ConnectError("connection refused")
        if "t" in asked and not self.tokens:
            return self.error(41, "Token authentication not supported")
        if not self.password_ok:
            return self.error(40, "Wrong username or password")
        return getattr(self, method)(asked)

    @property
    def songs(self) -> dict[str, dict[str, Any]]:
        return {song["id"]: song for songs in self.albums.values() for song in songs}

    def ok(self, **content: Any) -> httpx.Response:
        return httpx.Response(
            200, json={"subsonic-response": {"status": "ok", "version": "1.12.0", **content}}
        )

    def error(self, code: int, message: str) -> httpx.Response:
        answer = {"status": "failed", "version": "1.12.0", "error": {"code": code, "message": message}}
        return httpx.Response(200, json={"subsonic-response": answer})

    def ping(self, _asked: Any) -> httpx.Response:
        return self.ok()

    def getAlbumList2(self, asked: Any) -> httpx.Response:
        size, offset = int(asked["size"][0]), int(asked["offset"][0]) if self.counts else 0
        names = list(self.albums)[offset : offset + min(size, 500)]
        return self.ok(albumList2={"album": [{"id": name} for name in names]} if names else {})

    def getAlbum(self, asked: Any) -> httpx.Response:
        return self.ok(album={"song": [_shown(song) for song in self.albums[asked["id"][0]]]})

    def getPlaylists(self, _asked: Any) -> httpx.Response:
        return self.ok(playlists={"playlist": [{"id": f"p-{name}", "name": name} for name in self.playlists]})

    def getPlaylist(self, asked: Any) -> httpx.Response:
        ids = self.playlists[asked["id"][0].removeprefix("p-")]
        return self.ok(playlist={"entry": [_shown(self.songs[each]) for each in ids]})

    def createPlaylist(self, asked: Any) -> httpx.Response:
        self.playlists[asked["name"][0]] = asked["songId"]
        return self.ok()

    def download(self, asked: Any) -> httpx.Response:
        song = self.songs[asked["id"][0]]
        if song["bytes"] is None:
            return self.error(70, "Song not found")
        return httpx.Response(200, content=song["bytes"], headers={"content-type": "audio/x-wav"})

    def client(self) -> Client:
        return Client(
            parse_address("subsonic://mei@music.example"), "s3cret", transport=httpx.MockTransport(self)
        )


def _shown(song: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({name: value for name, value in song.items() if name != "bytes"}))


@pytest.fixture
def server(make_tone: Callable[..., Path], tmp_path: Path) -> FakeServer:
    """Two albums, three songs, one of them twice rated."""
    server = FakeServer()
    for number, album in enumerate(("one", "one", "two")):
        data = make_tone(tmp_path / f"{number}.wav", seconds=4.0, seed=number).read_bytes()
        song = {
            "id": f"s{number}", "title": f"Song {number}", "artist": "Mei", "album": album, "genre": "Folk; Live",
            "suffix": "wav", "size": len(data), "created": "2026-11-29T10:00:00", "duration": 4, "bytes": data,
        }  # fmt: skip
        server.albums.setdefault(album, []).append(song | ({"userRating": 5} if number == 2 else {}))
    return server
