"""`mvr recommend` and `mvr find-videos`: rank a library for one file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mvr.commands.music_server import PlaylistOption, PrivateOption, playlist_of
from mvr.commands.options import (
    DEFAULT,
    DeviceOption,
    IndexOption,
    JsonOption,
    LibraryOption,
    SystemOption,
    check_media,
    library_or_demo,
    tell_demo,
)
from mvr.commands.output import minutes, note, on_terminal, print_json, say, steps
from mvr.datatypes import Direction, Modality
from mvr.errors import IndexUnreachable, MediaError, NotFinite, UsageError

if TYPE_CHECKING:
    from mvr.embeddings.system import System
    from mvr.retrieval import Filters, RankedList, Retriever
    from mvr.timing.placing.places import Placing

AlphaOption = Annotated[
    float | None,
    typer.Option(
        "--alpha",
        min=0,
        max=1,
        help="0 follows pairs made by artists, 1 follows labels such as genre (default: the system's own).",
        show_default=False,
    ),
]
CountOption = Annotated[int, typer.Option("-k", "--count", min=1, help="Length of the list.")]
DiversityOption = Annotated[
    float, typer.Option(min=0, max=1, help="Above 0, similar results are spread out.")
]
TextOption = Annotated[
    str | None,
    typer.Option("--text", help="Words that steer the search (only for systems that can read words)."),
]
TextWeightOption = Annotated[
    float, typer.Option(min=0, max=1, help="How much the words count: 0, not at all; 1, nothing else does.")
]
GenreOption = Annotated[list[str] | None, typer.Option("--genre", help="Keep this genre (repeatable).")]
MoodOption = Annotated[list[str] | None, typer.Option("--mood", help="Keep this mood (repeatable).")]
InstrumentOption = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument", help="Keep tracks with this instrument, such as piano (guessed; repeatable)."
    ),
]
LicenceOption = Annotated[
    list[str] | None,
    typer.Option("--licence", help='Keep licences that start with this, such as "CC0" (repeatable).'),
]
CommercialOption = Annotated[
    bool, typer.Option("--commercial", help="Keep only music that may be used commercially.")
]


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


TimingOption = Annotated[
    Switch,
    typer.Option("--timing", help="Start each track where it meets the picture; the order stays the same."),
]
MinDuration = Annotated[
    float | None, typer.Option("--min-duration", min=0, help="Shortest length in seconds.")
]
MaxDuration = Annotated[
    float | None, typer.Option("--max-duration", min=0, help="Longest length in seconds.")
]
MinTempo = Annotated[
    float | None, typer.Option("--min-tempo", min=0, help="Slowest tempo in beats per minute.")
]
MaxTempo = Annotated[
    float | None, typer.Option("--max-tempo", min=0, help="Fastest tempo in beats per minute.")
]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What both commands ask for."""

    path: Path
    direction: Direction
    library: Path | None
    system: str
    device: str
    alpha: float | None
    count: int
    filters: Filters
    diversity: float
    text: str | None
    text_weight: float
    index: str | None = None
    timing: bool = True


def recommend(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The clip that needs music.")],
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    alpha: AlphaOption = None,
    count: CountOption = 10,
    as_json: JsonOption = False,
    genre: GenreOption = None,
    mood: MoodOption = None,
    instrument: InstrumentOption = None,
    licence: LicenceOption = None,
    commercial: CommercialOption = False,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    min_tempo: MinTempo = None,
    max_tempo: MaxTempo = None,
    diversity: DiversityOption = 0.0,
    text: TextOption = None,
    text_weight: TextWeightOption = 0.5,
    playlist: PlaylistOption = None,
    private: PrivateOption = False,
    timing: TimingOption = Switch.ON,
    device: DeviceOption = "auto",
    index: IndexOption = None,
) -> None:
    """Rank the library's tracks for a video."""
    check_media(video, "picture")
    from mvr.retrieval import Filters
    from mvr.retrieval.filters import known_instruments

    filters = Filters(
        genres=tuple(genre or ()),
        moods=tuple(mood or ()),
        instruments=known_instruments(instrument or ()),
        licences=tuple(licence or ()),
        commercial=commercial,
        min_duration_s=min_duration,
        max_duration_s=max_duration,
        min_tempo_bpm=min_tempo,
        max_tempo_bpm=max_tempo,
    )
    wish = Wish(
        path=video,
        direction=Direction.VIDEO_TO_MUSIC,
        library=library,
        system=system,
        device=device,
        alpha=alpha,
        count=count,
        filters=filters,
        diversity=diversity,
        text=text,
        text_weight=text_weight,
        index=index,
        timing=timing is Switch.ON,
    )
    ranked = _answer(wish, as_json)
    if playlist is not None:
        playlist_of(playlist, [result.item for result in ranked.results], private=private)


