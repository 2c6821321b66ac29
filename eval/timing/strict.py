"""Planted films in the strict form: 10 s of a corrupted picture over a whole track, 4 s off both ends.

What the method is frozen on, since few real clips are at hand: half or more of the changes left out or replaced
by others, everything late, motion that wanders, half of the picture standing still. Control: the films under the
next piece's track at the same second, as `eval.timing.offsets` does with foreign sounds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from eval.timing.offsets import STRICT_PICTURE_S, STRICT_TRIM_S, rank_of, told_of
from eval.timing.outcomes import Outcome, summary
from eval.timing.planted import TRACK_S, Follows, Planted, Source, plant
from eval.timing.songs import render_song
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import JsonDict
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ
from mvr.timing.music import MusicTiming, fine_onsets, measure_music
from mvr.timing.placing.sliding import STEP_S

FILMS = 3  # of each piece and kind


def _kinds(rng: np.random.Generator) -> dict[str, Follows]:
    rest = Follows(
        late_s=float(rng.uniform(-0.06, 0.22)), drift=0.15, hidden=float(rng.uniform(0, 0.5)),
        film_s=STRICT_PICTURE_S,
    )  # fmt: skip
    return {
        "half_removed": replace(rest, share=0.5),
        "two_thirds_at_random": replace(rest, share=0.35, instead=True),
    }


def measure_strict(pieces: int = 12, seed: int = 75_000) -> JsonDict:
    """For each kind a document as `eval.timing.outcomes.summary` gives it, one work a piece."""
    own: dict[str, list[Outcome]] = {}
    foreign: dict[str, list[Outcome]] = {}
    before: list[tuple[str, str, Planted]] = []
    for number in range(pieces):
        rng = np.random.default_rng([seed, number])
        source, track = _piece(list(GENRES)[number % len(GENRES)], seed + number)
        films = [
            (f"piece {number}", kind, plant(source, int(rng.integers(1 << 30)), follows, STRICT_TRIM_S))
            for _ in range(FILMS)
            for kind, follows in _kinds(rng).items()
        ]
        for outcomes, shown in ((own, films), (foreign, before)):
            for work, kind, planted in shown:
                outcomes.setdefault(kind, []).append(_outcome(work, planted, track))
        before = films
    return {kind: summary(own[kind], foreign.get(kind, [])) for kind in own}


def _piece(genre: str, seed: int) -> tuple[Source, MusicTiming]:
    """A rendered piece as the painter hears it, and its middle as it is placed."""
    samples = render_song(genre, seed, TRACK_S).samples
    track, heard = measure_music(samples), hear(samples)
    assert heard is not None, "a rendered sound is never silent"
    trim = round(STRICT_TRIM_S * SAMPLE_RATE_HZ)
    source = Source(track=track, strokes=fine_onsets(heard, len(track.onset)))
    return source, measure_music(samples[trim : len(samples) - trim])


def _outcome(work: str, planted: Planted, track: MusicTiming) -> Outcome:
    place = round((planted.start_s - STRICT_TRIM_S) / STEP_S)
    percentile, hit = rank_of(planted.film, track, place, circular=False)
    told = told_of(planted.film, track, planted.start_s - STRICT_TRIM_S)
    return Outcome(work=work, sound=work, clip=work, percentile=percentile, hit=hit, told=told)
