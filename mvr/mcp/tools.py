"""The five tools. Plain functions of plain values; what they raise becomes the reason that the agent reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from mvr.datatypes import Direction, Modality
from mvr.errors import DataError, UsageError
from mvr.mcp.answers import Cut, Explanation, Fitted, Match, Ranking, Stretch, Timeline
from mvr.timing.fitting.plan import Ending

if TYPE_CHECKING:
    from mvr.delivery.laying import Timing
    from mvr.delivery.plan import Delivery, Film, Sound
    from mvr.mcp.desk import Desk, Source
    from mvr.retrieval import RankedList, Result

Clip = Annotated[str, Field(description="A video: a file below an allowed folder, or an item's id.")]
Track = Annotated[str, Field(description="A track: an item's id, or a file below an allowed folder.")]
Alpha = Annotated[
    Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None,
    Field(description="0 follows pairs of clips and music, 1 follows genre; none: the system's own default."),
]
Count = Annotated[int, Field(strict=True, ge=1, le=50, description="Length of the list.")]
Top = Annotated[int, Field(strict=True, ge=1, le=20, description="The track and its muted alternates.")]
Start = Annotated[
    float,
    Field(
        ge=-1, allow_inf_nan=False, description="Second of the track to begin at; -1: its matching second."
    ),
]
Loudness = Annotated[float, Field(ge=-60, le=-5, allow_inf_nan=False, description="LUFS.")]
DryRun = Annotated[
    bool, Field(strict=True, description="True writes nothing and says what would be written.")
]
Commercial = Annotated[bool, Field(strict=True, description="Only music that may be used commercially.")]
_WAV = (".wav",)


class Tools:
    """The tools over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def recommend(
        self, video: Clip, count: Count = 5, alpha: Alpha = None, commercial: Commercial = False
    ) -> Ranking:
        """Rank the library's music for a video: best first, with the second where each track should start."""
        return self._ranking(video, Direction.VIDEO_TO_MUSIC, count, alpha, commercial)

    def find_videos(
        self, music: Track, count: Count = 5, alpha: Alpha = None, commercial: Commercial = False
    ) -> Ranking:
        """Rank the library's videos for a piece of music: best first."""
        return self._ranking(music, Direction.MUSIC_TO_VIDEO, count, alpha, commercial)

    def _ranking(
        self, name: str, direction: Direction, count: int, alpha: float | None, commercial: bool
    ) -> Ranking:
        from mvr.retrieval import Filters

        with self._desk.lock:
            source = self._desk.source(name, direction.query)
            ranked = self._desk.rank(source, direction, alpha, count, Filters(commercial=commercial))
        return Ranking(
            sentence=_listed(ranked), asked=name, system=ranked.system, alpha=ranked.alpha, commercial=commercial,
            count=len(ranked.results), results=[_match(result) for result in ranked.results],
        )  # fmt: skip

    def fit(
        self,
        video: Clip,
        track: Track,
        start_s: Start = -1.0,
        ending: Annotated[Ending, Field(description="The track's own ending, or a fade-out.")] = Ending.REAL,
        hit_s: Annotated[
            float, Field(ge=-1, allow_inf_nan=False, description="Second of the clip to hit; -1: none.")
        ] = -1.0,
        loudness_lufs: Loudness = -16.0,
        out: Annotated[str, Field(description="Name of the WAV below the output folder.")] = "music.wav",
        dry_run: DryRun = True,
    ) -> Fitted:
        """Cut a track to a video's length by whole bars; without dry_run it is written as WAV (48 kHz, 24 bit)."""
        from mvr.delivery.laying import fit_sound
        from mvr.delivery.sounds import write_music
        from mvr.media.mux import MuxSettings

        with self._desk.lock:
            clip, music = self._desk.source(video, Modality.VIDEO), self._desk.source(track, Modality.AUDIO)
            delivery = self._lay(clip, music, start_s, loudness_lufs, top=1, alpha=None)
            hit = None if hit_s < 0 else hit_s
            sound = fit_sound(delivery.chosen, delivery.film, ending=ending, hit_s=hit)
            place = None if dry_run else self._place(out, _WAV, clip, music)
            if place is not None:
                write_music(sound, delivery.film, place, MuxSettings(loudness_lufs=loudness_lufs))
        plan, pieces = sound.plan, _stretches(sound)
        assert plan is not None
        done = _done(place is not None, out)
        return Fitted(
            sentence=f"“{sound.title}” under {delivery.film.length_s:.2f} s in {len(pieces)} piece(s), from "
            f"{pieces[0].source_start_s:.2f} s of the track; {'; '.join([*plan.told, done])}.",
            ending=plan.ending.value, end_error_s=plan.end_error_s, hit_error_s=plan.hit_error_s, note=plan.note,
            track=track, title=sound.title, clip_s=delivery.film.length_s, gain_db=sound.gain_db, pieces=pieces,
            dry_run=dry_run, file="" if place is None else str(place), would_write=out if dry_run else "",
        )  # fmt: skip

    def export_timeline(
        self,
        video: Clip,
        track: Annotated[
            str, Field(description='A track as for fit; "" takes the best of the library.')
        ] = "",
        out: Annotated[str, Field(description="Ends in .otioz, .otio, .xml or .csv.")] = "cut.otioz",
        top: Top = 5,
        start_s: Start = -1.0,
        alpha: Alpha = None,
        commercial: Commercial = False,
        drop_frame: Annotated[bool, Field(strict=True)] = False,
        dry_run: DryRun = True,
    ) -> Timeline:
        """Lay a track under a video with the next best as muted alternates, as a timeline for an editor."""
        from mvr.delivery.writing import TIMELINE_ENDINGS, TimelineSettings, check_timeline, write_timeline

        settings = TimelineSettings(drop_frame=drop_frame)
        with self._desk.lock:
            check_timeline(Path(out), settings)
            clip = self._desk.source(video, Modality.VIDEO)
            music = self._desk.source(track, Modality.AUDIO) if track else None
            delivery = self._lay(clip, music, start_s, -16.0, top=top, alpha=alpha, commercial=commercial)
            delivery.film.clock.rate.timecode(0, drop=drop_frame)
            place = None if dry_run else self._place(out, TIMELINE_ENDINGS, clip, music)
            if place is not None:
                write_timeline(delivery, place, settings)
        clock = delivery.film.clock
        done = _done(place is not None, out)
        return Timeline(
            sentence=f"“{delivery.chosen.title}” under {clock.frames} frames at {clock.rate.name}, "
            f"{len(delivery.alternates)} muted alternate(s); {done}.",
            rate=clock.rate.name, frames=clock.frames, drop_frame=drop_frame, variable_frame_rate=clock.variable,
            cuts=_cuts(delivery), markers=len(delivery.markers), dry_run=dry_run,
            files=[] if place is None else [str(place)], would_write=out if dry_run else "",
        )  # fmt: skip

    def explain(self, video: Clip, track: Track, alpha: Alpha = None) -> Explanation:
        """Why a track of the library fits a video, or does not: what is seen and heard, and what the score rests on."""
        from mvr.retrieval import Filters

        with self._desk.lock:
            clip, music = self._desk.source(video, Modality.VIDEO), self._desk.source(track, Modality.AUDIO)
            item = music.item or self._desk.library.find(str(music.path))
            filters = Filters(ids=frozenset([item.id]))
            ranked = self._desk.rank(clip, Direction.VIDEO_TO_MUSIC, alpha, 1, filters)
        if not ranked.results:
            raise DataError(f"“{item.title}” is not embedded; `mvr library add` says why")
        result = ranked.results[0]
        seen = ranked.query.to_json()["seen"]
        return Explanation(
            sentence=f"“{item.title}” scores {result.score:+.3f} (a cosine) from {result.start_s:.1f} s on; "
            f"seen: {', '.join(seen) or 'nothing named'}; heard: {', '.join(result.why) or 'nothing named'}.",
            track=item.id, title=item.title, system=ranked.system, alpha=ranked.alpha, score=result.score,
            start_s=result.start_s, clip_from_s=result.query_start_s, clip_to_s=result.query_end_s, seen=seen,
            heard=result.why, branches=result.branches, may_use=item.rights.may_use,
            may_redistribute=item.rights.may_redistribute,
        )  # fmt: skip

    def _lay(
        self,
        clip: Source,
        music: Source | None,
        start_s: float,
        loudness_lufs: float,
        *,
        top: int,
        alpha: float | None,
        commercial: bool = False,
    ) -> Delivery:
        from mvr.delivery.laying import Found, Timing, lay_film, lay_ranked
        from mvr.retrieval import Filters

        if -1 < start_s < 0:
            raise UsageError(
                f"start_s is a second of the track, or -1 for its matching second; not {start_s:g}"
            )
        film = lay_film(clip.path)
        count = top + (music is not None)
        need = music is None or top > 1
        ranked = (
            self._desk.rank(clip, Direction.VIDEO_TO_MUSIC, alpha, count, Filters(commercial=commercial))
            if need
            else None
        )
        found = [Found.of(result) for result in ranked.results] if ranked else []
        origin = {"system": ranked.system, "alpha": ranked.alpha, "commercial": commercial} if ranked else {}
        chosen, timing = None, Timing()
        if music is not None:
            chosen, timing = self._chosen(film, clip, music, start_s, loudness_lufs, alpha)
            found = [each for each in found if each.item.content != chosen.sha256][: top - 1]
        elif found and start_s >= 0:
            found[0] = replace(found[0], start_s=start_s)
        return lay_ranked(film, found[:top], chosen, loudness_lufs, origin, timing)

    def _chosen(
        self,
        film: Film,
        clip: Source,
        music: Source,
        start_s: float,
        loudness_lufs: float,
        alpha: float | None,
    ) -> tuple[Sound, Timing]:
        from mvr.delivery.laying import Found, Timing, lay_file, lay_item
        from mvr.retrieval import Filters

        if music.item is None:
            return lay_file(music.path, film, max(0.0, start_s), loudness_lufs), Timing()
        alone = Filters(ids=frozenset([music.item.id]))
        results = self._desk.rank(clip, Direction.VIDEO_TO_MUSIC, alpha, 1, alone).results
        found = Found.of(results[0]) if results else Found(item=music.item, start_s=0.0)
        begin_s = found.start_s if start_s < 0 else start_s
        return lay_item(music.item, film, begin_s, found.score, loudness_lufs), found.timing

    def _place(self, out: str, endings: tuple[str, ...], clip: Source, music: Source | None) -> Path:
        inputs = [clip.path, *([] if music is None else [music.path])]
        return self._desk.gate.write(out, endings, inputs, self._desk.kept_files())


