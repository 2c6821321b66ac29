"""Cuts near beats after placing: real clips where a folder is given, else painted ones, and random cuts by the
same search.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from eval.timing.songs import draw_songs
from mvr.datatypes import JsonDict
from mvr.errors import MvrError
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming, measure_music, measure_music_file
from mvr.timing.placing.cuts import REACH_S, cuts_on_beats

FEWEST_CUTS, LONGEST_S = 3, 20.0


def tracks() -> list[MusicTiming]:
    """Ten rendered pieces of 40 s, one of each genre."""
    return [measure_music(song.samples) for song in draw_songs(1, 970_000, 40.0)]


def excerpts(folder: Path) -> list[MusicTiming]:
    """The music files of a folder, those that cannot be read left out."""
    found = []
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with contextlib.suppress(MvrError):
            found.append(measure_music_file(path))
    return found


def measure_nearness(films: Sequence[FilmTiming], music: Sequence[MusicTiming]) -> JsonDict:
    """Share of cuts within 80 ms of a beat at the best of twenty seconds of starts, or of what a shorter track has: one
    track, and the best of ten.
    """
    shares: dict[str, list[list[float]]] = {"cuts": [], "random": []}
    for film in films:
        inside = film.cuts_s[film.cuts_s < LONGEST_S]
        if len(inside) < FEWEST_CUTS:
            continue
        short = replace(film, duration_s=min(film.duration_s, LONGEST_S), cuts_s=inside)
        found = [cuts_on_beats(short, track, REACH_S) for track in music]
        brought = [each for each in found if each is not None]
        if brought:
            shares["cuts"].append([each.share for each in brought])
            shares["random"].append([each.random for each in brought])
    if not shares["cuts"]:
        return {"films": 0, "note": "no film has three cuts and music that is long enough"}
    return {
        "films": len(shares["cuts"]),
        "tracks": max(map(len, shares["cuts"])),
        "cuts": _shares(shares["cuts"]),
        "random_cuts": _shares(shares["random"]),
        "note": "the search brings as much for random cuts: a service, not evidence of a match",
    }


def _shares(rows: list[list[float]]) -> JsonDict:
    return {
        "one_track": round(float(np.mean([np.mean(row) for row in rows])), 4),
        "best_of_ten": round(float(np.mean([np.mean(_best_of(row, 10)) for row in rows])), 4),
    }


def _best_of(row: list[float], count: int) -> list[float]:
    """The best of each `count` that follow each other."""
    return [max(row[first : first + count]) for first in range(0, len(row), count)]
