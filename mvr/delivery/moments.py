"""Moments worth a marker: the clip's cuts, the downbeats of the music under it, and its hits that meet a cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mvr.delivery.plan import Marker, MarkerKind, Piece
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.placing.pulses import NEAR_BEAT_S


def cut_markers(film: FilmTiming, length_s: float) -> tuple[Marker, ...]:
    """One marker at each cut of the clip."""
    cuts = [float(time) for time in film.cuts_s if 0 <= time < length_s]
    return tuple(
        Marker(at_s=at_s, kind=MarkerKind.CUT, name=f"cut {number}")
        for number, at_s in enumerate(cuts, start=1)
    )


def music_markers(
    music: MusicTiming, pieces: Sequence[Piece], film: FilmTiming | None = None
) -> tuple[Marker, ...]:
    """Downbeats of what is heard of a track, and its hits that lie within 80 ms of a cut.

    Args:
        music: the track.
        pieces: what of it is heard.
        film: the clip; without it no hit meets anything.
    """
    beats = [
        Marker(
            at_s=at_s,
            kind=MarkerKind.DOWNBEAT,
            name=f"downbeat {number}",
            note=f"{source_s:.3f} s of the track",
        )
        for number, (at_s, source_s) in enumerate(_heard(music.downbeats_s, pieces), start=1)
    ]
    if film is None or not len(film.cuts_s):
        return tuple(beats)
    hits: list[Marker] = []
    for at_s, source_s in _heard(music.hits_s, pieces):
        off_s = at_s - float(film.cuts_s[np.abs(film.cuts_s - at_s).argmin()])
        if abs(off_s) <= NEAR_BEAT_S:
            note = f"{round(1000 * off_s):+d} ms from a cut; {source_s:.3f} s of the track"
            hits.append(Marker(at_s=at_s, kind=MarkerKind.HIT, name=f"hit {len(hits) + 1}", note=note))
    return (*beats, *hits)


def _heard(times_s: Sequence[float] | np.ndarray, pieces: Sequence[Piece]) -> Iterator[tuple[float, float]]:
    """(second of the clip, second of the track) of each moment that is heard, in the clip's order."""
    for piece in pieces:
        for time_s in times_s:
            inside_s = float(time_s) - piece.source_start_s
            if 0 <= inside_s < piece.duration_s:
                yield piece.start_s + inside_s, float(time_s)
