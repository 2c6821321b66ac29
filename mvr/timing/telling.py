"""What was measured of one file, in lines and as JSON: with every beat, which lists leave out."""

from __future__ import annotations

from collections.abc import Iterable

from mvr.datatypes import JsonDict
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming


def timing_json(timing: MusicTiming | FilmTiming) -> JsonDict:
    """What a list says of it, of a track with its beats and downbeats."""
    if isinstance(timing, FilmTiming):
        return timing.to_json()
    beats = {"beats_s": timing.beats_s, "downbeats_s": timing.downbeats_s}
    return timing.to_json() | {
        name: [round(float(time), 3) for time in times_s] for name, times_s in beats.items()
    }


def timing_lines(timing: MusicTiming | FilmTiming) -> list[str]:
    """The same to be read: a line for each kind of moment."""
    return _of_film(timing) if isinstance(timing, FilmTiming) else _of_music(timing)


def _of_music(music: MusicTiming) -> list[str]:
    bars = f", bars of {music.bar_beats}" if len(music.downbeats_s) > 1 else ""
    own = (
        "no ending of its own" if music.ending_s is None else f"its own ending from {music.ending_s:.2f} s on"
    )
    return [
        "no beat"
        if music.tempo_bpm is None
        else f"{music.tempo_bpm:.1f} bpm, {len(music.beats_s)} beats{bars}",
        _line("parts from", music.sections_s) or "one part",
        _line("hits at", music.hits_s) or "no hits",
        f"sound until {music.end_s:.2f} s, {own}" if music.end_s else "silence",
    ]


def _of_film(film: FilmTiming) -> list[str]:
    fades = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in film.fades_s)
    return [
        _line("cuts at", film.cuts_s) or "no cuts",
        f"fades from {fades}" if fades else "no fades",
        _line("flashes at", film.flashes_s) or "no flashes",
    ]


def _line(title: str, times_s: Iterable[float]) -> str:
    """Times in a line, "" without any.

    >>> _line("hits at", [0.5, 12.346]), _line("hits at", [])
    ('hits at 0.50, 12.35 s', '')
    """
    told = ", ".join(f"{time:.2f}" for time in times_s)
    return f"{title} {told} s" if told else ""
