"""One server for all browser tests, one chromium per file, and clips that the tests make themselves."""

from __future__ import annotations

import functools
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
from playwright.sync_api import expect

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
MAX_UPLOAD_MB = 30
ROWS = "#mv-results-v2m .mv-row[data-id]"  # of music for a video
# what Gradio says of a request that a reload cut off
LEFT_BEHIND = ("BodyStreamBuffer was aborted", "Connection errored out")
DESKTOP, PHONE = "1280x800", "390x844"
PHONE_PX = 500  # a window that is not so wide is a telephone's, which fingers use


def screen_of(size: str) -> dict[str, Any]:
    """The window of a size, as a browser context takes it."""
    width, height = map(int, size.split("x"))
    phone = {"has_touch": True, "is_mobile": True} if width < PHONE_PX else {}
    return {"viewport": {"width": width, "height": height}, **phone}


def on_screens(*sizes: Any) -> pytest.MarkDecorator:
    """Whatever the test opens has a window of that size."""
    return pytest.mark.parametrize("screen", sizes, indirect=True)


both_sizes = on_screens(DESKTOP, PHONE)
# a telephone's are run with what takes longer
on_a_phone_too = on_screens(DESKTOP, pytest.param(PHONE, marks=pytest.mark.slow))
PATIENT_ROUNDS = 10  # a busy machine may delay one of them
PATIENCE_S = 180  # a busy machine is slow, not wrong; nothing here waits for a time to pass
STREAM_S = 20
expect.set_options(timeout=1000 * PATIENCE_S)

# at rest: no animation runs, nothing scrolls, and nothing of the document has changed for that many pictures in a row
REST = """
(pictures) => new Promise((done) => {
  let still = 0, place = "";
  const changes = new MutationObserver(() => { still = 0; });
  changes.observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
  const look = () => {
    const moving = document.getAnimations().some((one) => one.playState === "running");
    const now = `${scrollX} ${scrollY} ${innerWidth} ${document.body.scrollHeight}`;
    still = moving || now !== place ? 0 : still + 1;
    place = now;
    if (still < pictures) return requestAnimationFrame(look);
    changes.disconnect();
    done();
  };
  look();
})
"""

# a part of the page that is in sight, under no other, and has stood still for some pictures: its box
IN_PLACE = """
([selector, across, down]) => new Promise((done) => {
  let last = "", still = 0;
  const look = () => {
    const part = document.querySelector(selector);
    if (part) {
      const at = part.getBoundingClientRect(), now = [at.x, at.y, at.width, at.height].join();
      const there = document.elementFromPoint(at.x + across * at.width, at.y + down * at.height);
      if (!part.contains(there)) part.scrollIntoView({ block: "center" });
      still = now === last && part.contains(there) ? still + 1 : 0;
      last = now;
      if (still > 5) return done({ x: at.x, y: at.y, width: at.width, height: at.height });
    }
    requestAnimationFrame(look);
  };
  look();
})
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Three waits that are as patient as they may be, and the start of a server, fit into a test's own time."""
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(4 * PATIENCE_S))


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
    for last in (False, False, True):
        port = free_port()
        with _serve(folder, port, settings) as (server, process):
            if _await(server, process) or last:
                assert process.poll() is None, server.log.read_text()
                yield server
                return


@contextmanager
def _serve(
    folder: Path, port: int, settings: dict[str, str]
) -> Iterator[tuple[Server, subprocess.Popen[bytes]]]:
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "MVR_HOME": str(folder / "home"),
        "MVR_APP_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB),
        "MVR_APP_REQUESTS_PER_MINUTE": "20000",
        "MVR_APP_MAX_VIDEO_S": "60",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "HF_HUB_OFFLINE": "1",
        **settings,
    }
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield Server(f"http://127.0.0.1:{port}", folder / "home", log), process
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@pytest.fixture
def other_server() -> Callable[..., AbstractContextManager[Server]]:
    """Start one more: `with other_server(folder, MVR_APP_LISTEN_MS="5000") as server`."""
    return serve


