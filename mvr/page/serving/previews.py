"""What a link to the page looks like where it is shared: title, description and picture in the page's own HTML.

Who makes such a preview reads the HTML and runs no script, and wants the picture's address in full. It is built from
the name by which the page was asked for, which this server has checked (`Harden`), so a preview never shows another
host; what Gradio's template says of itself is taken out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PICTURE = "link-preview.png"
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_THEIRS = re.compile(
    rb"""<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>|<title>[^<]*</title>"""
)
_HEAD = b"<head>"


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a preview shows.

    Attributes:
        title, description, alt: words; `alt` says what is on the picture.
        width_px, height_px: of the picture.
    """

    title: str
    description: str
    alt: str
    width_px: int
    height_px: int

    def html(self, base: str) -> str:
        """The `<meta>` elements; addresses only where the page's own (`base`, with its last slash) is known."""
        known = {
            "og:type": "website",
            "og:title": self.title,
            "og:description": self.description,
            "og:locale": "en",
        }
        if base:
            known |= {
                "og:url": base,
                "og:image": base + PICTURE,
                "og:image:type": "image/png",
                "og:image:width": str(self.width_px),
                "og:image:height": str(self.height_px),
                "og:image:alt": self.alt,
            }
        named = {
            "description": self.description,
            "twitter:card": "summary_large_image" if base else "summary",
        }
        lines = [f"<title>{escape(self.title)}</title>"]
        lines += [f'<meta property="{key}" content="{escape(value)}">' for key, value in known.items()]
        lines += [f'<meta name="{key}" content="{escape(value)}">' for key, value in named.items()]
        return "\n".join(lines)


def base_of(scope: Scope) -> str:
    """Where the page stands, as it was asked for; "" for a name that is none.

    >>> base_of({"scheme": "https", "headers": [(b"host", b"a.example")], "root_path": ""})
    'https://a.example/'
    >>> base_of({"scheme": "http", "headers": [(b"host", b'localhost:"><script>')], "root_path": ""})
    ''
    """
    host = next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == b"host"), "")
    if not _HOST.fullmatch(host):
        return ""
    return f"{scope.get('scheme', 'http')}://{host}{scope.get('root_path', '').rstrip('/')}/"


def picture_route(picture: Path) -> Route:
    """Serves the picture of a preview."""

    def answer(_: object) -> FileResponse:
        return FileResponse(
            picture, media_type="image/png", headers={"cache-control": "public, max-age=3600"}
        )

    return Route(f"/{PICTURE}", answer, methods=["GET", "HEAD"])


class LinkPreview:
    """ASGI middleware that puts a preview into the page's HTML."""

    def __init__(self, app: ASGIApp, preview: Preview) -> None:
        self.app, self.preview = app, preview

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; only that for the page itself is changed."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        page = _Page(send, self.preview.html(base_of(scope)).encode())
        await self.app(scope, receive, page)


class _Page:
    """Holds HTML back until it is whole, and sends it with the preview."""

    def __init__(self, send: Send, preview: bytes) -> None:
        self._send, self._preview = send, preview
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_plain_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        head, found, rest = self._body.partition(_HEAD)
        first, script, more = rest.partition(b"<script")  # what is said of the page stands before its scripts
        body = head + found + b"\n" + self._preview + _THEIRS.sub(b"", first) + script + more
        body = body if found else self._body
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**start, "headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": body})


def _is_plain_html(start: Message) -> bool:
    headers = {key.lower(): value for key, value in start["headers"]}
    return headers.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in headers
