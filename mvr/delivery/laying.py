"""From a clip's file and items of a library to what a delivery holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mvr.config.digest import content_hash
from mvr.datatypes import JsonDict
from mvr.delivery.clock import read_clock
from mvr.delivery.moments import cut_markers, music_markers
from mvr.delivery.plan import (
    TARGET_LUFS,
    Delivery,
    Film,
    Marker,
    Piece,
    RightsHolders,
    Sound,
    join_markers,
    level_db,
    plain_pieces,
)
from mvr.errors import DataError
from mvr.library.tags import read_tags
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.loudness import measure_loudness
from mvr.media.probe import probe

if TYPE_CHECKING:
    from mvr.library import Item
    from mvr.timing.film import FilmTiming
    from mvr.timing.fitting.plan import Ending, FitPlan
    from mvr.timing.music import MusicTiming

_HOLDERS = tuple(field.name for field in fields(RightsHolders))


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When things happen in a track and in a clip, as far as that was measured."""

    music: MusicTiming | None = None
    film: FilmTiming | None = None


class Ranked(Protocol):
    """A ranked and placed track, as `mvr.retrieval.Result` is one."""

    @property
    def item(self) -> Item:
        """The track."""

    @property
    def start_s(self) -> float:
        """The second of it that fits the clip's first."""

    @property
    def score(self) -> float:
        """How well it fits."""

    @property
    def music(self) -> MusicTiming | None:
        """When things happen in it, if that was measured."""

    @property
    def film(self) -> FilmTiming | None:
        """When things happen in the clip, if that was measured."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A ranked track: the second of it that fits the clip's first, and how well (None where nobody asked)."""

    item: Item
    start_s: float
    score: float | None = None
    timing: Timing = Timing()

    @classmethod
    def of(cls, result: Ranked) -> Found:
        """A line of a ranked list."""
        timing = Timing(music=result.music, film=result.film)
        return cls(item=result.item, start_s=result.start_s, score=result.score, timing=timing)


def lay_ranked(
    film: Film,
    found: Sequence[Found],
    chosen: Sound | None = None,
    target_lufs: float = TARGET_LUFS,
    origin: JsonDict | None = None,
    timing: Timing = Timing(),
) -> Delivery:
    """A clip with the first track of a ranked list under it and the others as alternates; missing files are left out.

    Args:
        film: the clip.
        found: best first.
        chosen: goes under the clip instead of the first; all of `found` are alternates then.
        target_lufs: loudness that levels aim at.
        origin: see `Delivery.origin`.
        timing: of `chosen` and the clip, for markers; of the first of `found` where that is chosen.

    Raises:
        DataError: nothing is chosen, or its file is gone.
    """
    there = [each for each in found if each.item.path.is_file()]
    if chosen is None:
        if not found or not there or there[0] is not found[0]:
            gone = f"the file of “{found[0].item.title}” is gone" if found else "no track was found"
            raise DataError(f"{gone}; choose another track")
        first, there = there[0], there[1:]
        timing = first.timing
        chosen = lay_item(first.item, film, first.start_s, first.score, target_lufs)
    others = [lay_item(each.item, film, each.start_s, each.score, target_lufs) for each in there]
    return Delivery(
        film=film,
        chosen=chosen,
        alternates=tuple(others),
        markers=_markers(film, chosen, timing),
        origin=origin or {},
    )


def _markers(film: Film, chosen: Sound, timing: Timing) -> tuple[Marker, ...]:
    """Cuts, downbeats, hits that meet and joins, in the clip's order."""
    found = list(join_markers(chosen.pieces))
    if timing.film is not None:
        found += cut_markers(timing.film, film.length_s)
    if timing.music is not None:
        found += music_markers(timing.music, chosen.pieces, timing.film)
    return tuple(sorted(found, key=lambda marker: marker.at_s))


def lay_film(path: str | Path, limits: MediaLimits = DEFAULT_LIMITS) -> Film:
    """A clip as it goes on a timeline.

    Raises:
        MediaError: any of its classes.
    """
    info = probe(path, limits, needs=("picture",))
    assert info.video is not None
    return Film(
        path=Path(path).absolute(),
        clock=read_clock(path, limits),
        has_sound=info.audio is not None,
        width_px=info.video.width_px,
        height_px=info.video.height_px,
        duration_s=info.duration_s,
    )


def lay_item(
    item: Item,
    film: Film,
    start_s: float,
    score: float | None = None,
    target_lufs: float = TARGET_LUFS,
) -> Sound:
    """A track of a library under a clip, from `start_s` of the track on.

    Raises:
        UsageError: the track ends before `start_s`.
    """
    return Sound(
        path=item.path,
        title=item.title,
        artist=item.artist,
        credit=item.credit_line,
        licence=item.licence,
        licence_url=item.licence_url,
        rights_holders=RightsHolders(**{name: getattr(item, name) for name in _HOLDERS}),
        source=item.source,
        read_at=item.added_at,
        item_id=item.id,
        sha256=item.content,
        duration_s=item.duration_s,
        gain_db=level_db(item.loudness_lufs, item.true_peak_dbtp, target_lufs),
        pieces=plain_pieces(start_s, item.duration_s, film.length_s),
        score=score,
    )


def fit_sound(sound: Sound, film: Film, *, ending: Ending, hit_s: float | None = None) -> Sound:
    """A track cut to the clip by whole bars, from near where it would have begun; see `mvr.timing.fitting.paths`.

    Raises:
        MediaError: it cannot be read, or it is silent. UsageError: a hit outside the clip.
    """
    from mvr.timing.files import plan_file
    from mvr.timing.fitting.paths import FitWish

    start_s = sound.pieces[0].source_start_s if sound.pieces else 0.0
    wish = FitWish(length_s=film.length_s, start_s=start_s, ending=ending, hit_s=hit_s)
    return cut_by(sound, plan_file(sound.path, wish))


def cut_by(sound: Sound, plan: FitPlan) -> Sound:
    """A track cut as a plan says."""
    pieces = [
        Piece(start_s=piece.start_s, source_start_s=piece.source_start_s, duration_s=piece.duration_s)
        for piece in plan.pieces
    ]
    return replace(sound, pieces=tuple(pieces), plan=plan)


def lay_file(path: Path, film: Film, start_s: float, target_lufs: float = TARGET_LUFS) -> Sound:
    """A file of no library under a clip.

    Raises:
        MediaError: it cannot be read. UsageError: it ends before `start_s`.
    """
    info, tags = probe(path, needs=("sound",)), read_tags(path)
    level = measure_loudness(path)
    return Sound(
        path=path.absolute(),
        title=tags.title or path.stem,
        artist=tags.artist,
        credit=tags.credit,
        licence=tags.licence,
        licence_url=tags.licence_url,
        rights_holders=RightsHolders(**{name: getattr(tags, name) for name in _HOLDERS}),
        source=tags.source,
        sha256=content_hash(path),
        duration_s=info.duration_s,
        gain_db=level_db(level.integrated_lufs, level.true_peak_dbtp, target_lufs),
        pieces=plain_pieces(start_s, info.duration_s, film.length_s),
    )
