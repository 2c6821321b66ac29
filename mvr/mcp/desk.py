"""The library and the system behind the tools, opened once; one call at a time, since models and SQLite are shared."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Direction, Modality
from mvr.errors import UsageError
from mvr.mcp.gate import Gate

if TYPE_CHECKING:
    from mvr.library import Item, Library
    from mvr.retrieval import Filters, Query, RankedList, Retriever

_ID = re.compile(r"[0-9a-f]{16}")
_KEPT_QUERIES = 32


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a tool was given: a file, and the library's item where it is one."""

    path: Path
    item: Item | None


class Desk:
    """What the tools share: the library, the system, and the gate to files.

    Args:
        library: what is ranked.
        system: name of the system that ranks.
        gate: what may be read and written.
    """

    def __init__(self, library: Library, system: str, gate: Gate) -> None:
        self.library, self._system, self.gate = library, system, gate
        self.lock = threading.RLock()
        self._queries: dict[tuple[Path, int, Direction], Query] = {}

    @cached_property
    def retriever(self) -> Retriever:
        """Loaded when a tool first needs it. Raises WeightsError where the system is not ready."""
        from mvr.embeddings.system import load_system
        from mvr.retrieval import Retriever

        return Retriever(self.library, load_system(self._system))

    def source(self, name: str, modality: Modality) -> Source:
        """An item by its id, or a file below an allowed folder.

        Raises:
            NotInLibrary: no such id. UsageError: no such file, or an item of the other kind.
        """
        if not _ID.fullmatch(name):
            return Source(path=self.gate.read(name), item=None)
        item = self.library.item(name)
        if item.modality is not modality:
            raise UsageError(f"{name} is a {item.modality}; {modality} is needed here")
        return Source(path=self.library.file_of(item), item=item)

    def rank(
        self, source: Source, direction: Direction, alpha: float | None, count: int, filters: Filters
    ) -> RankedList:
        """The best items for a source, each from where it meets the picture.

        Raises:
            DataError: the library holds nothing of the wanted kind. MediaError: the file cannot be used.
        """
        if not self.library.items(direction.target):
            kind = "tracks" if direction.target is Modality.AUDIO else "videos"
            raise self.library.holds_no(kind)
        ranked = self.retriever.rank(self.query(source, direction), alpha, count, filters=filters)
        if ranked.missing:
            self.retriever.prepare(direction)
            ranked = self.retriever.rank(self.query(source, direction), alpha, count, filters=filters)
        self.library.timings.measure_missing([result.item for result in ranked.results])
        return self.retriever.place(ranked, source.path)

    def query(self, source: Source, direction: Direction) -> Query:
        """The embedded source; kept, so that asking again costs nothing."""
        key = (source.path, source.path.stat().st_mtime_ns, direction)
        if key not in self._queries:
            self._queries[key] = self.retriever.embed_query(source.path, direction)
            while len(self._queries) > _KEPT_QUERIES:
                del self._queries[next(iter(self._queries))]
        return self._queries[key]

    def kept_files(self) -> Iterator[Path]:
        """Files that are never written over."""
        yield from self.library.paths()
