"""Fitting a file: the plan of a track for a clip's length, and the fitted music as sound or as a file."""

from __future__ import annotations

from pathlib import Path

from mvr.datatypes import FloatArray
from mvr.errors import NoSound
from mvr.signal.rhythm.hearing import hear
from mvr.signal.spectrum import FFT_SIZE, SAMPLE_RATE_HZ
from mvr.timing.fitting.joins import find_joins
from mvr.timing.fitting.paths import FitWish, plan_fit
from mvr.timing.fitting.plan import FitPlan
from mvr.timing.fitting.rendering import render_fit
from mvr.timing.music import measure_heard


def plan_file(track: Path | str, wish: FitWish) -> FitPlan:
    """How a track is cut to a length.

    Raises:
        MediaError: it cannot be read. NoSound: it is silent, or no longer than a click. UsageError: it ends before the
            wished start.
    """
    from mvr.media.probe import probe
    from mvr.media.sound import read_sound

    probe(
        track, needs=("sound",)
    )  # what is too long says so in its header; twenty minutes would be decoded first
    samples = read_sound(track, SAMPLE_RATE_HZ)
    if len(samples) < FFT_SIZE:
        raise NoSound(
            f"{Path(track).name}: the track is {1000 * len(samples) / SAMPLE_RATE_HZ:.0f} ms long; choose a longer one"
        )
    heard = hear(samples)
    music = measure_heard(heard, len(samples) / SAMPLE_RATE_HZ)
    if heard is None or music.end_s == 0:
        raise NoSound(f"{Path(track).name}: the track is silent; choose another one")
    return plan_fit(music, find_joins(heard, music.downbeats_s, music.end_s), wish)


def fitted_sound(track: Path | str, plan: FitPlan) -> FloatArray:
    """The fitted music at 48 kHz, (round(length_s * 48,000), 2).

    Raises:
        MediaError: the track cannot be read. NoSound: what the plan takes of it is silent.
    """
    from mvr.media.loudness import RATE_HZ
    from mvr.media.sound import read_stereo
    from mvr.media.soundtrack import is_heard, workable

    fitted = render_fit(workable(read_stereo(track, RATE_HZ), track), plan, RATE_HZ)
    if not is_heard(fitted):
        silent_s = plan.pieces[0].source_start_s
        raise NoSound(
            f"{Path(track).name}: the track is silent from {silent_s:.1f} s on for as long as the clip; choose "
            "another start"
        )
    return fitted


def write_fit(track: Path | str, plan: FitPlan, out: Path, loudness_lufs: float = -16.0) -> None:
    """Write the fitted music as 24-bit WAV at 48 kHz; it appears only when it is complete.

    Raises:
        MediaError: the track cannot be read, or the file not be written.
    """
    from mvr.config.outputs import written_whole
    from mvr.media.soundtrack import MuxSettings, write_sound

    sound = fitted_sound(track, plan)
    with written_whole(out) as part:
        write_sound(sound, part, MuxSettings(loudness_lufs=loudness_lufs))
