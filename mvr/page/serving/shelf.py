"""What the page may serve: media under opaque, unguessable addresses, never a path from a client.

A file is put on the shelf and gets `media/TOKEN/NAME`; the token is looked up in a table, so no request can name
a file. What belongs to a visitor is dropped with the visit. Only the media types below are served.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from mvr.errors import MvrError, UsageError
from mvr.page.serving.per_key import PerKey
from mvr.page.serving.ranged import RangedBytes, Sent

MEDIA_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".vtt": "text/vtt; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".zip": "application/zip",
    ".otioz": "application/zip",
}
_NO_DATE = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass(frozen=True, kw_only=True)
class ShelfItem:
    """One file that may be served.

    Attributes:
        path: where it lies, or will lie once `make` wrote it.
        name: the last part of its address and the name it is saved under; for people, not used to find anything.
        owner: the visit it belongs to; None for what everybody may see.
        download: sent as an attachment.
        undated: the answer tells neither when the file was made nor which one it is among all addresses of it.
        make: writes `path` on the first request; None when the file is there already.
        named: the file that another last part of the address asks for; None where it names none.
        answer: what is sent instead of the file, made for each request, and what is called afterwards with the bytes
            that went out; such an answer is kept by no cache.
    """

    path: Path
    name: str
    owner: str | None = None
    download: bool = False
    undated: bool = False
    make: Callable[[Path], None] | None = None
    named: Callable[[str], ShelfItem | None] | None = None
    answer: Callable[[Path], tuple[bytes, Sent]] | None = None


class Shelf:
    """Token -> file. Safe to use from several threads."""

    def __init__(self) -> None:
        self._items: dict[str, ShelfItem] = {}
        self._tokens: dict[tuple[Path, str, str | None, bool], str] = {}
        self._lock = threading.Lock()
        self._making: PerKey[Path, None] = PerKey(0)

    def put(self, item: ShelfItem) -> str:
        """Put a file on the shelf; the same file, name and owner keep their address.

        Returns:
            The address relative to the page, `media/TOKEN/NAME`.

        Raises:
            UsageError: a file type that the page does not serve.
        """
        if item.path.suffix.lower() not in MEDIA_TYPES:
            raise UsageError(f"the page does not serve {item.path.suffix or 'files without an ending'}")
        key = (item.path, item.name, item.owner, item.download)
        with self._lock:
            token = self._tokens.setdefault(key, secrets.token_urlsafe(18))
            self._items[token] = item
        return f"media/{token}/{quote(item.name, safe='')}"

    def take(self, token: str) -> ShelfItem | None:
        """The file behind a token, or None."""
        with self._lock:
            return self._items.get(token)

    def drop(self, owner: str) -> None:
        """Forget everything that belongs to one visit."""
        with self._lock:
            gone = {token for token, item in self._items.items() if item.owner == owner}
            self._items = {token: item for token, item in self._items.items() if token not in gone}
            self._tokens = {key: token for key, token in self._tokens.items() if token not in gone}

    def made(self, item: ShelfItem) -> Path:
        """The item's file, written first if nobody asked for it before."""

        def make() -> None:
            if item.make is not None and not item.path.exists():
                item.path.parent.mkdir(parents=True, exist_ok=True)
                item.make(item.path)

        self._making.get(item.path, make)
        return item.path

    def route(self) -> Route:
        """The route that serves the shelf, with byte ranges."""
        return Route("/media/{token}/{name}", self._serve, methods=["GET", "HEAD"])

    async def _serve(self, request: Request) -> Response:
        item, name = self.take(request.path_params["token"]), request.path_params["name"]
        if item is not None and item.named is not None and name != item.name:
            item = item.named(name)
        if item is None:
            return PlainTextResponse("this file is no longer here", 404)
        try:
            path = await run_in_threadpool(self.made, item)
        except MvrError as error:
            return PlainTextResponse(str(error), 422)
        if not path.exists():
            return PlainTextResponse("this file is no longer here", 404)
        once = item.download or item.answer is not None
        headers = {"cache-control": "no-store" if once else "private, max-age=3600"}
        if item.undated:
            headers |= {"etag": f'"{request.path_params["token"]}"', "last-modified": _NO_DATE}
        media_type = MEDIA_TYPES[path.suffix.lower()]
        if item.answer is not None:
            content, sent = await run_in_threadpool(item.answer, path)
            return RangedBytes(content, media_type=media_type, headers=headers, sent=sent)
        return FileResponse(
            path,
            media_type=media_type,
            filename=item.name,
            content_disposition_type="attachment" if item.download else "inline",
            headers=headers,
        )
