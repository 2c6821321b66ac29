"""Visits: what one visitor uploaded and asked, on the server only, deleted after a while.

A visit is found by the session that Gradio gives a page load; its files lie in a folder with a random name. Nobody
else can address them. A page that is loaded again finds its visit by a secret ticket that this browser tab keeps; the
files go `grace_s` after the last page of the visit was closed, or when they were not used for `retention_s`.
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

GRACE_S = 60.0
TICKET = (
    "() => sessionStorage.getItem('mv_visit') || ''"  # JavaScript: of this browser tab alone, gone with it
)


@dataclass
class Visit:
    """One visitor's files and answers.

    Attributes:
        id: opaque; owner of what the visit puts on the shelf.
        folder: for its files.
        used_at: last use, in the registry's clock.
        ticket: the secret by which the same browser tab finds the visit after a reload.
        sessions: pages of it that are open.
        left_at: when the last of them was closed; None while one is open.
        desk: what a tab remembers of this visitor, under a key of the tab's own.
    """

    id: str
    folder: Path
    used_at: float
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sessions: set[str] = field(default_factory=set)
    left_at: float | None = None
    desk: dict[str, Any] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has(self, ticket: str) -> bool:
        """Whether this is the visit's ticket."""
        return secrets.compare_digest(self.ticket.encode(), ticket.encode())

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
        grace_s: and so long after its last page was closed; a reload is a page closed and one opened.
        on_end: called with each visit that ends, before its files are deleted.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        root: Path,
        shelf: Shelf,
        *,
        retention_s: float,
        grace_s: float = GRACE_S,
        on_end: Callable[[Visit], None] = lambda visit: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._shelf = root / secrets.token_hex(8), shelf
        self._retention_s, self._clock, self._on_end = retention_s, clock, on_end
        self._grace_s = grace_s
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
                self._join(session, visit)
            visit.used_at = self._clock()
            return visit

    def touch(self, visit: Visit) -> None:
        """Something is done for a visit that nobody asks of just now: it is not over."""
        visit.used_at = self._clock()

    def resume(self, session: str, ticket: str) -> Visit:
        """The visit of a ticket, joined by a new page of the same browser tab; without one, `of` the session."""
        before = None
        with self._lock:
            found = next((one for one in self._visits.values() if ticket and one.has(ticket)), None)
            if found is not None and self._visits.get(session) is not found:
                before = self._visits.get(
                    session
                )  # made by who asked first with the new session; nothing is in it
                self._join(session, found)
        if before is not None:
            self._delete(before)
        return self.of(session)

    def _join(self, session: str, visit: Visit) -> None:
        self._visits[session] = visit
        visit.sessions.add(session)
        visit.left_at = None

    def leave(self, session: str) -> None:
        """A page was closed: its visit ends soon, unless another page of it is open or comes."""
        with self._lock:
            visit = self._visits.get(session)
            if visit is None:
                return
            visit.sessions.discard(session)
            if visit.sessions:
                del self._visits[session]  # others lead to it
            else:
                visit.left_at = self._clock()

    def end(self, session: str) -> None:
        """Delete a visit and its files; nothing happens when there is none."""
        with self._lock:
            visit = self._visits.get(session)
            self._visits = {
                key: one for key, one in self._visits.items() if one is not visit or visit is None
            }
        if visit is not None:
            self._delete(visit)

    def _delete(self, visit: Visit) -> None:
        self._shelf.drop(visit.id)
        self._on_end(visit)
        shutil.rmtree(visit.folder, ignore_errors=True)

    def sweep(self) -> int:
        """End every visit that was left, or not used for the retention time. Returns how many."""
        now = self._clock()
        with self._lock:
            ends = {
                id(visit): session for session, visit in self._visits.items() if self._is_over(visit, now)
            }
        old = list(ends.values())
        for session in old:
            self.end(session)
        return len(old)

    def _is_over(self, visit: Visit, now: float) -> bool:
        left = visit.left_at is not None and now - visit.left_at > self._grace_s
        return left or visit.used_at < now - self._retention_s

    def end_all(self) -> None:
        """Delete all visits and their folder."""
        with self._lock:
            sessions = list(self._visits)
        for session in sessions:
            self.end(session)
        with contextlib.suppress(OSError):
            self._root.rmdir()

    def keep_swept(self, every_s: float = 20.0) -> threading.Thread:
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
