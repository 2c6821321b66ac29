"""What came of adding files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from mvr.datatypes import JsonDict
from mvr.library.item import Item

Progress = Callable[[int, int, str], None]
"""Called before each file with: files done, files in all, name of the next one. May raise `Stop`."""


class Stop(Exception):
    """Raised by a `Progress`: no more files."""


class Skipped(NamedTuple):
    """A file that was not added: its path and one sentence why."""

    path: str
    reason: str


class SameMusic(NamedTuple):
    """A new track that holds the same music as an earlier one."""

    path: str
    same_as: str


@dataclass(frozen=True, kw_only=True)
class AddReport:
    """What came of adding files.

    Attributes:
        added: new items.
        updated: items whose words were read anew: their file was tagged again, or its row in a table changed.
        known: paths of files whose content the library held already (unchanged, moved, or a copy).
        skipped: files that could not be used.
        same_music: new items with the music of an earlier one; they are kept, and one of them is ranked.
        embedded: files whose features had to be computed; 0 on a second run.
        ignored: files in the folders that are no media by their ending.
        gone: items whose file was here and is not any more; they are kept, marked and not ranked.
        notes: one sentence each on folders and tables that cannot be read.
        left: files that were not looked at, for it was to stop before them.
    """

    added: list[Item] = field(default_factory=list)
    updated: list[Item] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    same_music: list[SameMusic] = field(default_factory=list)
    embedded: int = 0
    ignored: int = 0
    gone: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left: int = 0

    def joined(self, later: AddReport) -> AddReport:
        """This report and a later one as one."""
        return AddReport(
            **{one.name: getattr(self, one.name) + getattr(later, one.name) for one in fields(self)}
        )

    def sentence(self) -> str:
        """The report in one line."""
        parts = [f"{len(self.added)} added", f"{len(self.known)} known", f"{self.embedded} embedded"]
        if self.updated:
            parts.append(f"{len(self.updated)} with new tags")
        if self.gone:
            parts.append(f"{len(self.gone)} gone")
        if self.same_music:
            parts.append(f"{len(self.same_music)} with the same music as another")
        if self.skipped:
            parts.append(f"{len(self.skipped)} skipped")
        if self.ignored:
            parts.append(f"{self.ignored} other files ignored")
        return ", ".join(parts)

    def to_json(self) -> JsonDict:
        """JSON-able form."""
        return {
            "added": [item.to_json() for item in self.added],
            "updated": [item.to_json() for item in self.updated],
            "known": self.known,
            "skipped": [entry._asdict() for entry in self.skipped],
            "same_music": [entry._asdict() for entry in self.same_music],
            "embedded": self.embedded,
            "ignored": self.ignored,
            "gone": [item.to_json() for item in self.gone],
            "notes": self.notes,
        }
