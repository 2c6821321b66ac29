"""Copies of the votes to a Hugging Face dataset in the background: private by default, what failed is shown.

A host without a disk that lasts (a Space) keeps its votes this way. Every commit adds files with fresh names (a UUID),
so that two replicas never overwrite each other; `mvr votes import FOLDER/data` reads such a folder back. Nothing is
sent unless the operator names a dataset.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mvr.errors import UsageError
from mvr.votes.formats.card import dataset_card
from mvr.votes.formats.tables import Row, Tables, read_tables
from mvr.votes.ids import now_ms
from mvr.votes.records import RECORDS
from mvr.votes.store import VoteStore

EVERY_MINUTES = 5.0
DATA = "data"  # folder of the tables beside the dataset's card


class Scheduler(Protocol):
    """What of `huggingface_hub.CommitScheduler` is used."""

    lock: Any

    def trigger(self) -> Any:
        """Push now; the result is a future."""

    def stop(self) -> None:
        """No further pushes."""


@dataclass(frozen=True, kw_only=True)
class SyncStatus:
    """What the page shows: when the last push went through, how many rows wait, what the last failure was."""

    last_sync_ms: int | None = None
    waiting_rows: int = 0
    failures: int = 0
    last_error: str = ""


class HubCopy:
    """Appends new rows of a store to a folder that a commit scheduler pushes to a dataset.

    Args:
        store: the votes.
        folder: where files wait; it must outlive the process only until the next push.
        repo_id: "owner/name" of the dataset.
        private: whether the dataset is made private (default).
        create_scheduler: makes the scheduler; tests give a stand-in.

    Raises:
        UsageError: a repo_id that is not "owner/name".
    """

    def __init__(
        self,
        store: VoteStore,
        folder: Path,
        repo_id: str,
        *,
        private: bool = True,
        create_scheduler: Callable[..., Scheduler] | None = None,
    ) -> None:
        if repo_id.count("/") != 1:
            raise UsageError(f"name the dataset as owner/name, not {repo_id!r}")
        folder.mkdir(parents=True, exist_ok=True)
        self._store, self._folder = store, folder
        self._written: set[tuple[str, ...]] = set()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._status = SyncStatus()
        self._lock = threading.Lock()
        create = create_scheduler or _create_scheduler
        self._scheduler = create(
            repo_id=repo_id,
            repo_type="dataset",
            folder_path=folder,
            every=EVERY_MINUTES,
            private=private,
            squash_history=False,
        )

    @property
    def status(self) -> SyncStatus:
        """When it last went well, what waits, what failed."""
        return self._status

    def push(self, timeout_s: float = 120.0) -> SyncStatus:
        """Write the rows that are new into files and push; a failure is kept in the status, the files are sent
        again."""
        with self._lock:
            tables = read_tables(self._store)
            fresh = self._fresh(tables)
            waiting = self._status.waiting_rows + sum(len(found) for found in fresh.values())
            try:
                with self._scheduler.lock:  # a push must not see half a file
                    self._write(fresh)
                    card = dataset_card(tables, lambda name: f"{DATA}/{name}/*.jsonl", published=False)
                    (self._folder / "README.md").write_text(card, encoding="utf-8", newline="\n")
                self._scheduler.trigger().result(timeout=timeout_s)
            except (
                Exception
            ) as error:  # whatever the network does: the votes stay in the store, and the page says so
                self._status = SyncStatus(
                    last_sync_ms=self._status.last_sync_ms,
                    waiting_rows=waiting,
                    failures=self._status.failures + 1,
                    last_error=f"{type(error).__name__}: {error}".splitlines()[0],
                )
                return self._status
            self._status = SyncStatus(last_sync_ms=now_ms(), failures=self._status.failures)
            return self._status

    def start(self, every_s: float = EVERY_MINUTES * 60) -> None:
        """Push every so often in a thread of its own."""

        def loop() -> None:
            while not self._stopping.wait(every_s):
                self.push()

        self._thread = threading.Thread(target=loop, name="vote-copy", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No further pushes."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._scheduler.stop()

    def _fresh(self, tables: Tables) -> Tables:
        return {
            name: found
            for name, rows in tables.items()
            if (found := [row for row in rows if _key(name, row) not in self._written])
        }

    def _write(self, tables: Tables) -> None:
        """One new file per table; after a failed push the scheduler sends the same files again."""
        for name, rows in tables.items():
            path = self._folder / DATA / name / f"{uuid.uuid4()}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
            path.write_text(text, encoding="utf-8", newline="\n")
            self._written |= {_key(name, row) for row in rows}


def _key(table: str, row: Row) -> tuple[str, ...]:
    record = next(record for record in RECORDS if record.table == table)
    return (table, *(str(row[name]) for name in record.key))


def _create_scheduler(**options: Any) -> Scheduler:
    from huggingface_hub import CommitScheduler

    scheduler: Scheduler = CommitScheduler(**options)
    return scheduler
