"""A weights server on this machine that can drop connections, lie about bytes, and redirect like a hub."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class WeightsServer:
    """What it serves and how it misbehaves.

    Attributes:
        files: path -> bytes.
        drop_after: lengths after which the connection is cut, one per request, then never.
        headers: extra headers per path (a hub's ETag, a commit).
        redirects: path -> path.
        requests: (path, Range header) of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    drop_after: list[int] = field(default_factory=list)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    ranges: bool = True
    etags: bool = True
    length: bool = True
    url: str = ""


def _handler(server: WeightsServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            server.requests.append((self.path, asked))
            if self.path in server.redirects:
                self._head(302, {"Location": server.url + server.redirects[self.path], "Content-Length": "0"})
                return
            if self.path not in server.files:
                self._head(404, {"Content-Length": "0"})
                return
            self._send(server.files[self.path], asked)

        def _send(self, body: bytes, asked: str) -> None:
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            begin = 0
            if asked and server.ranges and self.headers.get("If-Range", etag) == etag:
                begin = int(asked.removeprefix("bytes=").rstrip("-"))
                if begin >= len(body):
                    self._head(416, {"Content-Range": f"bytes */{len(body)}", "Content-Length": "0"})
                    return
            headers = {"ETag": etag} if server.etags else {}
            if server.length:
                headers["Content-Length"] = str(len(body) - begin)
            self._head(206 if begin else 200, headers)
            rest = body[begin:]
            if server.drop_after:
                self.wfile.write(rest[: server.drop_after.pop(0)])
                self.wfile.flush()
                self.connection.close()
            else:
                self.wfile.write(rest)

        def _head(self, code: int, headers: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {**headers, **server.headers.get(self.path, {})}.items():
                self.send_header(name, value)
            self.end_headers()

        def finish(self) -> None:
            if not self.wfile.closed and self.connection.fileno() != -1:
                super().finish()

    return Handler


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    state = WeightsServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()
