"""ASGI middleware around the page: what the server refuses, and what every answer carries.

- A request's body is counted as it arrives: a `Content-Length` alone is what the client claims, and a chunked
  request claims nothing. Beyond the limit the answer is 413.
- Gradio's file route redirects to and proxies public addresses (`file=https://...`, `/proxy=`): 403.
- A 206 answer of Gradio's file route carries the request's own headers, cookies included: only headers that
  belong in an answer pass.
- One visitor (by network address, kept in memory only) has a token bucket: 429 when it is empty. Behind a
  proxy the address is what the proxy says: this slows careless clients, it does not stop a determined one.
- `nosniff`, a content security policy, a referrer policy and a permissions policy on everything.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]

# 'unsafe-inline' and 'unsafe-eval' are needed by Gradio's own templates: the policy keeps third parties out.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob: data:",
        "connect-src 'self' blob: data:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co https://*.hf.space",
    ]
)

SECURITY_HEADERS: Headers = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
]

# What a 206 answer may carry; Gradio's file route adds whatever headers the request had, under any name.
PARTIAL_HEADERS = frozenset(
    b"accept-ranges access-control-allow-credentials access-control-allow-origin cache-control date etag "
    b"content-disposition content-length content-range content-type last-modified vary".split()
)

# Immutable files of the page itself: a first visit loads about a hundred, so they cost no token.
UNCOUNTED = ("/assets/", "/static/", "/theme.css", "/favicon.ico")


@dataclass(frozen=True, kw_only=True)
class HardenSettings:
    """Limits of one server.

    Attributes:
        max_body_bytes: of one request, however it is sent.
        requests_per_minute: refill of one visitor's bucket; the bucket holds one minute's worth.
        visitors: how many buckets are remembered; the one unused longest is forgotten.
    """

    max_body_bytes: int = 501 * 2**20
    requests_per_minute: int = 600
    visitors: int = 10_000


class TokenBuckets:
    """One bucket per visitor; refills steadily; holds one minute's worth."""

    def __init__(self, settings: HardenSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, visitor: str) -> float:
        """Take one token. Returns 0 when there was one, else the seconds until there is."""
        full = float(self._settings.requests_per_minute)
        now = self._clock()
        tokens, then = self._buckets.pop(visitor, (full, now))
        tokens = min(full, tokens + (now - then) * full / 60)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) * 60 / full
        self._buckets[visitor] = (tokens - (wait_s == 0.0), now)
        while len(self._buckets) > self._settings.visitors:
            self._buckets.popitem(last=False)
        return wait_s


class BodyTooLarge(Exception):
    """More bytes arrived than one request may have."""


class Harden:
    """The middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, settings: HardenSettings | None = None) -> None:
        self.app = app
        self.settings = settings or HardenSettings()
        self._buckets = TokenBuckets(self.settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send)
        if is_forwarding(scope["path"]):
            await _refuse(guarded, 403, "this address is not served")
            return
        counted = not scope["path"].startswith(UNCOUNTED)
        wait_s = self._buckets.take(_visitor(scope)) if counted else 0.0
        if wait_s:
            await _refuse(guarded, 429, "too many requests; wait a moment", wait_s)
            return
        await self._pass(scope, receive, guarded)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            await self.app(scope, _counted(receive, self.settings.max_body_bytes, answer), answer)
        except Exception:
            if not answer.refused:
                raise
        if answer.refused:  # whatever the application made of the interruption, the answer is 413
            await _refuse(send, 413, "the upload is larger than this page accepts")


class _Answer:
    """Passes an answer on until the body is refused; then the application's own words are dropped."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = self.refused = False

    async def __call__(self, message: Message) -> None:
        if not self.refused:
            self.started = True
            await self._send(message)


def _counted(receive: Receive, limit: int, answer: _Answer) -> Receive:
    received = 0

    async def counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            answer.refused = not answer.started
            raise BodyTooLarge
        return message

    return counting


def is_forwarding(path: str) -> bool:
    """True for paths by which Gradio would fetch or redirect to another host.

    >>> is_forwarding("/gradio_api/file=https://example.org/a.mp4")
    True
    >>> is_forwarding("/gradio_api/file=/tmp/a.mp4")
    False
    """
    plain = unquote(path).lower().replace("\\", "/")
    target = plain.partition("file=")[2] or plain.partition("/file/")[2]
    remote = target.lstrip("/ ").startswith(("http:", "https:", "ftp:", "data:")) or target.startswith("//")
    return "/proxy=" in plain or remote


def _visitor(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _with_headers(send: Send) -> Send:
    ours = {name for name, _ in SECURITY_HEADERS}

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message.get("headers", [])]
            if message["status"] == 206:
                headers = [pair for pair in headers if pair[0] in PARTIAL_HEADERS]
            message["headers"] = [pair for pair in headers if pair[0] not in ours] + SECURITY_HEADERS
        await send(message)

    return sending


async def _refuse(send: Send, status: int, sentence: str, wait_s: float = 0.0) -> None:
    body = sentence.encode()
    headers: Headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if wait_s:
        headers.append((b"retry-after", str(max(1, round(wait_s))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
