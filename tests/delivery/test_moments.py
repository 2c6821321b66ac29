"""Markers of what happens in picture and music, against times worked out by hand."""

from __future__ import annotations

import numpy as np

from mvr.delivery.moments import cut_markers, music_markers
from mvr.delivery.plan import MarkerKind, Piece
from mvr.timing.film import FilmTiming
from mvr.timing.music import MusicTiming

FILM = FilmTiming(
    duration_s=10.0, cuts_s=np.array([2.0, 5.0, 9.99, 10.5]), fades_s=(), flashes_s=np.zeros(0),
    energy=np.zeros(80, np.float32), novelty=np.zeros((3, 80), np.float32), motion=np.zeros(320, np.float32),
)  # fmt: skip
MUSIC = MusicTiming(
    duration_s=60.0, tempo_bpm=120.0, bar_beats=4, beats_s=np.arange(0, 60, 0.5), downbeats_s=np.arange(0, 60, 2.0),
    sections_s=np.zeros(1), hits_s=np.array([11.95, 14.0, 30.05]), end_s=60.0, ending_s=None,
    loudness_db=np.zeros(480, np.float32), onset=np.zeros(480, np.float32), novelty=np.zeros((3, 480), np.float32),
    strokes=np.zeros(1920, np.float32),
)  # fmt: skip
PIECES = (
    Piece(start_s=0.0, source_start_s=10.0, duration_s=5.0),  # 10 to 15 s of the track
    Piece(start_s=5.0, source_start_s=30.0, duration_s=5.0),  # then 30 to 35 s
)


def test_cuts_within_the_clip_are_marked() -> None:
    assert [marker.at_s for marker in cut_markers(FILM, 10.0)] == [2.0, 5.0, 9.99]


def test_downbeats_are_marked_where_they_are_heard() -> None:
    beats = [m for m in music_markers(MUSIC, PIECES) if m.kind is MarkerKind.DOWNBEAT]
    assert [m.at_s for m in beats] == [0.0, 2.0, 4.0, 5.0, 7.0, 9.0]
    assert beats[3].note == "30.000 s of the track", "after the join the track's own clock has jumped"


def test_only_hits_that_meet_a_cut_are_marked() -> None:
    hits = [m for m in music_markers(MUSIC, PIECES, FILM) if m.kind is MarkerKind.HIT]
    assert [(round(m.at_s, 3), m.note.split(";")[0]) for m in hits] == [
        (1.95, "-50 ms from a cut"),
        (5.05, "+50 ms from a cut"),
    ], "the hit at 14 s of the track lies a second from any cut"
    assert not [m for m in music_markers(MUSIC, PIECES) if m.kind is MarkerKind.HIT]
