"""The few calls of the Subsonic API that are needed. Source: https://www.subsonic.org/pages/api.jsp, version 1.12.

A server answers a wrong password or a bad id with status 200 and an error document, for files too: what is saved is
looked at first. Answers are read as JSON; calls are sent as forms, so that nothing secret stands in an address.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mvr.errors import DataError, ServerFault
from mvr.library.subsonic.address import ServerAddress, base_url
from mvr.lines import one_line

_VERSION = "1.12.0"
_PAGE = 500  # the most that the API gives at once
_NO_TOKEN = (10, 41, 42)  # "parameter p is missing", "tokens are not supported here": older servers
_TIMEOUT_S = 30.0
_LARGEST_BYTES = 2 << 30
_DOCUMENTS = ("application/json", "text/xml", "application/xml", "text/html", "text/plain")


@dataclass(frozen=True, kw_only=True)
class Song:
    """A track as a server lists it; `stamp` changes when the server knows of another file under the same id."""

    id: str
    title: str
    artist: str
    album: str
    genre: str
    rating: int
    suffix: str
    stamp: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Song:
        """Read an answer's entry; what a server leaves out is empty."""
        told = [values.get(name) for name in ("size", "created", "duration", "bitRate", "suffix", "path")]
        digest = hashlib.sha256(json.dumps(told, default=str).encode()).digest()
        return cls(
            id=str(values["id"]),
            title=one_line(str(values.get("title") or "")),
            artist=one_line(str(values.get("artist") or "")),
            album=one_line(str(values.get("album") or "")),
            genre=one_line(str(values.get("genre") or "")),
            rating=int(values.get("userRating") or 0),
            suffix="".join(char for char in str(values.get("suffix") or "mp3") if char.isalnum())[:8],
            stamp=int.from_bytes(digest[:4], "big"),
        )


class Client:
    """A server and its user.

    Args:
        address: where it is.
        password: of the user.
        private: see `base_url`.
        transport: another way to reach it, for tests.

    Raises:
        UsageError, ServerFault: see `base_url`; the server refuses the password or cannot be reached.
    """

    def __init__(
        self,
        address: ServerAddress,
        password: str,
        *,
        private: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.address = address
        url = base_url(address, private=private) if transport is None else f"https://{address.place}/rest"
        self._http = httpx.Client(
            base_url=url, timeout=_TIMEOUT_S, follow_redirects=False, transport=transport, trust_env=False
        )
        self._secret = {"t": "", "s": secrets.token_hex(8)}
        self._secret["t"] = hashlib.md5(
            (password + self._secret["s"]).encode(), usedforsecurity=False
        ).hexdigest()
        try:
            self.call("ping")
        except _Refused as refused:
            if refused.code not in _NO_TOKEN:
                raise
            self._secret = {
                "p": f"enc:{password.encode().hex()}"
            }  # over https, or where the user said --private
            self.call("ping")

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def call(self, method: str, **values: str | int | Sequence[str]) -> dict[str, Any]:
        """One call; the answer without its envelope.

        Raises:
            ServerFault: the server cannot be reached, says no, or answers something else.
        """
        try:
            response = self._http.post(f"/{method}.view", data=self._form(values))
        except httpx.HTTPError as error:
            raise self._gone(error) from error
        return self._answer(response.status_code, response.content)

    def _form(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"u": self.address.user, **self._secret, "v": _VERSION, "c": "mvr", "f": "json", **values}

    def _gone(self, error: Exception) -> ServerFault:
        return ServerFault(
            f"the music server {self.address.place} cannot be reached: {error or type(error).__name__}"
        )

    def _answer(self, status: int, body: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(body)["subsonic-response"]
            failed = answer["status"] != "ok"
        except (ValueError, KeyError, TypeError) as error:
            raise ServerFault(
                f"{self.address.place} does not answer like a Subsonic server (status {status}); check the address"
            ) from error
        if failed:
            told = answer.get("error") or {}
            raise _Refused(
                f"the music server {self.address.place} says: {told.get('message') or 'no reason given'}; "
                "check user and password, or the name of the playlist",
                int(told.get("code") or 0),
            )
        result: dict[str, Any] = answer
        return result

    def songs(self) -> Iterator[Song]:
        """Every song, album by album; an album list is asked for page by page until one brings nothing new."""
        seen: set[str] = set()
        offset = 0
        while True:
            page = self.call("getAlbumList2", type="alphabeticalByName", size=_PAGE, offset=offset)
            albums = [str(album["id"]) for album in page.get("albumList2", {}).get("album", [])]
            fresh = [album for album in albums if album not in seen]
            if not fresh:  # the end, or a server that does not count
                return
            for album in fresh:
                answer = self.call("getAlbum", id=album)
                yield from (Song.of(song) for song in answer.get("album", {}).get("song", []))
            seen.update(fresh)
            offset += len(albums)

    def playlist(self, name: str) -> list[Song]:
        """Songs of a playlist, by its name or id. Raises ServerFault where there is none."""
        found = [entry for entry in self._playlists() if name in (entry.get("name"), str(entry["id"]))]
        if not found:
            names = (
                ", ".join(sorted(one_line(str(entry.get("name"))) for entry in self._playlists())[:20])
                or "none"
            )
            raise ServerFault(f"{self.address.place} has no playlist {name!r}; it has: {names}")
        return self._entries(str(found[0]["id"]))

    def create_playlist(self, name: str, ids: Sequence[str]) -> None:
        """Make a playlist and look whether it is there as it should be.

        Raises:
            ServerFault: one of that name is there already, or the server keeps other songs than these.
        """
        if any(entry.get("name") == name for entry in self._playlists()):
            raise ServerFault(f"{self.address.place} already has a playlist {name!r}; choose another name")
        self.call("createPlaylist", name=name, songId=list(ids))
        kept = [song.id for song in self.playlist(name)]  # not every server returns what it made
        if kept != list(ids):
            raise ServerFault(
                f"{self.address.place} kept {len(kept)} of {len(ids)} songs in the playlist {name!r}"
            )

    def _playlists(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("getPlaylists").get("playlists", {}).get("playlist", [])
        return found

    def _entries(self, playlist_id: str) -> list[Song]:
        entries = self.call("getPlaylist", id=playlist_id).get("playlist", {}).get("entry", [])
        return [Song.of(entry) for entry in entries]

    def download(self, song: Song, path: Path) -> None:
        """Write a song's own file, as it lies on the server.

        Raises:
            ServerFault: the server cannot be reached, or answers with a document in its place.
        """
        try:
            with self._http.stream("POST", "/download.view", data=self._form({"id": song.id})) as response:
                kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if response.status_code != 200 or kind in _DOCUMENTS:
                    self._answer(response.status_code, response.read())
                    raise ServerFault(
                        f"{self.address.place} sends no music for {song.title!r} but {kind or 'nothing'}"
                    )
                with path.open("wb") as file:
                    for part in response.iter_bytes(1 << 20):
                        file.write(part)
                        if file.tell() > _LARGEST_BYTES:
                            raise ServerFault(f"{song.title!r} on {self.address.place} is larger than 2 GiB")
        except httpx.HTTPError as error:
            raise self._gone(error) from error
        except OSError as error:
            raise DataError(f"{path.parent} cannot be written to: {error.strerror}") from error


class _Refused(ServerFault):
    """The server says no, with a code of the API."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code
