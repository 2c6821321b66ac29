"""The part of `mvr export` that hands over more than an MP4: timelines with alternates, and the sounds beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mvr.commands.options import check_media, library_files, library_or_demo, tell_demo
from mvr.commands.output import note, print_json, say, steps
from mvr.config.outputs import check_output_file
from mvr.datatypes import Direction, JsonDict, Modality
from mvr.errors import DataError, NotInLibrary
from mvr.lines import one_line

if TYPE_CHECKING:
    from mvr.delivery.laying import Found
    from mvr.delivery.plan import Delivery, Film, Sound
    from mvr.library import Item, Library
    from mvr.retrieval import Retriever
    from mvr.timing.fitting.plan import Ending


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to go under which clip.

    Attributes:
        video: the clip.
        track: id of a track or a file; None takes the best of the library.
        start_s: where in the track to begin; None begins at its matching second.
        library, system, alpha, commercial: what is ranked, how, and whether only for commercial use.
        top: the chosen track and its alternates.
        loudness_lufs: what levels aim at.
        fit: how the track is cut to the clip by whole bars (its ending, and the second of a hit or None); None: not.
    """

    video: Path
    track: str | None
    start_s: float | None
    library: Path | None
    system: str
    alpha: float | None
    commercial: bool
    top: int
    loudness_lufs: float
    fit: tuple[Ending, float | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a timeline goes, and how: media inside or linked, drop-frame clock, with sounds beside it or without."""

    out: Path
    link: bool
    drop_frame: bool
    sounds: bool
    force: bool
    as_json: bool

    @property
    def beside(self) -> tuple[Path, ...]:
        """The sounds that go beside it; none beside a table of markers."""
        return sound_files(self.out) if self.sounds and self.out.suffix.lower() != ".csv" else ()


def export_timeline(wish: Wish, output: Output) -> None:
    """Write a timeline and the sounds beside it, all of them or none; what is in it goes to stdout."""
    from mvr.commands.fit import describe as describe_fit
    from mvr.delivery.writing import TimelineSettings, check_timeline, write_timeline

    settings = TimelineSettings(link=output.link, drop_frame=output.drop_frame)
    check_timeline(output.out, settings)
    kept = list(library_files(wish.library))
    inputs = (wish.video, *([] if wish.track is None else [Path(wish.track)]))
    for path in (output.out, *output.beside):
        check_output_file(path, inputs=inputs, kept=kept, force=output.force)
    check_media(wish.video, "picture")
    delivery = choose(wish)
    place = output.out.absolute().parent
    with steps("writing") as progress, TemporaryDirectory(prefix=".part-", dir=place) as folder:
        parts = replace(output, out=Path(folder) / output.out.name)
        progress(0, 2, output.out.name)
        write_timeline(delivery, parts.out, settings)
        progress(1, 2, "sounds")
        sounds = write_sounds(delivery, parts, wish.loudness_lufs)
        for part in (parts.out, *sounds.values()):
            part.replace(place / part.name)
    beside = {kind: output.out.with_name(part.name) for kind, part in sounds.items()}
    document = describe(delivery, output) | {"sounds": {kind: str(path) for kind, path in beside.items()}}
    if output.as_json:
        print_json(document)
        return
    clock = delivery.film.clock
    uneven = ", variable: times are those of the nearest frame" if clock.variable else ""
    say(f"{output.out}  {clock.frames} frames at {clock.rate.name}{uneven}")
    for path in beside.values():
        say(str(path))
    for line in describe_fit(delivery.chosen.plan) if delivery.chosen.plan is not None else ():
        say(line)
    say(f"Music: {delivery.chosen.credit or delivery.chosen.title}")
    for sound in delivery.alternates:
        say(f"Alternate: {sound.credit or sound.title}")


def export_pack(wish: Wish, out: Path, *, drop_frame: bool, force: bool, as_json: bool) -> None:
    """Write cue sheet, credits, licences and claim evidence for a track under a clip."""
    from mvr.delivery.pack import PACK_ENDINGS, write_pack

    inputs = (wish.video, *([] if wish.track is None else [Path(wish.track)]))
    kept = library_files(wish.library)
    check_output_file(out, inputs=inputs, kept=kept, endings=PACK_ENDINGS, force=force)
    check_media(wish.video, "picture")
    delivery = choose(wish)
    names = write_pack(delivery, out, drop_frame=drop_frame)
    if as_json:
        print_json({"pack": str(out), "files": names, "chosen": _sound(delivery.chosen, delivery.film)})
        return
    say(f"{out}  {', '.join(names)}")
    say(f"Music: {delivery.chosen.credit or delivery.chosen.title}")


def write_sounds(delivery: Delivery, output: Output, loudness_lufs: float) -> dict[str, Path]:
    """The fitted music and the clip's own sound as WAV beside a timeline; nothing beside a table of markers."""
    from mvr.delivery.sounds import write_music, write_own_sound
    from mvr.media.mux import MuxSettings

    if not output.beside:
        return {}
    music, own = output.beside
    write_music(delivery.chosen, delivery.film, music, MuxSettings(loudness_lufs=loudness_lufs))
    if not delivery.film.has_sound:
        return {"music": music}
    write_own_sound(delivery.film, own)
    return {"music": music, "own": own}


def sound_files(out: Path) -> tuple[Path, Path]:
    """Names of the fitted music and the clip's own sound beside a timeline."""
    return out.with_name(f"{out.stem} - music.wav"), out.with_name(f"{out.stem} - own sound.wav")


def describe(delivery: Delivery, output: Output) -> JsonDict:
    """What a timeline holds, in frames and in seconds."""
    clock = delivery.film.clock
    plan = delivery.chosen.plan
    return {
        "fit": None if plan is None else plan.to_json(),
        "timeline": str(output.out),
        "rate": clock.rate.name,
        "frames": clock.frames,
        "drop_frame": output.drop_frame,
        "variable_frame_rate": clock.variable,
        "chosen": _sound(delivery.chosen, delivery.film),
        "alternates": [_sound(sound, delivery.film) for sound in delivery.alternates],
        "markers": [
            {"frame": clock.rate.frame_at(m.at_s), "at_s": m.at_s, "kind": str(m.kind), "name": m.name}
            for m in delivery.markers
        ],
    }


def _sound(sound: Sound, film: Film) -> JsonDict:
    from mvr.delivery.grid import framed

    rate = film.clock.rate
    pieces = framed(sound.pieces, rate, film.clock.frames, rate.frames_within(sound.duration_s))
    cuts = [
        {
            "start": p.start,
            "end": p.end,
            "in": p.source_start,
            "out": p.source_end,
            "source_start_s": p.source_start_s,
        }
        for p in pieces
    ]
    return sound.facts() | {"path": str(sound.path).encode("utf-8", "replace").decode(), "pieces": cuts}


def choose(wish: Wish) -> Delivery:
    """The chosen track under the clip, with the next best as alternates.

    Raises:
        NotInLibrary, DataError, MediaError: see `mvr.errors`.
    """
    from mvr.delivery.laying import Timing, fit_sound, lay_file, lay_film, lay_item, lay_ranked

    film = lay_film(wish.video)
    library, demo = library_or_demo(wish.library)
    ranked = _rank(wish, library, demo)
    found, picked, ranking = ranked.found, ranked.named, ranked.by
    origin: JsonDict = {"library": str(library.root).encode("utf-8", "replace").decode()}
    if ranking is not None:
        alpha = ranking.system.card.alpha_default if wish.alpha is None else wish.alpha
        ranked_by = {"system": ranking.system.name, "identity": ranking.system.identity, "alpha": alpha}
        origin |= ranked_by | {"commercial": wish.commercial}
    chosen = None
    if wish.track is not None and picked is None:
        chosen = lay_file(Path(wish.track), film, wish.start_s or 0.0, wish.loudness_lufs)
    elif picked is not None:
        start_s = picked.start_s if wish.start_s is None else wish.start_s
        if not picked.item.path.is_file():
            raise DataError(f"{picked.item.path} is gone; run `mvr library add` on its new place")
        chosen = lay_item(picked.item, film, start_s, picked.score, wish.loudness_lufs)
        found = [each for each in found if each.item.id != picked.item.id]
    elif found and (
        wish.fit is not None or wish.start_s is not None
    ):  # the best, but not simply from its second
        picked, found = found[0], found[1:]
        start_s = picked.start_s if wish.start_s is None else wish.start_s
        chosen = lay_item(picked.item, film, start_s, picked.score, wish.loudness_lufs)
    if chosen is not None and wish.fit is not None:
        chosen = fit_sound(chosen, film, ending=wish.fit[0], hit_s=wish.fit[1])
    count = wish.top - (chosen is not None)
    timing = Timing() if picked is None else picked.timing
    return lay_ranked(film, found[:count], chosen, wish.loudness_lufs, origin, timing)


@dataclass(frozen=True, kw_only=True)
class _Ranked:
    """The best tracks, the one that was named where a library holds it, and who ranked them."""

    found: list[Found]
    named: Found | None = None
    by: Retriever | None = None


def _rank(wish: Wish, library: Library, demo: bool) -> _Ranked:
    from mvr.delivery.laying import Found
    from mvr.embeddings.system import load_system
    from mvr.retrieval import Filters, Retriever

    item = named_track(wish.track, library)
    if not library.items(Modality.AUDIO):
        if wish.track is None:
            raise library.holds_no("tracks")
        return _Ranked(found=[])
    if demo:
        tell_demo()
    retriever = Retriever(library, load_system(wish.system))
    with steps("embedding") as progress:
        for path, reason in retriever.prepare(Direction.VIDEO_TO_MUSIC, progress):
            note(f"left out {path}: {reason}")
    query = retriever.embed_query(wish.video, Direction.VIDEO_TO_MUSIC)

    def ranked(count: int, filters: Filters) -> list[Found]:
        listed = retriever.rank(query, wish.alpha, count, filters=filters)
        with steps("measuring time") as progress:
            library.timings.measure_missing([result.item for result in listed.results], progress)
        return [Found.of(result) for result in retriever.place(listed, wish.video).results]

    found = ranked(wish.top + 1, Filters(commercial=wish.commercial))
    if item is None:
        if wish.track is None and not found:
            raise DataError(
                f"no track of the library {library.root} passes the filters and has its file where it was"
            )
        return _Ranked(found=found, by=retriever)
    alone = ranked(1, Filters(ids=frozenset([item.id])))
    named = alone[0] if alone else Found(item=item, start_s=0.0)
    return _Ranked(found=found, named=named, by=retriever)


def track_file(track: str, library: Library) -> tuple[Path, Item | None]:
    """The file of a track that was named, and the library's item of it; errors as `named_track`, and DataError where
    the item's file is gone or has changed."""
    item = named_track(track, library)
    return (Path(track) if item is None or Path(track).is_file() else library.file_of(item)), item


def named_track(track: str | None, library: Library) -> Item | None:
    """The library's item of that name; None for a file that no library holds, and where none was named."""
    if track is None:
        return None
    try:
        item = library.find(track)
    except NotInLibrary as error:
        if Path(track).is_file():
            return None
        if (
            Path(track).suffix or Path(track).parent.name
        ):  # a path that was mistyped, for no id looks like that
            raise NotInLibrary(
                f"there is no file {one_line(track)}; give a track's file or its id"
            ) from error
        raise
    if item.modality is not Modality.AUDIO:
        raise DataError(f"{one_line(track)} is a video in the library; give a track")
    return item