def find_videos(
    music: Annotated[Path, typer.Argument(metavar="MUSIC", help="The track that needs pictures.")],
    library: LibraryOption = None,
    system: SystemOption = DEFAULT,
    alpha: AlphaOption = None,
    count: CountOption = 10,
    as_json: JsonOption = False,
    genre: GenreOption = None,
    mood: MoodOption = None,
    licence: LicenceOption = None,
    commercial: CommercialOption = False,
    min_duration: MinDuration = None,
    max_duration: MaxDuration = None,
    diversity: DiversityOption = 0.0,
    text: TextOption = None,
    text_weight: TextWeightOption = 0.5,
    timing: TimingOption = Switch.ON,
    device: DeviceOption = "auto",
    index: IndexOption = None,
) -> None:
    """Rank the library's videos for a piece of music."""
    check_media(music, "sound")
    from mvr.retrieval import Filters

    filters = Filters(
        genres=tuple(genre or ()),
        moods=tuple(mood or ()),
        licences=tuple(licence or ()),
        commercial=commercial,
        min_duration_s=min_duration,
        max_duration_s=max_duration,
    )
    wish = Wish(
        path=music,
        direction=Direction.MUSIC_TO_VIDEO,
        library=library,
        system=system,
        device=device,
        alpha=alpha,
        count=count,
        filters=filters,
        diversity=diversity,
        text=text,
        text_weight=text_weight,
        index=index,
        timing=timing is Switch.ON,
    )
    _answer(wish, as_json)


def _answer(wish: Wish, as_json: bool) -> RankedList:
    """Rank and show; on a terminal the list comes as soon as it stands, and where tracks start follows."""
    ranked, retriever = _rank(wish)
    if retriever is None or not wish.timing:
        _show(ranked, as_json)
        return ranked
    first = not as_json and on_terminal() and retriever.waits(ranked)
    if first:
        _show(ranked, as_json)
    placed = _placed(retriever, ranked, wish)
    if first:
        _show_starts(ranked, placed)
    else:
        _show(placed, as_json)
    return placed


def _rank(wish: Wish) -> tuple[RankedList, Retriever | None]:
    """The list before it is placed in time, and what can place it; None where an index in a database made it."""
    if wish.index:
        from mvr.index.remote import check_address

        check_address(wish.index)
    from mvr.embeddings.system import load_system
    from mvr.retrieval import Retriever

    system = load_system(wish.system, device=wish.device)
    if wish.index and (shared := _rank_index(wish.index, wish, system)) is not None:
        return shared, None
    library, demo = library_or_demo(wish.library)
    wanted = "tracks" if wish.direction.target is Modality.AUDIO else "videos"
    if not library.items(wish.direction.target):
        raise library.holds_no(wanted)
    if demo:
        tell_demo()
    retriever = Retriever(library, system)
    with steps("embedding") as progress:
        for path, reason in retriever.prepare(wish.direction, progress):
            note(f"left out {path}: {reason}")
    ranked = retriever.rank(
        retriever.embed_query(wish.path, wish.direction),
        wish.alpha,
        wish.count,
        filters=wish.filters,
        diversity=wish.diversity,
        text=wish.text,
        text_weight=wish.text_weight if wish.text else 0.0,
    )
    return ranked, retriever


