"""Bytes in memory as an answer with one range, that says afterwards which of them went out."""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_CHUNK = 256 << 10
_RANGE = re.compile(r"bytes=([0-9]*)-([0-9]*)$")
_DIGITS = 18  # more of them than any file has bytes; Python refuses to read thousands
Sent = Callable[[int, int, int], None]


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and end of a `Range` header; the whole where there is none (or several); None: not satisfiable.

    >>> byte_range("bytes=10-19", 100), byte_range("bytes=90-", 100), byte_range("bytes=-5", 100)
    ((10, 20), (90, 100), (95, 100))
    >>> byte_range(None, 100), byte_range("bytes=100-", 100), byte_range("bytes=-0", 100)
    ((0, 100), None, None)
    """
    found = _RANGE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return (max(0, size - _number(last)), size) if _number(last) and size else None
    end = min(size, _number(last) + 1) if last else size
    return (_number(first), end) if _number(first) < end else None


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _DIGITS else 10**_DIGITS


class RangedBytes(Response):
    """200 with everything, 206 with one range, 416.

    Args:
        content: the whole.
        sent: called after the answer with its first byte, the end of what the client took, and the size of the whole;
            what was not sent because the client went away does not count.
    """

    def __init__(
        self, content: bytes, *, media_type: str, headers: dict[str, str], sent: Sent | None = None
    ) -> None:
        super().__init__(b"", media_type=media_type, headers=headers)
        self._content, self._sent = content, sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it piece by piece."""
        request = Request(scope, receive)
        size = len(self._content)
        wanted = byte_range(request.headers.get("range"), size)
        first, end = wanted or (0, 0)
        partial = wanted is not None and "range" in request.headers and (first, end) != (0, size)
        self.status_code = 416 if wanted is None else 206 if partial else 200
        self.headers["accept-ranges"] = "bytes"
        self.headers["content-length"] = str(end - first)
        if self.status_code != 200:
            self.headers["content-range"] = (
                f"bytes {first}-{end - 1}/{size}" if partial else f"bytes */{size}"
            )
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        at = first
        try:
            while at < end and not await request.is_disconnected():
                piece = self._content[at : min(end, at + _CHUNK)]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                at += len(piece)
            await send({"type": "http.response.body", "body": b""})
        finally:
            if self._sent is not None and at > first:
                self._sent(first, at, size)