def _listed(ranked: RankedList) -> str:
    """The list in one sentence."""
    if not ranked.results:
        return f"Nothing fits: {ranked.candidates} of {ranked.library_items} items pass the filters."
    names = "; ".join(
        f"{r.rank}. “{r.item.title}” ({r.item.id}) {r.score:+.3f} music from {r.music_start_s:.1f} s, "
        f"licence {r.item.licence}"
        for r in ranked.results
    )
    return f"{len(ranked.results)} of {ranked.library_items}: {names}."


def _match(result: Result) -> Match:
    told = {
        "music_start_s": round(result.music_start_s, 3),
        "placed": "" if result.placing is None else result.placing.told,
    }
    values = result.to_json() | told
    return Match.model_validate({name: values[name] for name in Match.model_fields})


def _stretches(sound: Sound) -> list[Stretch]:
    return [
        Stretch(
            start_s=piece.start_s, end_s=piece.start_s + piece.duration_s, source_start_s=piece.source_start_s,
            source_end_s=piece.source_start_s + piece.duration_s,
        )
        for piece in sound.pieces
    ]  # fmt: skip


def _cuts(delivery: Delivery) -> list[Cut]:
    from mvr.delivery.grid import framed

    clock = delivery.film.clock
    rate = clock.rate
    return [
        Cut(
            title=sound.title, credit=sound.credit, muted=number > 0, start=piece.start, end=piece.end,
            in_frame=piece.source_start, out_frame=piece.source_end,
        )
        for number, sound in enumerate((delivery.chosen, *delivery.alternates))
        for piece in framed(sound.pieces, rate, clock.frames, rate.frames_within(sound.duration_s))
    ]  # fmt: skip


def _done(written: bool, out: object) -> str:
    return f"written to {out}" if written else f"a dry run: nothing is written; dry_run=false writes {out}"
