"""ASGI middleware around the page: what the server refuses, and what every answer carries.

- A request's body is counted as it arrives: a `Content-Length` alone is what the client claims, and a chunked
  request claims nothing. Beyond the limit, a small one for all that is no upload, the answer is 413.
- Gradio's file route redirects to and proxies public addresses (`file=https://...`, `/proxy=`): 403.
- A 206 answer of Gradio's file route carries the request's own headers, cookies included: only headers that
  belong in an answer pass.
- Only names of this server are answered: 421 for another `Host` (see `mvr.page.serving.addresses`); headers by which
  Gradio would give the page another name are taken away unless they name this server.
- One visitor (by network address, kept in memory only) has a token bucket: 429 when it is empty. The address is a
  proxy's word only where the proxy is trusted; files of the page itself cost no token.
- One visitor, and all together, may upload so much within the time that uploads are kept: 429 beyond.
- `nosniff`, a content security policy, a referrer policy and a permissions policy on everything.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mvr.page.serving.addresses import Hosts, visitor_of
from mvr.page.serving.quota import QuotaSettings, UploadQuota

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

# Files of the page itself: a first visit loads about a hundred, so they cost no token.
UNCOUNTED = (
    "/assets/",
    "/static/",
    "/svelte/",
    "/theme.css",
    "/favicon.ico",
    "/manifest.json",
    "/robots.txt",
)
UPLOAD = "/gradio_api/upload"
RENAMING = (b"x-forwarded-host", b"x-gradio-server")  # Gradio builds the page's addresses of them


@dataclass(frozen=True, kw_only=True)
class HardenSettings:
    """Limits of one server.

    Attributes:
        max_body_bytes: of one upload, however it is sent.
        max_call_bytes: of any other request: Gradio reads a call whole before it looks at it.
        requests_per_minute: refill of one visitor's bucket; the bucket holds one minute's worth.
        visitors: how many buckets are remembered; the one unused longest is forgotten.
        hosts: names that are answered; None answers to any.
        quota: of uploads; None for no limit.
    """

    max_body_bytes: int = 501 * 2**20
    max_call_bytes: int = 4 * 2**20
    requests_per_minute: int = 600
    visitors: int = 10_000
    hosts: Hosts | None = None
    quota: QuotaSettings | None = None


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


QUOTA = "the upload folder is full for now; try again later"


class BodyTooLarge(Exception):
    """More bytes arrived than one request may have."""


class Harden:
    """The middleware; see the module's docstring."""

    def __init__(self, app: ASGIApp, settings: HardenSettings | None = None) -> None:
        self.app = app
        self.settings = settings or HardenSettings()
        self._buckets = TokenBuckets(self.settings)
        self._quota = UploadQuota(self.settings.quota) if self.settings.quota else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send)
        host = _header(scope, b"host")
        if self.settings.hosts is not None and not self.settings.hosts.allows(host):
            await _refuse(guarded, 421, self.settings.hosts.refusal(host))
            return
        if is_forwarding(scope["path"]):
            await _refuse(guarded, 403, "this address is not served")
            return
        counted = not scope["path"].startswith(UNCOUNTED)
        wait_s = self._buckets.take(visitor_of(scope)) if counted else 0.0
        if wait_s:
            await _refuse(guarded, 429, "too many requests; wait a moment", wait_s)
            return
        await self._pass(self._named(scope), receive, guarded)

    def _named(self, scope: Scope) -> Scope:
        """The request without names that are not this server's; the headers may come from anybody."""
        hosts = self.settings.hosts
        if hosts is None:
            return scope
        kept = [
            (name, value)
            for name, value in scope["headers"]
            if name.lower() not in RENAMING or hosts.allows_all(value.decode("latin-1"))
        ]
        return {**scope, "headers": kept}

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        uploads = scope["path"].endswith(UPLOAD)
        quota = self._quota if uploads else None
        limit = self.settings.max_body_bytes
        if not uploads:
            limit = min(limit, self.settings.max_call_bytes)
        if quota is not None:
            limit = min(limit, quota.left(visitor_of(scope)))
        body = _Body(receive, limit, answer)
        try:
            await self.app(scope, body, answer)
        except Exception:
            if not answer.refused:
                raise
        finally:
            if quota is not None:
                quota.add(visitor_of(scope), body.received)
        if not answer.refused:
            return
        if quota is not None and limit < self.settings.max_body_bytes:
            await _refuse(send, 429, QUOTA, quota.wait_s())
            return
        # whatever the application made of the interruption, the answer is 413
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


class _Body:
    """Passes a request's body on and counts it; one byte over the limit interrupts the application."""

    def __init__(self, receive: Receive, limit: int, answer: _Answer) -> None:
        self._receive, self._limit, self._answer = receive, limit, answer
        self.received = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        if self.received > self._limit:
            self._answer.refused = not self._answer.started
            raise BodyTooLarge
        return message


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


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
