"""Composing the sound of a clip: music fitted to a length, the clip's own sound muted, mixed or in front of it.

Composition is moviepy's (placed clips, fades as effects); levels follow EBU R128. What is written is measured on
the written file, because encoding moves peaks.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mvr.datatypes import StrEnum
from mvr.errors import NoSound, UsageError
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.loudness import RATE_HZ, Loudness, loudness_of, measure_loudness
from mvr.media.sound import FloatSamples

if TYPE_CHECKING:
    from moviepy import AudioClip

_MAX_ORIGINAL_GAIN_DB = 12.0  # a quiet room is not blown up to the level of speech
_SILENT = 1e-3  # -60 dBFS: a fade-out's tail, which a loop leaves out
_TOLERANCE_LU = 0.3
_ROUNDS = 6
_AAC_OUTPUT = ("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4")
WAV_OUTPUT = ("-c:a", "pcm_s24le", "-f", "wav")


class Original(StrEnum):
    """What becomes of the clip's own sound."""

    MUTE = "mute"
    MIX = "mix"
    DUCK = "duck"


@dataclass(frozen=True, kw_only=True)
class MuxSettings:
    """How music is put on a clip.

    Attributes:
        start_s: where in the music to begin.
        original: the clip's own sound: muted, mixed with the music, or in front of it (the music ducks).
        loudness_lufs: integrated loudness of the result (EBU R128).
        true_peak_dbtp: highest true peak of the result.
        crossfade_s: overlap where music shorter than the clip starts over.
        fade_s: fade-out at the end (at most a quarter of the clip).
        mix_music_db: level of the music relative to the clip's own sound when mixed.
        duck_db: level of the music while the clip's own sound is heard.
    """

    start_s: float = 0.0
    original: Original | str = Original.MUTE
    loudness_lufs: float = -16.0
    true_peak_dbtp: float = -1.5
    crossfade_s: float = 2.0
    fade_s: float = 2.0
    mix_music_db: float = -6.0
    duck_db: float = -14.0

    def __post_init__(self) -> None:
        if self.original not in list(Original):
            raise UsageError(f"unknown original {self.original!r}; choose from {', '.join(Original)}")
        if not all(np.isfinite(x) and x >= 0 for x in (self.start_s, self.crossfade_s, self.fade_s)):
            raise UsageError("start_s, crossfade_s and fade_s must be finite and not negative")
        if not -70 < self.loudness_lufs < 0 or not -20 <= self.true_peak_dbtp <= 0:
            raise UsageError("loudness_lufs must be between -70 and 0, true_peak_dbtp between -20 and 0")


DEFAULT_MUX = MuxSettings()


