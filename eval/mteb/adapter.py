"""A system of mvr as mteb's search model: corpus and queries become files, the ranking is that of the page.

mteb scores NaN and missing vectors without a word, and takes a query that is also a document for its own best answer;
so every document must be there, every score finite, and a query's own file is never ranked for it. It sorts by scores
of 32 bits and then by name, so scores that are equal there are moved apart, in the order of the list.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mvr.datatypes import Direction
from mvr.embeddings.system import System
from mvr.errors import DataError, NotFinite
from mvr.library import Library
from mvr.retrieval import Retriever

Rows = Iterable[Mapping[str, Any]]


class MtebSystem:
    """One system at one alpha; what mteb calls a search model (`SearchProtocol`).

    Args:
        system: a loaded system.
        alpha: mixture, for systems that have one.
        folder: where media and features of the task are kept.
        libraries: where files are looked up by hash that the task does not hold.
    """

    def __init__(self, system: System, alpha: float, folder: Path, libraries: Iterable[Library] = ()) -> None:
        self._system, self._alpha, self._folder = system, alpha, folder
        self._files = {item.content: item for library in libraries for item in library.items()}
        self._documents: dict[str, list[str]] = {}
        self._retriever: Retriever | None = None

    @property
    def name(self) -> str:
        """System and alpha, as on the leaderboard."""
        return f"mvr/{self._system.name}" + (f"@{self._alpha:g}" if self._system.alpha else "")

    @property
    def mteb_model_meta(self) -> Any:
        """What mteb writes beside the scores."""
        from mteb.models import ModelMeta

        return ModelMeta.create_empty(
            {"name": self.name, "revision": self._system.identity[:16], "modalities": ["audio", "video"]}
        )

    def index(self, corpus: Rows, *, task_metadata: Any, **_: Any) -> None:
        """Embed the corpus.

        Raises:
            DataError: a document without its file, or one that cannot be read.
        """
        direction = direction_of(task_metadata)
        paths = self._put(corpus, str(direction.target))
        library = Library.open(self._folder / "library" / str(direction.target))
        report = library.add(list(paths.values()), self._system)
        by_content = {item.content: item.id for item in library.items(direction.target)}
        self._documents = {}
        for row in corpus:
            item = by_content.get(_content(paths[row["id"]]))
            if item is None:
                raise DataError(f"document {row['id']} cannot be read ({len(report.skipped)} were skipped)")
            self._documents.setdefault(item, []).append(row["id"])
        self._retriever = Retriever(library, self._system)
        self._retriever.prepare(direction)

    def search(
        self, queries: Rows, *, task_metadata: Any, top_k: int, **_: Any
    ) -> dict[str, dict[str, float]]:
        """Scores of the best documents of each query.

        Raises:
            DataError: a query without its file. NotFinite: a score that is none.
        """
        assert self._retriever is not None, "mteb indexes before it searches"
        direction = direction_of(task_metadata)
        paths = self._put(queries, str(direction.query))
        return {row["id"]: self._scores(row["id"], paths[row["id"]], direction, top_k) for row in queries}

    def _scores(self, query: str, path: Path, direction: Direction, top_k: int) -> dict[str, float]:
        assert self._retriever is not None
        ranked = self._retriever.rank(self._retriever.embed_query(path, direction), self._alpha, top_k)
        scores: dict[str, float] = {}
        highest = math.inf
        for result in ranked.results:
            if not math.isfinite(result.score):
                raise NotFinite(f"{self.name} gives a score that is not finite for query {query}")
            # what is below in the list stays below in the 32 bits that pytrec_eval reads; it orders ties by name
            highest = min(float(np.float32(result.score)), float(np.nextafter(np.float32(highest), -np.inf)))
            documents = self._documents.get(result.item.id, ())
            scores |= {document: highest for document in documents if document != query}
        return scores

    def _put(self, rows: Rows, column: str) -> dict[str, Path]:
        """Each row's file: its bytes written out, or the one that a library holds under its hash."""
        folder = self._folder / column
        folder.mkdir(parents=True, exist_ok=True)
        found, lacking = {}, []
        for number, row in enumerate(rows):
            media, known = row.get(column) or {}, self._files.get(row["sha256"])
            if media.get("bytes"):
                found[row["id"]] = folder / f"{number:05d}{Path(media['path']).suffix}"
                found[row["id"]].write_bytes(media["bytes"])
            elif known is not None:
                found[row["id"]] = known.path
            else:
                lacking.append(row["id"])
        if lacking:
            raise DataError(
                f"the task holds {len(lacking)} {column} items without their files, the first is {lacking[0]}; "
                "name a library that has them with --library"
            )
        return found


def direction_of(task_metadata: Any) -> Direction:
    """The direction of a task by its category."""
    return Direction.VIDEO_TO_MUSIC if task_metadata.category == "v2a" else Direction.MUSIC_TO_VIDEO


def _content(path: Path) -> str:
    from mvr.config.digest import content_hash

    return content_hash(path)
