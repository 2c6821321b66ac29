"""Are tracks fitted to a length as promised? Rendered songs with known bars and endings, and real excerpts.

Exact length; joins within 20 ms of a true downbeat on both sides; likeness of joined bars among the best 5
% of all jumps; the largest spectral flux within 20 ms of a join at most the 99th percentile of the track's
own.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from eval.timing.songs import render_whole_song
from mvr.datasets.synthetic.latents import GENRES
from mvr.datatypes import FloatArray, JsonDict
from mvr.errors import MvrError
from mvr.media.sound import read_stereo
from mvr.signal.onsets import FRAME_RATE_HZ, band_flux
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import SAMPLE_RATE_HZ, mel_db, power_spectrogram
from mvr.timing.fitting.joins import find_joins
from mvr.timing.fitting.paths import ALIKE, FitWish, plan_fit
from mvr.timing.fitting.plan import Ending, FitPlan, Method
from mvr.timing.fitting.rendering import render_fit
from mvr.timing.music import measure_music

SONG_LENGTHS_S = (30.0, 60.0, 90.0, 180.0)
EXCERPT_LENGTHS_S = (8.0, 15.0, 30.0)
NEAR_S = 0.02


def fit_all(stereo: FloatArray, wishes: Iterable[FitWish]) -> list[tuple[FitPlan, FloatArray]]:
    """Plans and sound of one track for several wishes."""
    mono = stereo.mean(axis=1)
    music, heard = measure_music(mono), hear(mono)
    if heard is None:
        return []
    bars = find_joins(heard, music.downbeats_s, music.end_s)
    plans = [plan_fit(music, bars, wish) for wish in wishes]
    return [(plan, render_fit(stereo, plan, SAMPLE_RATE_HZ)) for plan in plans]


def flux_share(stereo: FloatArray, fitted: FloatArray, plan: FitPlan) -> list[float]:
    """For each join the share of the track's own moments with less spectral flux than the largest at the join."""
    own, cut = _flux(stereo), _flux(fitted)
    shares = []
    for piece in plan.joins:
        near = np.arange(
            max(0, round((piece.start_s - NEAR_S) * FRAME_RATE_HZ)),
            round((piece.start_s + NEAR_S) * FRAME_RATE_HZ) + 1,
        )
        largest = float(cut[np.clip(near, 0, len(cut) - 1)].max())
        shares.append(float(np.mean(own < largest)))
    return shares


def _flux(stereo: FloatArray) -> FloatArray:
    mono = stereo.mean(axis=1)
    rms = max(float(np.sqrt(np.mean(mono**2))), 1e-6)
    flux: FloatArray = band_flux(mel_db(power_spectrogram(mono / np.float32(rms)))).mean(axis=1)
    return flux


class _Tally:
    def __init__(self) -> None:
        self.fits = self.exact = self.plain = self.joins = self.alike = self.smooth = self.on_bar = 0
        self.ended = self.real = 0
        self.notes: list[str] = []

    def add(
        self, plan: FitPlan, stereo: FloatArray, fitted: FloatArray, downbeats_s: FloatArray | None
    ) -> None:
        self.fits += 1
        self.exact += len(fitted) == round(plan.length_s * SAMPLE_RATE_HZ)
        self.plain += plan.method is Method.PLAIN
        self.real += plan.ending is Ending.REAL
        if plan.method is not Method.PLAIN:
            self.joins += len(plan.joins)
            self.alike += sum((piece.percentile or 0) >= ALIKE for piece in plan.joins)
            self.smooth += sum(share <= 0.99 for share in flux_share(stereo, fitted, plan))
            if downbeats_s is not None:
                self.on_bar += sum(
                    _on_bar(plan, number, downbeats_s) for number in range(1, len(plan.pieces))
                )
        if plan.note:
            self.notes.append(plan.note)

    def to_json(self, *, known_bars: bool) -> JsonDict:
        document: JsonDict = {
            "fits": self.fits, "exact_length": self.exact, "cut_plainly": self.plain, "own_ending": self.real,
            "joins": self.joins, "joins_alike": self.alike, "joins_without_a_jolt": self.smooth,
        }  # fmt: skip
        if known_bars:
            document["joins_on_a_true_downbeat"] = self.on_bar
        return document | {"notes": sorted(set(self.notes))}


def _on_bar(plan: FitPlan, number: int, downbeats_s: FloatArray) -> bool:
    """Whether both sides of a join lie within 20 ms of a true downbeat (or of where the next one would be)."""
    sides = (plan.pieces[number - 1].source_end_s, plan.pieces[number].source_start_s)
    return all(float(np.abs(downbeats_s - side).min()) <= NEAR_S for side in sides)


def measure_song_fits(songs: int = 10, seed: int = 77_000) -> JsonDict:
    """Rendered songs of three minutes x 30, 60, 90, 180 s, and each with a hit in the middle of 60 s."""
    tally, hits = _Tally(), []
    for number in range(songs):
        song = render_whole_song(list(GENRES)[number % len(GENRES)], seed + number)
        true = np.append(song.downbeats_s, song.ending_s)
        wishes = [FitWish(length_s=length) for length in SONG_LENGTHS_S] + [
            FitWish(length_s=60.0, hit_s=31.7)
        ]
        fits = fit_all(song.stereo, wishes)
        for plan, fitted in fits[: len(SONG_LENGTHS_S)]:
            tally.add(plan, song.stereo, fitted, true)
        hits.append(fits[-1][0])
    struck = [plan for plan in hits if plan.hit_error_s is not None]
    return tally.to_json(known_bars=True) | {
        "hits_asked": len(hits), "hits_struck": len(struck),
        "largest_hit_error_s": max((abs(plan.hit_error_s or 0) for plan in struck), default=None),
        "median_end_error_s": float(np.median([abs(plan.end_error_s) for plan in struck])) if struck else None,
    }  # fmt: skip


def measure_excerpt_fits(folder: Path, most: int = 40) -> JsonDict:
    """Real excerpts x 8, 15 and 30 s."""
    tally, skipped = _Tally(), []
    for path in sorted(path for path in folder.iterdir() if path.is_file())[:most]:
        try:
            stereo = read_stereo(path, SAMPLE_RATE_HZ, duration_s=60.0)
        except MvrError as error:
            skipped.append(str(error))
            continue
        for plan, fitted in fit_all(stereo, [FitWish(length_s=length) for length in EXCERPT_LENGTHS_S]):
            tally.add(plan, stereo, fitted, None)
    return tally.to_json(known_bars=False) | {"skipped": skipped}
