"""What timing costs: looking on while a clip is decoded, measuring music, aligning and placing, with growth.

Of pictures two things are asked, and a row each is judged: a clip of up to 30 s is looked at for a list, curves too, at
no more than 1.05 of what the first version took for the list alone (`_listed`); a longer film is measured in the
background at no more than one full decode (`_film`). What every frame of a short clip costs beside decoding alone
(`_clip`) is information: no list does that, and until 2026-11-30 it was judged, at 1.05, in place of `_film`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.speed.contest import Aim, Contest, Work
from eval.speed.inputs import SEED, Inputs
from eval.speed.large import steps_of
from eval.speed.weight import BEFORE, build_before

if TYPE_CHECKING:
    from mvr.datatypes import FloatArray
    from mvr.timing.film import FilmTiming
    from mvr.timing.music import MusicTiming

_TRACK_S = 180.0
_CLIP_S = 30.0
_FIRST = f"first version ({BEFORE})"
_TIMES = 20  # how often what takes a millisecond is done in one round


def contests(inputs: Inputs) -> Iterator[Contest]:
    """Clips, music, one alignment, a list, a library."""
    for size in ((320, 180),) if inputs.short else ((640, 360), (1920, 1080)):
        yield _clip(inputs, size)
        yield _film(inputs, size)
    for seconds in (3.0,) if inputs.short else (15.0, 30.0):
        yield _listed(inputs, seconds)
    for seconds in (10.0,) if inputs.short else (60.0, _TRACK_S, 600.0):
        yield _music(seconds)
    for seconds in (5.0,) if inputs.short else (8.0, _CLIP_S, 120.0):
        yield _alignment(seconds)
    for tracks in (3,) if inputs.short else (10, 50, 200, 1000, 3000):
        yield _list(tracks)


def _clip(inputs: Inputs, size: tuple[int, int]) -> Contest:
    """Every frame of a short clip, smoothed as all are that a list is made of: information."""
    seconds = 3.0 if inputs.short else 15.0
    clip = inputs.video("phone", seconds=seconds, size=size)
    return Contest(
        name=f"timing-clip-{size[1]}",
        title=f"Cuts and curves of a clip, {size[0]}x{size[1]}",
        work=f"all frames of a {seconds:g} s clip at 30 fps decoded, for nobody and for what finds cuts and curves",
        ours="looked at",
        candidates={"looked at": partial(_looked_at, clip), "decoded": partial(_decoded, clip)},
        media_s=seconds,
    )


def _film(inputs: Inputs, size: tuple[int, int]) -> Contest:
    """A film of more than 30 s, measured as it is in the background after its list, against one full decode."""
    seconds = 3.0 if inputs.short else 40.0
    clip = inputs.video("phone", seconds=seconds, size=size)
    return Contest(
        name=f"timing-film-{size[1]}",
        title=f"Cuts and curves of a film of over 30 s, {size[0]}x{size[1]}",
        work=f"a {seconds:g} s film at 30 fps measured after its list, and one full decode of it for nobody",
        ours="measured",
        candidates={"measured": partial(_looked_at, clip), "decoded": partial(_decoded, clip)},
        media_s=seconds,
        aims=(Aim(text="at most one full decode's CPU", against="decoded", cpu_ratio_at_most=1.0),),
    )


def _listed(inputs: Inputs, seconds: float) -> Contest:
    """What a list needs of a clip, with cuts and curves, as the first version did it, and without."""
    size = (320, 180) if inputs.short else (640, 360)
    clip = inputs.video("phone", seconds=seconds, size=size)
    return Contest(
        name=f"timing-listed-{seconds:g}",
        title=f"A clip of {seconds:g} s looked at for a list, {size[0]}x{size[1]}",
        work="features of the default system: with cuts and curves of all frames on the way; by the first version, "
        "which knew none; and alone, where frames between the windows of a clip over 15 s are skipped",
        ours="with curves",
        candidates={
            "with curves": partial(_embedded, clip, True),
            _FIRST: lambda: steps_of(build_before(BEFORE), "look", 0, clip),
            "alone": partial(_embedded, clip, False),
        },
        media_s=seconds,
        aims=(Aim(text="at most 1.05 of the first version's CPU", against=_FIRST, cpu_ratio_at_most=1.05),),
    )


def _embedded(clip: Path, curves: bool) -> Work:
    from mvr.config.paths import DEFAULT_SYSTEM
    from mvr.datatypes import Modality
    from mvr.embeddings.system import load_system
    from mvr.media.watching import watching
    from mvr.signal.picture import Watcher
    from mvr.timing.film import film_timing

    system = load_system(DEFAULT_SYSTEM)

    def alone() -> dict[str, Any]:
        return {"segments": len(system.features_of_file(clip, Modality.VIDEO).segments)}

    def work() -> dict[str, Any]:
        watcher = Watcher()
        with watching(watcher.see):
            found = alone()
        return found | {"cuts": len(film_timing(watcher.changes()).cuts_s)}

    return work if curves else alone


def _looked_at(clip: Path) -> Work:
    from mvr.timing.film import measure_film_file

    return lambda: {"cuts": len(measure_film_file(clip).cuts_s)}


def _decoded(clip: Path) -> Work:
    from mvr.media.container import open_media
    from mvr.media.frames import open_picture, times_of
    from mvr.media.limits import DEFAULT_LIMITS

    def work() -> dict[str, Any]:
        with open_media(clip, DEFAULT_LIMITS) as media:
            return {"frames": sum(1 for _ in times_of(media, open_picture(media)))}

    return work


def _music(seconds: float) -> Contest:
    def derive(rows: Mapping[str, dict[str, Any]]) -> Mapping[str, dict[str, Any]]:
        return {
            name: {"CPU s per minute": round(60 * row["cpu_s"]["min"] / seconds, 3)}
            for name, row in rows.items()
        }

    return Contest(
        name=f"timing-music-{seconds:g}",
        title=f"Tempo, beats, bars and curves of {seconds:g} s of music",
        work=f"{seconds:g} s of a drum pattern with chords, in memory; librosa finds tempo and beats alone",
        ours="mvr",
        candidates={"mvr": partial(_measured, seconds), "librosa": partial(_librosa, seconds)},
        media_s=seconds,
        aims=(
            Aim(text=f"at most 0.25 CPU s a minute, {seconds / 240:g} in all", cpu_s_at_most=seconds / 240),
        ),
        derive=derive,
    )


def _measured(seconds: float) -> Work:
    from mvr.timing.music import measure_music

    samples = song(seconds)

    def work() -> dict[str, Any]:
        found = measure_music(samples)
        return {"tempo": round(found.tempo_bpm or 0.0, 1), "beats": len(found.beats_s)}

    return work


def _librosa(seconds: float) -> Work:
    from librosa.beat import beat_track

    from mvr.signal.spectrum import SAMPLE_RATE_HZ

    samples = song(seconds)

    def work() -> dict[str, Any]:
        tempo, beats = beat_track(y=samples, sr=SAMPLE_RATE_HZ)
        return {"tempo": round(float(np.atleast_1d(tempo)[0]), 1), "beats": len(beats)}

    return work


def _alignment(seconds: float) -> Contest:
    """One clip over one track that is ready to be slid, against the same correlation as a loop over all starts."""
    return Contest(
        name=f"timing-alignment-{seconds:g}",
        title=f"One alignment of a {seconds:g} s clip over a track of 3 minutes",
        work=f"{_TIMES} times the scores of all starts of a track whose spectra are known",
        ours="mvr",
        candidates={
            "mvr": partial(_slid, seconds),
            "one of the five scores, a loop over starts": partial(_looped, seconds),
        },
        aims=(Aim(text=f"at most 1 ms each, {_TIMES / 1000:g} s in all", cpu_s_at_most=_TIMES / 1000),),
        derive=lambda rows: {
            name: {"ms each": round(1000 * row["cpu_s"]["min"] / row["facts"]["times"], 3)}
            for name, row in rows.items()
        },
    )


def _slid(seconds: float) -> Work:
    from mvr.timing.placing.sliding import Slide

    clip = film(seconds)
    slide = Slide([track(0)], len(clip.energy))

    def work() -> dict[str, Any]:
        for _ in range(_TIMES):
            found = slide.starts(clip)
        return {"times": _TIMES, "starts": int(found.counts[0])}

    return work


def _looped(seconds: float) -> Work:
    """Energy against loudness, one of the five scores alone, start by start."""
    energy, loudness = film(seconds).energy, track(0).loudness_db
    bins = len(energy)

    def work() -> dict[str, Any]:
        scores = [
            float(np.dot(energy, loudness[first : first + bins])) / bins
            for first in range(0, len(loudness) - bins + 1, 2)
        ]
        return {"times": 1, "starts": len(scores)}

    return work


def _list(tracks: int) -> Contest:
    """Placing a list, with the random cuts that are said beside it, and without."""
    most_s = {50: 0.1, 1000: 0.5}.get(tracks)
    return Contest(
        name=f"timing-list-{tracks}",
        title=f"Placing {tracks} tracks of 3 minutes",
        work=f"the best starts of {tracks} measured tracks under a clip of {_CLIP_S:g} s with 12 cuts",
        ours="mvr",
        candidates={"mvr": partial(_placed, tracks, 3), "without random cuts": partial(_placed, tracks, 0)},
        aims=() if most_s is None else (Aim(text=f"at most {most_s:g} CPU s", cpu_s_at_most=most_s),),
        derive=lambda rows: {
            name: {"ms a track": round(1000 * row["cpu_s"]["min"] / tracks, 3)} for name, row in rows.items()
        },
    )


def _placed(tracks: int, draws: int) -> Work:
    from mvr.timing.placing.places import place_tracks

    clip, music = film(_CLIP_S), [track(seed) for seed in range(tracks)]
    parts = [(10.0 * (seed % 12), 10.0 * (seed % 12) + 10) for seed in range(tracks)]
    return lambda: {"placed": len(place_tracks(clip, music, parts, draws=draws))}


def song(seconds: float) -> FloatArray:
    """Drums at 118 bpm over chords that change every bar, with noise."""
    from mvr.signal.spectrum import SAMPLE_RATE_HZ

    rng = np.random.default_rng(SEED)
    time = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    beat = time * 118 / 60
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-12 * (beat % 1)) * (1 + (beat % 4 < 1))
    hat = rng.standard_normal(len(time)) * np.exp(-30 * (2 * beat % 1))
    pitch = 220 * 2 ** (np.array([0, 5, 7, 3])[(beat // 4).astype(int) % 4] / 12)
    chords = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ)
    sound: FloatArray = (0.3 * kick + 0.1 * hat + 0.1 * chords).astype(np.float32)
    return sound


def track(seed: int, seconds: float = _TRACK_S) -> MusicTiming:
    """Curves and beats of a track as they would have been measured."""
    from mvr.signal.curves import FINE, bins_of
    from mvr.timing.music import MusicTiming

    rng, bins = np.random.default_rng([SEED, seed]), bins_of(seconds)
    beats = np.arange(0.2, seconds, 60 / rng.uniform(70, 170))
    return MusicTiming(
        duration_s=seconds, tempo_bpm=float(60 / (beats[1] - beats[0])), bar_beats=4, beats_s=beats,
        downbeats_s=beats[::4], sections_s=np.array([0.0, 60.0]), hits_s=beats[40:41], end_s=seconds, ending_s=None,
        loudness_db=rng.normal(-20, 4, bins).astype(np.float32), onset=rng.random(bins).astype(np.float32),
        novelty=rng.random((3, bins)).astype(np.float32), strokes=rng.random(FINE * bins).astype(np.float32),
    )  # fmt: skip


def film(seconds: float) -> FilmTiming:
    """Curves and twelve cuts of a clip as they would have been measured."""
    from mvr.signal.curves import FINE, bins_of
    from mvr.timing.film import FilmTiming

    rng, bins = np.random.default_rng(SEED), bins_of(seconds)
    return FilmTiming(
        duration_s=seconds, cuts_s=np.sort(rng.uniform(0, seconds, 12)), fades_s=(), flashes_s=np.zeros(0),
        energy=rng.random(bins).astype(np.float32), novelty=rng.random((3, bins)).astype(np.float32),
        motion=rng.random(FINE * bins).astype(np.float32),
    )  # fmt: skip
