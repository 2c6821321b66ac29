"""Visits: what one visitor uploaded and asked, on the server only, deleted after a while.

A visit is found by the session that Gradio gives a page load; its files lie in a folder with a random name. Nobody
else can address them, and they go when the page is closed or when they were not used for `retention_s`.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mvr.page.serving.shelf import Shelf


@dataclass
class Visit:
    """One visitor's files and answers.

    Attributes:
        id: opaque; owner of what the visit puts on the shelf.
        folder: for its files.
        used_at: last use, in the registry's clock.
        desk: what a tab remembers of this visitor, under a key of the tab's own.
    """

    id: str
    folder: Path
    used_at: float
    desk: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def new_file(self, suffix: str) -> Path:
        """A free path in the visit's folder with a random name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{secrets.token_hex(8)}{suffix}"

    def new_folder(self) -> Path:
        """A new folder in the visit's folder with a random name."""
        folder = self.new_file("")
        folder.mkdir()
        return folder


class Visits:
    """All visits of this server, by session.

    Args:
        root: a folder for the files of all visits.
        shelf: serves them.
        retention_s: a visit ends when it was not used for so long.
        on_end: called with each visit that ends, before its files are deleted.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        root: Path,
        shelf: Shelf,
        *,
        retention_s: float,
        on_end: Callable[[Visit], None] = lambda visit: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._shelf = root / secrets.token_hex(8), shelf
        self._retention_s, self._clock, self._on_end = retention_s, clock, on_end
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()
        _remove_leftovers(root, retention_s)
        self._root.mkdir(parents=True, exist_ok=True)

    def of(self, session: str) -> Visit:
        """The visit of a session; a new one when there is none (any more)."""
        with self._lock:
            visit = self._visits.get(session)
            if visit is None:
                name = secrets.token_hex(16)
                visit = Visit(id=name, folder=self._root / name, used_at=self._clock())
                self._visits[session] = visit
            visit.used_at = self._clock()
            return visit

    def end(self, session: str) -> None:
        """Delete a visit and its files; nothing happens when there is none."""
        with self._lock:
            visit = self._visits.pop(session, None)
        if visit is not None:
            self._shelf.drop(visit.id)
            self._on_end(visit)
            shutil.rmtree(visit.folder, ignore_errors=True)

    def sweep(self) -> int:
        """End every visit that was not used for the retention time. Returns how many."""
        limit = self._clock() - self._retention_s
        with self._lock:
            old = [session for session, visit in self._visits.items() if visit.used_at < limit]
        for session in old:
            self.end(session)
        return len(old)

    def end_all(self) -> None:
        """Delete all visits and their folder."""
        with self._lock:
            sessions = list(self._visits)
        for session in sessions:
            self.end(session)
        with contextlib.suppress(OSError):
            self._root.rmdir()

    def keep_swept(self, every_s: float = 60.0) -> threading.Thread:
        """Sweep now and then, in a thread that ends with the program."""

        def sweeping() -> None:
            while True:
                time.sleep(every_s)
                self.sweep()

        thread = threading.Thread(target=sweeping, name="mvr-visits", daemon=True)
        thread.start()
        return thread


def _remove_leftovers(root: Path, retention_s: float) -> None:
    """Delete what servers that were killed left in `root`, once it is older than the retention time."""
    for folder in root.glob("*/"):
        newest = max(path.stat().st_mtime for path in [folder, *folder.rglob("*")])
        if time.time() - newest > retention_s:
            shutil.rmtree(folder, ignore_errors=True)
