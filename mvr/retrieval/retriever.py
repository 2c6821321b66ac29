"""The Retriever: one library, one system; queries are embedded once and ranked at any alpha.

    retriever = Retriever(library, system)
    query = retriever.embed_query("clip.mp4", Direction.VIDEO_TO_MUSIC)
    ranked = retriever.rank(query, alpha=0.3, k=10)
    ranked = retriever.rank(query, alpha=0.8, k=10)      # exact, and no vector is touched again

An item scores by its best pair of segments; `start_s` of a result is where that segment begins.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.datatypes import BranchedEmbeddings, Direction, FloatArray, branch_weights, mix_branches
from mvr.embeddings.digest import content_hash
from mvr.embeddings.system import System
from mvr.errors import UsageError
from mvr.index import CrossProducts
from mvr.library import Item, Library, LibraryIndex, Progress, Skipped
from mvr.library.catalogue import display_name
from mvr.retrieval.diversity import pick_diverse
from mvr.retrieval.facts import facts_of
from mvr.retrieval.filters import EVERYTHING, Filters
from mvr.retrieval.query import Query, blend_text
from mvr.retrieval.ranked import RankedList, Result

_KEPT_BYTES = 256 << 20  # of queries' products with the library: while kept, moving the slider costs nothing
_DIVERSE_POOL = 10  # diversity picks among this many times k of the best


@dataclass(frozen=True)
class _Compared:
    """A query against a library: products per query segment, and the index they belong to."""

    index: LibraryIndex
    products: tuple[CrossProducts, ...]

    @property
    def bytes(self) -> int:
        """What it takes beyond the index's own arrays."""
        return sum(each.products.nbytes for each in self.products)


@dataclass(frozen=True)
class _Scored:
    """Per item of the index: best score, row of its best segment, query segment of that pair."""

    scores: FloatArray
    rows: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int64]