def fit_music(music: FloatSamples, length: int, settings: MuxSettings = DEFAULT_MUX) -> FloatSamples:
    """Music of exactly `length` samples: from `start_s` on, started over with crossfades when it is too short.

    Args:
        music: (m, 2) the whole track at 48 kHz.
        length: wanted samples.
        settings: start, crossfade and fade.

    Returns:
        (length, 2) float32, faded out at the end.

    Raises:
        UsageError: the music ends before `start_s`.
        NoSound: the music is silent from `start_s` on.
    """
    from moviepy import CompositeAudioClip

    first = music[round(settings.start_s * RATE_HZ) :]
    if not len(first):
        raise UsageError(
            f"the music is {len(music) / RATE_HZ:.1f} s long; it cannot start at {settings.start_s:g} s"
        )
    if np.abs(first).max() < _SILENT:
        raise NoSound(f"the music is silent from {settings.start_s:g} s on")
    if len(first) < length:
        first = _without_silent_end(first)
    placed, end = [(0, first)], len(first)
    again = _without_silent_end(music)
    overlap = min(round(settings.crossfade_s * RATE_HZ), len(first) // 2, len(again) // 2)
    while end < length:
        placed.append((end - overlap, again))
        end += len(again) - overlap
    clips = [
        _clip(
            part, fade_in=overlap if at else 0, fade_out=overlap if at + len(part) < length else 0
        ).with_start(at / RATE_HZ)
        for at, part in placed
    ]
    whole = CompositeAudioClip(clips).with_duration(length / RATE_HZ)
    return _samples(_faded(whole, length, settings), length)


def compose(
    music: FloatSamples, original: FloatSamples | None, length: int, settings: MuxSettings = DEFAULT_MUX
) -> FloatSamples:
    """The sound of a clip, (length, 2) float32 at 48 kHz, not normalised yet.

    Args:
        music: (m, 2) the whole track at 48 kHz.
        original: (k, 2) the clip's own sound at 48 kHz; None or silence: there is nothing to mix with.
        length: wanted samples.
        settings: see `MuxSettings`.
    """
    fitted = fit_music(music, length, settings)
    loudness = None if original is None else loudness_of(original, RATE_HZ).integrated_lufs
    if settings.original == Original.MUTE or original is None or loudness is None:
        return fitted
    from moviepy import CompositeAudioClip

    own_db = float(np.clip(settings.loudness_lufs - loudness, -_MAX_ORIGINAL_GAIN_DB, _MAX_ORIGINAL_GAIN_DB))
    music_lufs = loudness_of(fitted, RATE_HZ).integrated_lufs
    music_db = settings.loudness_lufs - (settings.loudness_lufs if music_lufs is None else music_lufs)
    if settings.original == Original.DUCK:
        gain_db = music_db + duck_curve(original, length, loudness, settings.duck_db)
    else:
        gain_db = np.full(length, music_db + settings.mix_music_db, np.float32)
    own = original[:length] * np.float32(10 ** (own_db / 20))
    below = fitted * (10 ** (gain_db / 20)).astype(np.float32)[:, None]
    return _samples(CompositeAudioClip([_clip(below), _clip(own)]).with_duration(length / RATE_HZ), length)


def duck_curve(original: FloatSamples, length: int, loudness_lufs: float, duck_db: float) -> FloatSamples:
    """Gain of the music in dB, (length,): `duck_db` while the clip's own sound is heard, 0 in its pauses.

    Heard means 50 ms blocks within 10 dB of the sound's integrated loudness. The music goes down 0.3 s before
    and comes back 0.5 s after, over a quarter of a second.
    """
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    hop = RATE_HZ // 20
    power = np.zeros(-(-length // hop) * hop, np.float32)
    power[: min(length, len(original))] = np.square(original[:length]).mean(axis=1)
    level_db = 10 * np.log10(power.reshape(-1, hop).mean(axis=1) + 1e-12)
    heard = (level_db > max(loudness_lufs - 10.0, -60.0)).astype(np.float32)
    wide = maximum_filter1d(heard, 17, origin=2)  # from 0.5 s after to 0.3 s before, blocks of 50 ms
    smooth = uniform_filter1d(wide, 5)
    at = (np.arange(len(smooth)) + 0.5) * hop
    curve: FloatSamples = (duck_db * np.interp(np.arange(length), at, smooth)).astype(np.float32)
    return curve


def write_sound(
    samples: FloatSamples,
    out: Path,
    settings: MuxSettings = DEFAULT_MUX,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> Loudness:
    """Encode (n, 2) samples at 48 kHz with the loudness and true peak of `settings`: 24-bit WAV by the name's ending,
    else AAC.

    The written file is measured, and written again with a corrected gain and limit until it is right. Sparse sound
    (single clicks) may stay quieter than asked for: its peaks forbid more. Silence is written as it is.

    Returns:
        The loudness of the written file.
    """
    before = loudness_of(samples, RATE_HZ)
    gain_db = 0.0 if before.integrated_lufs is None else settings.loudness_lufs - before.integrated_lufs
    ceiling_db = settings.true_peak_dbtp - 0.3  # AAC moves peaks: the first guess
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        raw = Path(folder) / "sound.f32"
        np.ascontiguousarray(samples, "<f4").tofile(raw)
        for _ in range(_ROUNDS):
            _encode(raw, out, (gain_db, ceiling_db), limits)
            written = measure_loudness(out, limits)
            if written.integrated_lufs is None or written.true_peak_dbtp is None:
                return written
            over_db = written.true_peak_dbtp - settings.true_peak_dbtp
            error_lu = settings.loudness_lufs - written.integrated_lufs
            if over_db <= 0 and abs(error_lu) <= _TOLERANCE_LU:
                return written
            ceiling_db -= over_db + 0.1 if over_db > 0 else 0.0
            gain_db += error_lu
        if over_db > 0:  # the limit comes before the loudness
            _encode(raw, out, (gain_db - over_db - 1.0, ceiling_db - 1.0), limits)
    return measure_loudness(out, limits)


def _encode(raw: Path, out: Path, levels_db: tuple[float, float], limits: MediaLimits) -> None:
    gain_db, ceiling_db = levels_db
    limit = 10 ** (max(ceiling_db, -24.0) / 20)
    chain = (  # limited at four times the rate: that is where true peaks are seen
        f"volume={gain_db:.4f}dB,aresample=192000,"
        f"alimiter=limit={limit:.6f}:attack=5:release=100:level=disabled:latency=1,aresample=48000"
    )
    run_ffmpeg(
        [
            "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", f"file:{raw}", "-af", chain,
            *(WAV_OUTPUT if out.suffix.lower() == ".wav" else _AAC_OUTPUT), f"file:{out.absolute()}",
        ],
        out,
        limits.timeout_s,
    )  # fmt: skip


def _without_silent_end(music: FloatSamples) -> FloatSamples:
    heard = np.flatnonzero(np.abs(music).max(axis=1) >= _SILENT)
    return music[: heard[-1] + 1] if len(heard) else music


def _clip(samples: FloatSamples, fade_in: int = 0, fade_out: int = 0) -> AudioClip:
    """A moviepy clip with equal-power fades: crossfaded music keeps its level, which straight fades lower by 3 dB."""
    from moviepy.audio.AudioClip import AudioArrayClip

    shaped = samples
    if fade_in or fade_out:
        shaped = samples.copy()
        shaped[:fade_in] *= _rise(fade_in)[:, None]
        shaped[len(shaped) - fade_out :] *= _rise(fade_out)[::-1, None]
    return AudioArrayClip(shaped, fps=RATE_HZ)


def _rise(length: int) -> FloatSamples:
    rise: FloatSamples = np.sin(0.5 * np.pi * (np.arange(length) + 0.5) / max(1, length)).astype(np.float32)
    return rise


def _faded(clip: Any, length: int, settings: MuxSettings) -> AudioClip:
    from moviepy import afx

    out_s = min(settings.fade_s, length / RATE_HZ / 4)
    effects = [afx.AudioFadeOut(out_s)] if out_s > 0 else []
    if settings.start_s > 0:  # music that starts in the middle would click
        effects.append(afx.AudioFadeIn(min(0.03, length / RATE_HZ / 4)))
    return clip.with_effects(effects)


def _samples(clip: Any, length: int) -> FloatSamples:
    parts: list[npt.NDArray[np.float64]] = []
    for begin in range(0, length, RATE_HZ * 30):  # in parts: moviepy computes in double precision
        times = np.arange(begin, min(begin + RATE_HZ * 30, length)) / RATE_HZ
        parts.append(np.asarray(clip.get_frame(times), np.float32))
    return np.concatenate(parts)
