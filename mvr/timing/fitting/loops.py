"""The plain cut: a track as it runs, started over where it is shorter than the clip, faded out at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mvr.timing.fitting.plan import Ending, FitPlan, Method, Piece
from mvr.timing.music import MusicTiming

FADE_S = 2.0
LONGEST_FADE = 0.25  # of the clip
LOOSE_CROSSFADE_S = 1.0  # of music without a beat
CROSSFADE_S = 0.02  # at a join on a beat
_WHOLE_S = 0.02  # by which a loop may be longer or shorter than whole beats
_NO_TEMPO_S = 3.5
_STROKES_DB = 3.0  # onsets of a struck sound; those of hiss, tones and swelling chords stay under 2
_UNSURE, _LONGEST_LOOP_S = 0.01, 16.0  # share by which the tempo of a sound so short may be wrong


@dataclass(frozen=True, kw_only=True)
class Round:
    """Where a track starts over: from `until_s` on it plays from `from_s`, both sounding together for `crossfade_s`."""

    from_s: float
    until_s: float
    crossfade_s: float


def find_round(music: MusicTiming) -> Round:
    """Where a track may start over so that the beat goes on; without a beat, where both sides can sound together.

    A file as long as whole beats is a loop: its end leads to its beginning, to the sample. So is one of strokes that
    is too short to tell its beat.
    """
    end_s = max(music.end_s or music.duration_s, 0.01)
    short = music.tempo_bpm is None and music.duration_s <= _NO_TEMPO_S
    if short and end_s == music.duration_s and float(np.percentile(music.onset, 90)) >= _STROKES_DB:
        return Round(from_s=0.0, until_s=end_s, crossfade_s=0.0)
    beat_s = 0.0 if music.tempo_bpm is None else 60 / music.tempo_bpm
    if beat_s and _is_loop(music, beat_s):
        return Round(from_s=0.0, until_s=music.duration_s, crossfade_s=0.0)
    first_s = float(music.beats_s[0]) if len(music.beats_s) else end_s
    last_s = min(music.duration_s, end_s + beat_s)  # a rest of less than a beat belongs to the music
    if beat_s == 0 or last_s - first_s < beat_s:
        fade_s = min(LOOSE_CROSSFADE_S, end_s / 4)
        return Round(from_s=fade_s / 2, until_s=end_s - fade_s / 2, crossfade_s=fade_s)
    beats = int((last_s - first_s) / beat_s + 0.05)
    beats -= beats % music.bar_beats if beats >= music.bar_beats else 0
    until_s = min(last_s, first_s + beats * beat_s)
    fade_s = max(0.0, min(CROSSFADE_S, 2 * first_s, 2 * (music.duration_s - until_s)))
    return Round(from_s=first_s, until_s=until_s, crossfade_s=fade_s)


def _is_loop(music: MusicTiming, beat_s: float) -> bool:
    """Whether the file is as long as whole beats and sounds, or rests for less than a beat, up to its end.

    One that begins with a rest of more than a bar is none: sound that is recorded late.
    """
    late_s = float(music.beats_s[0]) if len(music.beats_s) else 0.0
    if music.duration_s - music.end_s > beat_s or late_s > music.bar_beats * beat_s:
        return False
    unsure_s = _UNSURE * music.duration_s if music.duration_s <= _LONGEST_LOOP_S else 0.0
    return abs(music.duration_s - beat_s * round(music.duration_s / beat_s)) <= _WHOLE_S + unsure_s


def cut_plainly(music: MusicTiming, start_s: float, length_s: float) -> FitPlan:
    """The track from `start_s` on, started over as often as it takes, faded out at the end."""
    end_s, around = max(music.end_s or music.duration_s, 0.01), find_round(music)
    at_s, from_s = 0.0, start_s if start_s < around.until_s - around.crossfade_s else 0.0
    pieces: list[Piece] = []
    while at_s < length_s - 1e-9:
        left_s = length_s - at_s
        taken_s = left_s if left_s <= max(end_s, around.until_s) - from_s else around.until_s - from_s
        fade_s = around.crossfade_s if pieces else 0.0
        pieces.append(
            Piece(source_start_s=from_s, source_end_s=from_s + taken_s, start_s=at_s, crossfade_s=fade_s)
        )
        at_s, from_s = at_s + taken_s, around.from_s
    return FitPlan(
        pieces=tuple(pieces), length_s=length_s, method=Method.PLAIN, ending=Ending.FADE,
        fade_s=min(FADE_S, LONGEST_FADE * length_s),
    )  # fmt: skip