class Retriever:
    """Ranks a library's items under one system; safe to share between threads.

    Args:
        library: what is searched.
        system: whose embeddings.
    """

    def __init__(self, library: Library, system: System) -> None:
        self.library = library
        self.system = system
        self._compared: OrderedDict[tuple[int, str, float], tuple[Query, _Compared]] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, direction: Direction, progress: Progress | None = None) -> list[Skipped]:
        """Embed items that were added under another system, and build the index; returns unreadable files."""
        skipped = self.library.embed_missing(self.system, direction.target, progress)
        self.library.index(self.system, direction.target)
        return skipped

    def embed_query(self, path: Path | str, direction: Direction) -> Query:
        """Embed a clip or a piece of music; a file that the library holds is not computed again.

        Raises:
            MediaError: the file cannot be used. UsageError: it is not there.
        """
        path = Path(path)
        if not path.is_file():
            raise UsageError(f"there is no file {path}")
        content = content_hash(path)
        found = self.library.features_of(content, self.system, direction.query)
        if found is None:
            found = self.system.features_of_file(path, direction.query)
        return Query(
            name=display_name(path),
            content=content,
            direction=direction,
            duration_s=found.segments[-1].end_s,
            segments=found.segments,
            embeddings=self.system.encode(found.features, direction.query),
            system=self.system.identity,
            facts=facts_of(self.system.backbone(direction.query), found.features[0]),
        )

    def query_item(self, item_id: str) -> Query:
        """Ask with an item of the library itself. Raises NotInLibrary."""
        item = self.library.item(item_id)
        direction = next(d for d in Direction if d.query is item.modality)
        return self.embed_query(item.path, direction)

    def rank(
        self,
        query: Query,
        alpha: float = 0.5,
        k: int = 10,
        *,
        filters: Filters = EVERYTHING,
        diversity: float = 0.0,
        text: str | None = None,
        text_weight: float = 0.0,
    ) -> RankedList:
        """Rank the library for a query.

        Args:
            query: from `embed_query` of a retriever with the same system.
            alpha: 0 follows what pairs taught, 1 follows labels such as genre.
            k: length of the list at most.
            filters: which items may be ranked.
            diversity: 0 ranks by score alone; towards 1, items like those above them go down.
            text: words that move the query, for systems that know words.
            text_weight: 0 the clip alone, 1 the words alone.

        A result whose file is gone is marked as missing and the list is made again without it.

        Raises:
            UsageError: a number out of range, words for a system that knows none, a query of another system.
        """
        _check_ranges(alpha=alpha, diversity=diversity, text_weight=text_weight)
        if k < 1:
            raise UsageError(f"k must be at least 1, not {k}")
        while True:
            ranked = self._rank(query, alpha, k, filters, diversity, (text, text_weight if text else 0.0))
            gone = [result.item.id for result in ranked.results if not result.item.path.exists()]
            if not gone or not self.library.check_files(gone):
                return ranked

    def _rank(
        self,
        query: Query,
        alpha: float,
        k: int,
        filters: Filters,
        diversity: float,
        words: tuple[str | None, float],
    ) -> RankedList:
        compared = self._compare(query, *words)
        weights = branch_weights(alpha, len(self.system.branches))
        scored = _score(compared, weights)
        allowed = _allowed(compared.index.items, filters)
        order = _one_of_each(scored.scores, allowed, compared.index.items)
        if diversity > 0:
            order = self._diverse(compared.index, scored, order, k, diversity, weights)
        results = [
            self._result(rank, int(item), compared, scored, query)
            for rank, item in enumerate(order[:k], start=1)
        ]
        return RankedList(
            query=query,
            system=self.system.name,
            alpha=alpha,
            results=tuple(results),
            candidates=int(allowed.sum()),
            library_items=len(compared.index),
            missing=compared.index.missing,
        )

    def _compare(self, query: Query, text: str | None, weight: float) -> _Compared:
        """The query against every row of the present index, kept for the next alpha."""
        if query.system != self.system.identity:
            raise UsageError("this query was embedded by another system; embed the file again")
        index = self.library.index(self.system, query.direction.target)
        key = (id(query), text or "", weight)
        with self._lock:
            held = self._compared.get(key)
            if held is not None and held[1].index is index:
                self._compared.move_to_end(key)
                return held[1]
        vectors = query.embeddings.vectors
        if text and weight > 0:
            vectors = blend_text(vectors, self._embed_text(text).vectors[0], weight)
        compared = _Compared(index, tuple(index.index.cross(segment) for segment in vectors))
        with self._lock:
            self._compared[key] = (query, compared)  # the query is kept alive, so its id stays its own
            while len(self._compared) > 1 and sum(c.bytes for _, c in self._compared.values()) > _KEPT_BYTES:
                self._compared.popitem(last=False)
        return compared

    def _embed_text(self, text: str) -> BranchedEmbeddings:
        return self.system.embed_text(text)

    def _diverse(
        self,
        index: LibraryIndex,
        scored: _Scored,
        order: npt.NDArray[np.int64],
        k: int,
        diversity: float,
        weights: FloatArray,
    ) -> npt.NDArray[np.int64]:
        pool = order[: max(50, _DIVERSE_POOL * k)]
        vectors = mix_branches(np.asarray(index.index.vectors[scored.rows[pool]], np.float32), weights)
        return pool[pick_diverse(scored.scores[pool], vectors, k, diversity)]

    def _result(self, rank: int, item: int, compared: _Compared, scored: _Scored, query: Query) -> Result:
        row, asked = int(scored.rows[item]), int(scored.segments[item])
        segment, pair = compared.index.segments[row], compared.products[asked].products[row]
        return Result(
            rank=rank,
            item=compared.index.items[item],
            score=float(scored.scores[item]),
            start_s=segment.start_s,
            end_s=segment.end_s,
            query_start_s=query.segments[asked].start_s,
            query_end_s=query.segments[asked].end_s,
            branches={name: float(pair[b, b]) for b, name in enumerate(self.system.branches)},
            facts=self._facts(compared.index, item, row),
        )

    def _facts(self, index: LibraryIndex, item: int, row: int) -> dict[str, float]:
        owner = index.items[item]
        found = self.library.features(owner, self.system)
        if found is None:  # taken out of the library by somebody else since
            return {}
        facts = facts_of(self.system.backbone(owner.modality), found.features[row - int(index.starts[item])])
        if owner.tempo_bpm is not None and "tempo_bpm" in facts:  # tagged, or estimated on a longer span
            facts["tempo_bpm"] = owner.tempo_bpm
        return facts


def _score(compared: _Compared, weights: FloatArray) -> _Scored:
    """Best pair of segments per item; of equal ones the earliest row, then the earliest query segment."""
    index = compared.index
    if not len(index):
        nothing = np.zeros(0, np.int64)
        return _Scored(np.zeros(0, np.float32), nothing, nothing)
    table = np.stack([products.scores(weights) for products in compared.products])  # (S, N)
    asked = table.argmax(axis=0)
    rows = table.max(axis=0)
    best = np.maximum.reduceat(rows, index.starts)
    is_best = rows >= best[index.owner]
    first = np.full(len(best), len(rows), np.int64)
    np.minimum.at(first, index.owner[is_best], np.flatnonzero(is_best))
    return _Scored(best, first, asked[first])


def _allowed(items: tuple[Item, ...], filters: Filters) -> npt.NDArray[np.bool_]:
    """Items whose file was there when it was last looked for and that the filters let through."""
    everything = filters == EVERYTHING
    return np.array([not item.missing and (everything or filters.allow(item)) for item in items], bool)


def _one_of_each(
    scores: FloatArray, allowed: npt.NDArray[np.bool_], items: tuple[Item, ...]
) -> npt.NDArray[np.int64]:
    """Allowed items, best first, each piece of music once: of copies the best scoring one stays."""
    order = np.flatnonzero(allowed)
    order = order[np.argsort(-scores[order], kind="stable")]
    seen: set[str] = set()
    kept = []
    for position in order:
        music = items[position].same_as or items[position].id
        if music not in seen:
            seen.add(music)
            kept.append(position)
    return np.array(kept, np.int64)


def _check_ranges(**values: float) -> None:
    for name, value in values.items():
        if not 0 <= value <= 1:  # NaN compares false
            raise UsageError(f"{name} must be from 0 to 1, not {value}")
