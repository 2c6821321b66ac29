"""The page's two public endpoints, for `gradio_client` and other programs; everything else of the page is private.

from gradio_client import Client, handle_file
Client("http://127.0.0.1:7860").predict(handle_file("clip.mp4"), alpha=0.3, api_name="/video_to_music")
"""
# No `from __future__ import annotations`: Gradio reads the return type from the signature as it stands.

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, cast

import gradio as gr
from gradio.utils import get_upload_folder

from mvr.config.paths import DEFAULT_SYSTEM
from mvr.datatypes import Direction, Modality
from mvr.errors import MvrError, UsageError
from mvr.media.probe import probe
from mvr.page.context import PageContext
from mvr.page.library import DEMO
from mvr.page.serving import media_limits, safe_name, take_over
from mvr.retrieval import Query, RankedList, Result

MOST_RESULTS = 50
MOST_PROGRAMS = 16  # that wait at one time; so many work as everywhere


class UploadedFile(TypedDict):
    """A file as `gradio_client.handle_file` sends it."""

    path: str
    orig_name: str


class Match(TypedDict):
    """One result, best first; times in seconds; an unknown tempo is 0, `placed` says how far the start stands out.

    `peak` is that as a number, and `cuts_near_beats` the share of cuts within 80 ms of a beat, beside that of random
    cuts; null where there is none, see docs/timing.md.
    `start_s` to `end_s` is the segment of the result that fits `query_start_s` to `query_end_s` of what was asked.
    """

    rank: int
    id: str
    title: str
    artist: str
    genre: list[str]
    licence: str
    credit: str
    score: float
    start_s: float
    end_s: float
    query_start_s: float
    query_end_s: float
    duration_s: float
    tempo_bpm: float
    placed: str
    peak: float | None
    cuts_near_beats: float | None
    random_cuts_near_beats: float | None


def create_endpoints(context: PageContext) -> None:
    """Add both endpoints to the page that is being composed."""

    def video_to_music(
        video: UploadedFile,
        alpha: float | None = None,
        count: int = 10,
        system: str = DEFAULT_SYSTEM,
        timing: bool = True,
    ) -> list[Match]:
        """Rank the demo library's tracks for a video.

        alpha: 0 follows how clips and music were paired, 1 follows genre; none: the system card's. count: 1 to 50.
        timing: start the music where it meets the picture; the order stays.
        """
        wish = Wish(alpha=alpha, count=count, system=system, timing=timing)
        return _answer(context, Direction.VIDEO_TO_MUSIC, video, wish)

    def music_to_video(
        music: UploadedFile,
        alpha: float | None = None,
        count: int = 10,
        system: str = DEFAULT_SYSTEM,
        timing: bool = True,
    ) -> list[Match]:
        """Rank the demo library's videos for a piece of music.

        alpha: 0 follows how clips and music were paired, 1 follows genre; none: the system card's. count: 1 to 50.
        timing: start the music where it meets the picture; the order stays.
        """
        wish = Wish(alpha=alpha, count=count, system=system, timing=timing)
        return _answer(context, Direction.MUSIC_TO_VIDEO, music, wish)

    for endpoint in (video_to_music, music_to_video):
        gr.api(
            endpoint,
            api_name=endpoint.__name__,
            concurrency_id="program",
            concurrency_limit=MOST_PROGRAMS,
        )


@dataclass(frozen=True, kw_only=True)
class CheckedWish:
    """What can be used; alpha None: what the system's card says."""

    alpha: float | None
    count: int
    system: str


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The arguments of an API call, not checked yet."""

    alpha: object
    count: object
    system: object
    timing: object = True

    def check(self, systems: list[str]) -> CheckedWish:
        """The wish as it can be used; nothing is decoded before.

        >>> Wish(alpha=1, count=3, system="mini").check(["mini"]).alpha
        1.0

        Raises:
            UsageError: one sentence on the first value that cannot be used.
        """
        number = isinstance(self.alpha, int | float) and not isinstance(self.alpha, bool)
        if self.alpha is not None and not (
            number and 0 <= cast("float", self.alpha) <= 1
        ):  # NaN compares false
            raise UsageError(f"alpha is {self.alpha!r}; give a number from 0 to 1")
        if type(self.count) is not int or not 1 <= self.count <= MOST_RESULTS:
            raise UsageError(f"count is {self.count!r}; give a whole number from 1 to {MOST_RESULTS}")
        if not isinstance(self.timing, bool):
            raise UsageError(f"timing is {self.timing!r}; give true or false")
        if not isinstance(self.system, str) or self.system not in systems:
            raise UsageError(f"system is {self.system!r}; choose from {', '.join(systems)}")
        alpha = None if self.alpha is None else float(cast("float", self.alpha))
        return CheckedWish(alpha=alpha, count=self.count, system=self.system)


def _answer(context: PageContext, direction: Direction, upload: UploadedFile, wish: Wish) -> list[Match]:
    try:
        asked = wish.check([choice.name for choice in context.catalogue.ready()])
        with tempfile.TemporaryDirectory(prefix="mvr-api-") as folder:
            path = take_upload(upload, Path(folder))
            need = ("picture",) if direction.query is Modality.VIDEO else ("sound",)
            probe(path, media_limits(context.manifest.app), needs=need)  # type: ignore[arg-type]

            def find() -> RankedList:
                retriever = context.catalogue.retriever(DEMO, asked.system)
                query = retriever.embed_query(path, direction)
                ranked = _shared(context, query, asked) or retriever.rank(
                    query, alpha=asked.alpha, k=asked.count
                )
                return retriever.place(ranked, path) if wish.timing else ranked

            ranked = context.jobs.submit(lambda: context.catalogue.load(DEMO, asked.system), find).result()
    except MvrError as error:
        raise gr.Error(str(error)) from error
    return [match_of(result) for result in ranked.results]


def _shared(context: PageContext, query: Query, asked: CheckedWish) -> RankedList | None:
    """The list of the index that several servers share, where there is one and it answers."""
    from mvr.retrieval import Filters

    if context.catalogue.shared is None:
        return None
    system = context.catalogue.system(asked.system)
    return context.catalogue.shared.rank(system, query, asked.alpha, asked.count, Filters())[0]


def take_upload(upload: Any, folder: Path) -> Path:
    """Take an uploaded file over out of Gradio's upload folder; any other path is refused.

    Raises:
        UsageError: not a file that was uploaded to this server.
    """
    uploads = Path(get_upload_folder()).resolve()
    named = upload.get("path") if isinstance(upload, dict) else None
    path = Path(named).resolve() if isinstance(named, str) else uploads
    if path.parent.parent != uploads or not path.is_file():
        raise UsageError("upload the file first, for example with gradio_client.handle_file")
    taken = folder / safe_name(str(upload.get("orig_name") or path.name))
    take_over(path, taken)
    return taken


def match_of(result: Result) -> Match:
    """A result in the endpoints' form: the command line's values, without where the file lies."""
    values = result.to_json()
    values["tempo_bpm"] = values["tempo_bpm"] or 0.0
    numbers = ("peak", "cuts_near_beats", "random_cuts_near_beats")
    placed = values.get("placed") or dict.fromkeys(numbers)
    values |= {name: placed[name] for name in numbers}
    values["placed"] = "" if result.placing is None else result.placing.words
    return cast("Match", {name: values[name] for name in Match.__annotations__})
