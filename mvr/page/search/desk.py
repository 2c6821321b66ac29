"""A visitor's desk in one direction: the clip on it, what was asked of it, the preview. Knows nothing of Gradio.

receive -> a `Clip` (file, name, what is in it); nothing on the desk changes when the file is refused
embed   -> queries, one per system
rank    -> a ranked list, again at every move of a control, without embedding again
player  -> the browser-safe copy
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.config.paths import home_dir
from mvr.datatypes import Direction, Modality
from mvr.errors import NotInLibrary
from mvr.media.limits import MediaLimits
from mvr.media.probe import MediaInfo, probe
from mvr.media.progress import telling
from mvr.page import texts
from mvr.page.library import DEMO
from mvr.page.serving import safe_name, take_over

if TYPE_CHECKING:
    from collections.abc import Callable

    from mvr.page.library import Catalogue
    from mvr.page.search.controls import Controls
    from mvr.page.search.fitted import Fitted
    from mvr.page.search.preview import Preview, Taken
    from mvr.page.serving import Visit
    from mvr.retrieval import Filters, Query, RankedList, Retriever
    from mvr.timing.film import FilmTiming
    from mvr.timing.music import MusicTiming

FULL_SIDES_PX = (1920, 1080)
_OF_CLIP = ("clip", "player", "queries", "asked", "ranked", "note", "preview", "fitted", "measured", "sent")
TEXT_WEIGHT = 0.5  # words count as much as the clip


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A clip, or a piece of music, that is being searched for.

    Attributes:
        path: the file as it was uploaded, or of the demo library.
        name: as the visitor calls it.
        info: what is in it.
        shared: it belongs to the demo library; never deleted, never converted.
        gain_db: brings a piece of music, as browsers play it, to the loudness of excerpts and exports; a copy has it.
    """

    path: Path
    name: str
    info: MediaInfo
    shared: bool = False
    gain_db: float = 0.0

    def kept(self, name: str) -> Path:
        """Where what was made of it lies, without an ending: of a visitor's file beside it, gone with it."""
        folder = home_dir() if self.shared else self.path.parent
        return folder / "page-cache" / name


@dataclass(frozen=True, kw_only=True)
class Ask:
    """The values of the search tab's controls.

    Attributes:
        alpha: 0 follows pairs, 1 follows labels.
        library, system: names in the catalogue.
        filters: which items may appear.
        diversity: 0 ranks by score alone, towards 1 similar items keep apart.
        text: words that refine the query, for systems that know words.
        count: how many results.
        taste: "plain", "votes" or "mine": what votes may change in the order.
        timing: each track starts where it meets the picture; else where its content fits best.
    """

    alpha: float
    library: str
    system: str
    filters: Filters
    diversity: float = 0.0
    text: str = ""
    count: int = 10
    taste: str = "plain"
    timing: bool = True


