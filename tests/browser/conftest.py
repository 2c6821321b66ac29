"""One server for all browser tests, one chromium per file, and clips that the tests make themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
MAX_UPLOAD_MB = 30
# what Gradio says of a request that a reload cut off
LEFT_BEHIND = ("BodyStreamBuffer was aborted", "Connection errored out")
SIZES: dict[str, dict[str, Any]] = {
    "1280x800": {"viewport": {"width": 1280, "height": 800}},
    "390x844": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
both_sizes = pytest.mark.parametrize("size", SIZES)
PATIENCE_S = 180  # a busy machine is slow, not wrong; nothing here waits for a time to pass


@dataclass
class Server:
    url: str
    home: Path
    log: Path

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=PATIENCE_S, **options)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests; each side of a battle is to be heard for one second, so that sessions take less long."""
    with serve(tmp_path_factory.mktemp("page"), MVR_APP_LISTEN_MS="1000") as started:
        yield started


@contextmanager
def serve(folder: Path, **settings: str) -> Iterator[Server]:
    """A server with a home of its own, for as long as the block runs."""
    port = free_port()
    environment = {
        **os.environ,
        "MVR_HOME": str(folder / "home"),
        "MVR_APP_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB),
        "MVR_APP_REQUESTS_PER_MINUTE": "20000",
        "MVR_APP_MAX_VIDEO_S": "60",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_HUB_OFFLINE": "1",
        **settings,
    }
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    started = Server(f"http://127.0.0.1:{port}", folder / "home", log)
    try:
        _await(started, process)
        yield started
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def other_server() -> Callable[..., AbstractContextManager[Server]]:
    """Start one more: `with other_server(folder, MVR_APP_LISTEN_MS="5000") as server`."""
    return serve


def _await(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, server.log.read_text()
        try:
            if httpx.get(server.url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    raise AssertionError(f"the page did not start: {server.log.read_text()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A chromium that can reach this machine only. Per file: Playwright's loop must not outlive it."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "the browser tests need chromium; `make test` installs it"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield chromium
        chromium.close()


@dataclass
class Visitor:
    """One visitor with a browser context of their own, and what their browser reported."""

    page: Any
    server: Server
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, query: str = "") -> Any:
        """Open the page and wait until it is as the address asks: the server sets tab and alpha after it is there."""
        self.page.goto(f"{self.server.url}/{query}")
        self.page.wait_for_selector("#mv-tabs [role=tab]")
        asked = dict(parse_qsl(query.removeprefix("?")))
        if "tab" in asked:
            self.page.wait_for_selector(f"#mv-tab-{asked['tab']}-button[aria-selected=true]")
        if "alpha" in asked:
            self.page.wait_for_function(
                "alpha => Number(document.querySelector('.mv-alpha input[type=range]')?.value) === alpha",
                arg=float(asked["alpha"]),
            )
        return self.page

    def upload(self, box: str, *paths: Path) -> None:
        self.page.set_input_files(f"#{box} input[type=file]", [str(path) for path in paths])

    def status(self, kind: str) -> str:
        """Wait for a visible status line of a kind and return its words."""
        line = self.page.locator(f".mv-status-{kind}:visible span").last
        line.wait_for()
        return str(line.inner_text())


@pytest.fixture
def new_visitor(browser: Any, server: Server) -> Iterator[Callable[..., Visitor]]:
    visitors: list[tuple[Visitor, Any]] = []

    def create(**options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(1000 * PATIENCE_S)
        visitor = Visitor(context.new_page(), server)
        page = visitor.page
        page.on("console", lambda m: visitor.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: visitor.errors.append(str(error)))
        page.on("request", lambda request: visitor.hosts.add(request.url.split("/")[2]))
        visitors.append((visitor, context))
        return visitor

    yield create
    for _, context in visitors:
        context.close()
    for visitor, _ in visitors:
        here = visitor.server.url.split("/")[2]
        assert {host for host in visitor.hosts if host} <= {here}, "a request left this machine"
        told = [error for error in visitor.errors if not any(words in error for words in LEFT_BEHIND)]
        assert told == []


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a clip of moving colours with a tone: `clips("a.webm", "-c:v", "libvpx-vp9", sound=False)`."""
    import imageio_ffmpeg

    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *options: str, sound: bool = True, seconds: float = 3, size: str = "320x240") -> Path:
        out = folder / name
        if out.exists():
            return out
        source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15:duration={seconds}"]
        if sound:
            source += ["-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds}", "-shortest"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *source, *options, str(out)]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        return out

    return make