def _placed(retriever: Retriever, ranked: RankedList, wish: Wish) -> RankedList:
    """The list placed in time; what of it was not measured yet is measured now and kept.

    A file that was good enough for the list and cannot be looked at to its end leaves the list as it is.
    """
    timings = retriever.library.timings
    with steps("measuring time") as progress:
        for path, reason in timings.measure_missing([result.item for result in ranked.results], progress):
            note(f"not placed {path}: {reason}")
    title = "looking at the clip" if wish.direction is Direction.VIDEO_TO_MUSIC else "listening to the music"
    try:
        with steps(title) as progress:
            return retriever.place(
                ranked, wish.path, lambda share: progress(round(100 * share), 100, wish.path.name)
            )
    except (MediaError, NotFinite) as error:
        note(f"tracks start where their content says, for time could not be measured: {error}")
        return ranked


def _rank_index(url: str, wish: Wish, system: System) -> RankedList | None:
    """The list from an index in a database; None, and a word, where that does not answer."""
    from mvr.index.remote import open_place
    from mvr.retrieval import Retriever
    from mvr.retrieval.remote import rank_place

    if wish.text or wish.diversity:
        raise UsageError("--text and --diversity do not work with an index in a database; leave out --index")
    query = Retriever(library_or_demo(wish.library)[0], system).embed_query(wish.path, wish.direction)
    try:
        place = open_place(url)
        ranked = rank_place(place, system, query, wish.alpha, wish.count, filters=wish.filters)
    except IndexUnreachable as error:
        note(f"{error}; searching this machine's library instead")
        return None
    if ranked.missing:
        note(
            f"the index holds {ranked.library_items} items, {ranked.missing} of its last push have not arrived yet"
        )
    return ranked


def _show(ranked: RankedList, as_json: bool) -> None:
    if as_json:
        print_json(ranked.to_json())
        return
    if ranked.sees:
        asks = f"; asks for {', '.join(ranked.asks_for)}" if ranked.asks_for else ""
        say(f"sees {', '.join(ranked.sees)}{asks}")
    for result in ranked.results:
        item = result.item
        artist = f" by {item.artist}" if item.artist else ""
        say(
            f"{result.rank:>3}  {result.score:+.3f}  from {minutes(result.start_s)}  {item.id}  "
            f"{item.title}{artist}  [{item.licence}]  {', '.join(result.why)}"
        )
        if result.because:
            say(f"            because of {', '.join(result.because)}")
        if result.placing is not None:
            say(f"            {_in_time(result.placing)}")
    if ranked.answer not in ("exact", "proven complete"):
        note(f"this list is not exact; {ranked.answer}")
    if not ranked.results:
        note(
            f"of {ranked.library_items} in the library none passes the filters and has its file where it was"
        )


def _show_starts(ranked: RankedList, placed: RankedList) -> None:
    """Where the tracks of a list that is on the terminal already start in time."""
    if not any(result.placing for result in placed.results):
        return
    say("where the music meets the picture:")
    for before, result in zip(ranked.results, placed.results, strict=True):
        if result.placing is None:
            continue
        moved = abs(result.start_s - before.start_s) >= 1
        was = f" instead of {minutes(before.start_s)}" if moved else ""
        say(f"{result.rank:>3}  from {minutes(result.start_s)}{was}  {result.item.title}")
        say(f"            {_in_time(result.placing)}")


def _in_time(placing: Placing) -> str:
    """Where the music starts and how sure that is, cuts near beats beside what random cuts would have."""
    from mvr.timing.placing.places import percent

    start = f"music from {placing.start_s:.2f} s: "
    words = placing.told if placing.peak is None else f"{start}{placing.told}"
    if placing.near_beats is None or placing.near_beats_random is None:
        return words
    return (
        f"{words}; {percent(placing.near_beats)}% of cuts near a beat, random cuts "
        f"{percent(placing.near_beats_random)}%"
    )