@dataclass(kw_only=True)
class Desk:
    """State of one visit (`owner`) in one direction; `lock` guards what two of its events may change.

    `measured` is the clip's timing, kept for the next library; `sent` is how many placed rows its page knows; `before`
    is what was there until a search that still goes on put its clip down. `taken` is what is written for a
    download, and what follows it; `stops` counts cancels, `fit_turn` fits.
    """

    direction: Direction
    owner: str
    clip: Clip | None = None
    player: Path | None = None
    queries: dict[str, Query] = field(default_factory=dict)
    asked: Ask | None = None
    ranked: RankedList | None = None
    note: str = ""
    preview: Preview | None = None
    fitted: Fitted | None = None
    controls: Controls | None = None
    measured: MusicTiming | FilmTiming | None = None
    sent: int = 0
    turn: int = 0
    stops: int = 0
    fit_turn: int = 0
    taken: list[Taken] = field(default_factory=list)
    before: Desk | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)

    def begin(self) -> int:
        """The number of a new search, or of none (a cancel): what an older one still has to show is dropped."""
        with self.lock:
            self.turn += 1
            return self.turn

    def begin_fit(self) -> int:
        """The number of a new fit: an older one is wanted no more."""
        with self.lock:
            self.fit_turn += 1
            return self.fit_turn

    def ask_for(self, taken: Taken) -> bool:
        """Put down what is to be written; True for who is to write it, and all that is put down meanwhile."""
        with self.lock:
            self.taken.append(taken)
            if len(self.taken) > 1:
                return False
            self.taken.insert(0, taken)  # its place until the next one is asked for
            return True

    def next_taken(self) -> Taken | None:
        """What is to be written now, the last one being done; None at the end."""
        with self.lock:
            del self.taken[:1]
            return self.taken[0] if self.taken else None

    def leave_taken(self) -> None:
        """Nothing more is written."""
        with self.lock:
            self.taken.clear()

    def put(self, clip: Clip, queries: dict[str, Query], turn: int) -> bool:
        """Put what a search has found on the desk, unless a cancel or a newer search came meanwhile.

        The last clip and what is known of it are kept until this one is settled.
        """
        with self.lock:
            if self.turn != turn:
                return False
            if self.before is None:
                self.before = replace(self)
            else:  # of a search that never came to its end
                self._discard()
            laid = Desk(
                direction=self.direction, owner=self.owner, clip=clip, queries=queries, asked=self.asked
            )
            laid.player = clip.path if plays_as_it_is(clip) else None
            self._take(laid)
            return True

    def settle(self) -> None:
        """The clip on the desk stays: the one before it goes, its files too."""
        with self.lock:
            before, self.before = self.before, None
            if before is not None:
                before._discard()

    def put_back(self, clip: Clip | None) -> None:
        """Take a clip that was not settled away again, its files too: the one before it is there as it was."""
        with self.lock:
            if self.before is None or self.clip is not clip:
                return
            self._discard()
            self._take(self.before)
            self.before = None

    def _take(self, other: Desk) -> None:
        for name in _OF_CLIP:
            setattr(self, name, getattr(other, name))

    def _discard(self) -> None:
        for path in self._own_files():
            path.unlink(missing_ok=True)
        if self.clip is not None and not self.clip.shared:
            shutil.rmtree(self.clip.path.parent / "page-cache", ignore_errors=True)

    def _own_files(self) -> list[Path]:
        files = [self.preview.path] if self.preview is not None else []
        files += [self.fitted.sound] if self.fitted is not None else []
        if self.clip is not None and not self.clip.shared:
            files += [path for path in (self.clip.path, self.player) if path is not None]
        return files


def desk_of(visit: Visit, direction: Direction) -> Desk:
    """The visitor's desk of one direction."""
    with visit.lock:
        desk: Desk = visit.desk.setdefault(str(direction), Desk(direction=direction, owner=visit.id))
        return desk


def receive(visit: Visit, upload: Path, name: str, modality: Modality, limits: MediaLimits) -> Clip:
    """Take an upload over into the visit's folder, if it can be used.

    Raises:
        MediaError: it cannot; the file is deleted.
    """
    folder = visit.new_folder()
    path = folder / safe_name(name)  # messages about the file then use the visitor's own word for it
    take_over(upload, path)
    try:
        info = probe(path, limits, needs=("picture",) if modality is Modality.VIDEO else ("sound",))
    except BaseException:
        shutil.rmtree(folder)
        raise
    return Clip(path=path, name=name, info=info)


def example_clip(catalogue: Catalogue, item_id: str, modality: Modality) -> Clip:
    """An item of the demo library as a query.

    Raises:
        NotInLibrary: no such item.
    """
    item = catalogue.library(DEMO).item(item_id)
    from mvr.delivery.plan import level_db

    if item.modality is not modality:
        raise NotInLibrary(texts.UNKNOWN_ITEM)
    gain_db = level_db(item.loudness_lufs, item.true_peak_dbtp) if modality is Modality.AUDIO else 0.0
    return Clip(path=item.path, name=item.title, info=probe(item.path), shared=True, gain_db=gain_db)


