"""A page that is served for a measurement: of this tree, or of an earlier commit, with a browser that opens it."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
ROWS = "#mv-results-v2m .mv-row[data-id]"
BEFORE = "2576e23"  # the last commit whose page muxed a file for every track that was to be heard
_PATIENCE_S = 180


def chromium() -> str | None:
    """The browser's path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, names) if path), None)


def earlier_tree() -> Path | None:
    """A git work tree of `BEFORE`; None, said on stderr, where the history does not hold it.

    The process that makes it removes it when it ends; those that it starts meanwhile find it.
    """
    folder = Path(tempfile.gettempdir()) / f"mvr-speed-{BEFORE}"
    if not (folder / "app.py").exists():
        if _git("worktree", "add", "--force", "--detach", str(folder), BEFORE):
            print(f"page: commit {BEFORE} is not here, so only this page is measured", file=sys.stderr)
            return None
        atexit.register(remove_tree, folder)
    return folder


def remove_tree(folder: Path) -> None:
    """Take a git work tree away, and what git keeps about it."""
    _git("worktree", "remove", "--force", "--force", str(folder))
    shutil.rmtree(folder, ignore_errors=True)
    _git("worktree", "prune")


def _git(*arguments: str) -> int:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).returncode


class Served:
    """A server of a tree's page on a free port, and one chromium; both end with this process.

    Args:
        tree: a checkout.
        home: its MVR_HOME, deleted with it.
    """

    def __init__(self, tree: Path, home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        atexit.register(shutil.rmtree, home, ignore_errors=True)  # after the server has ended
        self._environment = {**os.environ, "MVR_HOME": str(home), "PYTHONPATH": str(tree)}
        self._tree = tree
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=tree, stdout=subprocess.DEVNULL,
            env=self._environment | {"GRADIO_SERVER_PORT": str(port), "MVR_APP_REQUESTS_PER_MINUTE": "20000"},
        )  # fmt: skip
        atexit.register(self.process.terminate)

    def add(self, folder: Path) -> None:
        """Add a folder to the user's own library."""
        command = [sys.executable, "-m", "mvr", "library", "add", str(folder)]
        subprocess.run(command, cwd=self._tree, env=self._environment, check=True, stdout=subprocess.DEVNULL)

    def open(self, script: str = "", query: str = "") -> Any:
        """The page in a new browser; `script` runs before the page's own."""
        from playwright.sync_api import sync_playwright

        deadline = time.monotonic() + _PATIENCE_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the page did not start within {_PATIENCE_S} s")
            time.sleep(0.3)
        playwright = sync_playwright().start()
        atexit.register(playwright.stop)
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(1000 * _PATIENCE_S)
        if script:
            page.add_init_script(script)
        page.goto(self.url + query)
        page.wait_for_selector("#mv-tabs [role=tab]")
        return page

    def _answers(self) -> bool:
        try:
            with urlopen(self.url, timeout=5):  # noqa: S310 -- our own address
                return True
        except (URLError, OSError):
            return False


def memory_mb(process: int) -> float:
    """Resident memory of a process and all its children, in MB (Linux)."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, waiting = 0.0, [process]
    while waiting:
        one = waiting.pop()
        waiting += parents.get(one, [])
        try:
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except OSError:
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return total
