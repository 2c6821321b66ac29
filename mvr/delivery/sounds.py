"""The two sounds of a timeline as files of their own: the fitted music, and what the clip itself sounds like."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from mvr.config.outputs import written_whole
from mvr.delivery.plan import Film, Piece, Sound
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.loudness import RATE_HZ, Loudness
from mvr.media.sound import read_stereo
from mvr.media.soundtrack import WAV_OUTPUT, MuxSettings, fit_music, read_music, write_sound
from mvr.timing.files import fitted_sound


def write_music(
    sound: Sound, film: Film, out: Path, settings: MuxSettings, limits: MediaLimits = DEFAULT_LIMITS
) -> Loudness:
    """Write the music under a clip as WAV: 48 kHz, 24 bit, as long as the picture, at the loudness of `settings`.

    Raises:
        MediaError: the track cannot be read. UsageError: it ends before it should start.
    """
    length = max(1, round(film.length_s * RATE_HZ))
    if sound.plan is not None:
        fitted = fitted_sound(sound.path, sound.plan)[:length]
    else:
        begin: Piece = sound.pieces[0]
        music, begin_s = read_music(sound.path, length, begin.source_start_s, limits)
        fitted = fit_music(music, length, replace(settings, start_s=begin.source_start_s), begin_s)
    with written_whole(out) as part:
        return write_sound(fitted, part, settings, limits)


def write_own_sound(film: Film, out: Path, limits: MediaLimits = DEFAULT_LIMITS) -> None:
    """Write a clip's own sound as WAV: 48 kHz, 24 bit, from the clip's first moment on, at its own level.

    Raises:
        MediaError: it cannot be read. NoSound: the clip has none.
    """
    samples = read_stereo(film.path, RATE_HZ, limits=limits)
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder, written_whole(out) as part:
        raw = Path(folder) / "sound.f32"
        np.ascontiguousarray(samples, "<f4").tofile(raw)
        source = ["-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", f"file:{raw}"]
        run_ffmpeg([*source, *WAV_OUTPUT, f"file:{part.absolute()}"], film.path, limits.timeout_s)
