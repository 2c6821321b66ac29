"""The page: from choosing a file to the ranked list on the screen, in a real browser."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import Inputs

ROOT = Path(__file__).parents[2]
ROWS = "#mv-results-v2m .mv-row[data-id]"


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Upload to results; needs chromium, and says so where there is none."""
    if chromium() is None:
        print("page: chromium is not installed; nothing is measured", file=sys.stderr)
        return
    seconds = 3.0 if inputs.short else 15.0
    size = (320, 180) if inputs.short else (1920, 1080)
    clip = inputs.video("phone", seconds=seconds, size=size)
    yield Contest(
        name="page-upload",
        title="Upload to results in the page",
        work=f"a {seconds:g} s {size[0]}x{size[1]} H.264 clip, demo library, default system, all on one machine",
        ours="the page",
        candidates={
            "the page": lambda: _page(clip),
            "the retriever alone": lambda: _retriever(clip),
        },
        media_s=seconds,
        aims=(Aim(text="results within 3 s of choosing the file", wall_s_at_most=3.0),),
    )


def chromium() -> str | None:
    """The browser's path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


def _retriever(clip: Path) -> Work:
    from mvr.config.cards import DEFAULT_SYSTEM
    from mvr.datatypes import Direction
    from mvr.embeddings.system import load_system
    from mvr.library import open_demo_library
    from mvr.retrieval import Retriever

    os.environ["MVR_HOME"] = tempfile.mkdtemp(prefix="mvr-speed-")
    retriever = Retriever(open_demo_library(), load_system(DEFAULT_SYSTEM))
    retriever.prepare(Direction.VIDEO_TO_MUSIC)

    def work() -> dict[str, Any]:
        query = retriever.embed_query(clip, Direction.VIDEO_TO_MUSIC)
        return {"results": len(retriever.rank(query).results)}

    return work


def _page(clip: Path) -> Work:
    from playwright.sync_api import sync_playwright

    url = _serve()
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
    page = browser.new_page()
    atexit.register(playwright.stop)
    page.goto(url)
    page.wait_for_selector("#mv-upload-v2m", timeout=60_000)

    def work() -> dict[str, Any]:
        page.evaluate(f"document.querySelectorAll('{ROWS}').forEach(row => row.remove())")
        begun = time.monotonic()
        page.set_input_files("#mv-upload-v2m input[type=file]", str(clip))
        page.wait_for_selector(ROWS, timeout=120_000)
        listed_s = time.monotonic() - begun
        page.locator("#mv-tab-video-to-music .mv-status-busy").wait_for(state="detached", timeout=120_000)
        return {"list s": round(listed_s, 2), "player s": round(time.monotonic() - begun, 2)}

    return work


def _serve() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "MVR_HOME": tempfile.mkdtemp(prefix="mvr-speed-"),
        "GRADIO_SERVER_PORT": str(port),
    }
    server = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    atexit.register(server.terminate)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5):
                return url
        except (URLError, OSError):
            time.sleep(0.3)
    raise TimeoutError("the page did not start within two minutes")
