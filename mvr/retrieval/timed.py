"""A ranked list placed in time: where each track starts under the clip. The order of the list stays as it is."""

from __future__ import annotations

from dataclasses import replace

from mvr.datatypes import Direction
from mvr.library.timings import Timings
from mvr.retrieval.facts import with_cuts, with_tempo
from mvr.retrieval.ranked import RankedList, Result
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming
from mvr.timing.placing.places import Placing, place_tracks


def place_list(ranked: RankedList, timings: Timings) -> RankedList:
    """The same list with the music's best start of every pair within the part that content chose.

    A pair of which one side was not measured yet keeps its start and carries no placing; a pair that is placed already
    stays as it is, so that a list can be placed again when more was measured. What is said of a clip's cuts is what was
    measured, where it was.
    """
    if ranked.query.direction is Direction.VIDEO_TO_MUSIC:
        return _place_tracks(ranked, timings)
    return _place_under_films(ranked, timings)


def _place_tracks(ranked: RankedList, timings: Timings) -> RankedList:
    film = timings.film(ranked.query.content)
    film = film and as_long_as(film, ranked.query.duration_s)
    found = {result.rank: timings.music(result.item.content) for result in ranked.results}
    if film is not None:
        ranked = replace(ranked, query=replace(ranked.query, facts=with_cuts(ranked.query.facts, film)))
    waiting = [result for result in ranked.results if result.placing is None]
    pairs = [(result, music) for result in waiting if (music := found[result.rank]) is not None]
    if film is None or not pairs:
        return ranked
    parts = [(result.start_s, result.end_s) for result, _ in pairs]
    placings = place_tracks(film, [music for _, music in pairs], parts)
    placed = {
        result.rank: replace(
            result, start_s=placing.start_s, end_s=max(result.end_s, placing.start_s), placing=placing,
            music=music, film=film, facts=with_tempo(result.facts, music),
        )
        for (result, music), placing in zip(pairs, placings, strict=True)
    }  # fmt: skip
    return replace(ranked, results=tuple(placed.get(result.rank, result) for result in ranked.results))


def as_long_as(film: FilmTiming, duration_s: float) -> FilmTiming:
    """A film whose last frame is shown until its file ends: so long is the music that it needs."""
    return replace(film, duration_s=max(film.duration_s, duration_s))


def _place_under_films(ranked: RankedList, timings: Timings) -> RankedList:
    music = timings.music(ranked.query.content)
    if music is None:
        return ranked
    return replace(ranked, results=tuple(_under_film(result, music, timings) for result in ranked.results))


def _under_film(result: Result, music: MusicTiming, timings: Timings) -> Result:
    film: FilmTiming | None = timings.film(result.item.content)
    if film is None or result.placing is not None:
        return result
    film = as_long_as(film, result.item.duration_s)
    placing: Placing = place_tracks(film, [music], [(result.query_start_s, result.query_end_s)])[0]
    return replace(
        result, query_start_s=placing.start_s, query_end_s=max(result.query_end_s, placing.start_s),
        placing=placing, music=music, film=film, facts=with_cuts(result.facts, film),
    )  # fmt: skip