def embed(
    desk: Desk, clip: Clip, ask: Ask, catalogue: Catalogue, told: Callable[[float], None] | None = None
) -> Query:
    """The clip's query for one system; kept, so that asking again costs nothing. `told`: the share that is done."""
    known = desk.queries.get(ask.system) if desk.clip is clip else None
    if known is not None:
        return known
    retriever = catalogue.retriever(ask.library, ask.system)
    with telling(told) if told is not None else contextlib.nullcontext():
        return retriever.embed_query(clip.path, desk.direction)


def rank(desk: Desk, ask: Ask, catalogue: Catalogue) -> RankedList:
    """The library's list for the clip on the desk; embeds only for a system that was not asked yet."""
    assert desk.clip is not None
    query = embed(desk, desk.clip, ask, catalogue)
    retriever = catalogue.retriever(ask.library, ask.system)
    ranked = _rank(retriever, query, ask)
    if ranked.missing:  # items that were added under another system
        retriever.prepare(desk.direction)
        ranked = _rank(retriever, query, ask)
    with desk.lock:
        desk.queries[ask.system] = query
    if not ask.timing:
        return ranked
    from mvr.retrieval.timed import place_list

    timings = retriever.library.timings
    if desk.measured is not None and not timings.known(query.content, desk.direction.query):
        timings.store.put(query.content, desk.measured, on_disk=False)  # measured for another library's list
    desk.measured = timings.of(query.content, desk.direction.query) or desk.measured
    return place_list(ranked, timings)


def rank_shared(desk: Desk, ask: Ask, catalogue: Catalogue) -> tuple[RankedList | None, str]:
    """The list of the index that several servers share, and what there is to say of it.

    No list where there is none, where a visitor's own library is asked for, or what only this server can do: words,
    instruments, results kept apart, an order by votes.
    """
    if catalogue.shared is None or ask.library != DEMO:
        return None, ""
    if ask.text or ask.diversity or ask.taste != "plain" or ask.filters.instruments:
        return None, texts.INDEX_PLAIN
    assert desk.clip is not None
    query = embed(desk, desk.clip, ask, catalogue)
    system = catalogue.system(ask.system)
    ranked, told = catalogue.shared.rank(system, query, ask.alpha, ask.count, ask.filters)
    with desk.lock:
        desk.queries[ask.system] = query
    if ranked is None or not ask.timing:
        return ranked, told
    from mvr.retrieval.timed import place_list

    return place_list(ranked, catalogue.library(DEMO).timings), told


def _rank(retriever: Retriever, query: Query, ask: Ask) -> RankedList:
    return retriever.rank(
        query,
        alpha=ask.alpha,
        k=ask.count,
        filters=ask.filters,
        diversity=ask.diversity,
        text=ask.text or None,
        text_weight=TEXT_WEIGHT if ask.text else 0.0,
    )


def plays_as_it_is(clip: Clip) -> bool:
    """Whether every browser plays the file without a copy: one of ours, or H.264 within 1920 x 1080 and AAC in MP4."""
    from mvr.media.proxy import fits, is_browser_safe

    info = clip.info
    return clip.shared or (
        info.video is not None
        and fits(info.video, FULL_SIDES_PX)
        and is_browser_safe(info)
        and info.path.suffix.lower()
        == ".mp4"  # a phone's .mov and .m4v get a copy: not every browser takes them
        and (info.audio is None or info.audio.codec == "aac")
    )


def make_player(visit: Visit, clip: Clip, limits: MediaLimits, progress: Callable[[float], None]) -> Path:
    """A copy that the browser plays, of a clip that it does not play as it is: video as MP4, music as M4A."""
    if clip.info.video is not None:
        from mvr.media.proxy import make_proxy

        out = visit.new_file(".mp4")
        make_proxy(clip.path, out, limits=limits, progress=progress)
        return out
    from mvr.media.mux import MuxSettings, render_music

    out = visit.new_file(".m4a")
    render_music(clip.path, out, 0.0, clip.info.duration_s, MuxSettings())
    return out