def _await(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Until it is there, by its own word: another's may answer at the address. False: its port was taken meanwhile."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        told = server.log.read_text()
        if process.poll() is not None:
            assert "is taken" in told, told
            return False
        try:
            if server.url in told and httpx.get(server.url, timeout=PATIENCE_S).status_code == 200:
                return True
        except httpx.TransportError:
            pass
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
    asked: dict[Any, float] = field(default_factory=dict)  # open requests, and when each began

    def __post_init__(self) -> None:
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._ask)
        self.page.on("requestfinished", lambda request: self.asked.pop(request, None))
        self.page.on("requestfailed", lambda request: self.asked.pop(request, None))

    def _ask(self, request: Any) -> None:
        self.hosts.add(request.url.split("/")[2])
        if request.resource_type in ("fetch", "xhr") and "/heartbeat/" not in request.url:
            self.asked[request] = time.monotonic()

    def _waits(self) -> list[str]:
        """What the server has not answered. Gradio may leave a stream open when all was said: an old one is no wait."""
        return [
            request.url
            for request, since in self.asked.items()
            if "/queue/data" not in request.url or time.monotonic() - since < STREAM_S
        ]

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
        if "library" in asked:
            chosen = self.page.locator(f".mv-which input[value={asked['library']}]:checked")
            chosen.first.wait_for(state="attached")
        return self.page

    def rest(self, pictures: int = 15) -> None:
        """Wait until the page asks the server nothing and has stood still for that many pictures."""
        self.answered(lambda: self.page.evaluate(REST, pictures))

    def answered(self, first: Callable[[], Any] = lambda: None) -> None:
        """Wait until the page asks the server nothing, having done this before each look."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            first()
            if not self._waits():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"not answered: {self._waits()}")

    def place(self, selector: str, *, across: float = 0.5, down: float = 0.5) -> dict[str, float]:
        """The box of a part, in sight and standing still; nothing lies over the named point of it."""
        return dict(self.page.evaluate(IN_PLACE, [selector, across, down]))

    def upload(self, box: str, *paths: Path) -> None:
        self.page.set_input_files(f"#{box} input[type=file]", [str(path) for path in paths])

    def status(self, kind: str, words: str = "") -> str:
        """Wait for a visible status line of a kind that holds these words, and return all of its words."""
        line = self.page.locator(f".mv-status-{kind}:visible span").filter(has_text=words).last
        return str(line.inner_text())


def fits(page: Any) -> bool:
    """Whether nothing is wider than the window; `innerWidth` would not tell: a telephone shows such a page smaller."""
    return bool(page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"])


def choose(box: Any) -> None:
    """Check one of Gradio's small boxes by its label, as a hand does: the click waits until that stands still."""
    box.locator("xpath=ancestor::label").click()
    expect(box).to_be_checked()


@pytest.fixture
def screen(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The window of every visitor of the test: the desktop's, or what `on_screens` asks for."""
    return screen_of(getattr(request, "param", DESKTOP))


@pytest.fixture
def new_visitor(browser: Any, server: Server, screen: dict[str, Any]) -> Iterator[Callable[..., Visitor]]:
    visitors: list[tuple[Visitor, Any]] = []

    def create(**options: Any) -> Visitor:
        context = browser.new_context(**{**screen, **options})
        context.set_default_timeout(1000 * PATIENCE_S)
        visitor = Visitor(context.new_page(), server)
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

    @functools.cache  # two clips of one name that differ otherwise are two files
    def make(name: str, *options: str, sound: bool = True, seconds: float = 3, size: str = "320x240") -> Path:
        out = tmp_path_factory.mktemp("clips") / name
        source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15:duration={seconds}"]
        if sound:
            source += ["-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds}", "-shortest"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *source, *options, str(out)]
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        return out

    return make
