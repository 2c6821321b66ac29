"""Composing the sound of a clip: music fitted to a length, the clip's own sound muted, mixed or in front of it.

Sound is composed in blocks that are written and measured as they come, so that ten minutes are held once and not three
times; the tests compare with moviepy's composition. Levels follow EBU R128. What is written is measured on the written
file, because encoding moves peaks.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mvr.datatypes import Original
from mvr.errors import NoSound, UsageError
from mvr.media.channels import FloatSamples
from mvr.media.fades import CROSSFADE_S, FADE_S, fade_out_s, faint_end_s
from mvr.media.ffmpeg import run_ffmpeg
from mvr.media.limits import DEFAULT_LIMITS, MediaLimits
from mvr.media.loudness import RATE_HZ, Loudness, LoudnessMeter, loudness_of, measure_loudness
from mvr.media.sound import read_stereo

_MAX_ORIGINAL_GAIN_DB = 12.0  # a quiet room is not blown up to the level of speech
_SILENT = 1e-3  # -60 dBFS: a fade-out's tail, which a loop leaves out
_NOTHING = 1e-4  # -80 dBFS: the last bit of 16, and its dither
_FAINT = 0.05  # -26 dBFS: a recorder without gain; lifted first, for the gates of R128 are absolute
_OFFSET = 0.01  # -40 dBFS: a constant in all samples is not heard, and takes the room of what is
_EDGE = RATE_HZ // 20  # where a constant begins and ends it rings
_BLOCK = RATE_HZ * 10
_TOLERANCE_LU = 0.3
_ROUNDS = 6
_WORTH = 0.3  # of what more gain should bring; where peaks forbid more it brings distortion
_AAC_OUTPUT = ("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart", "-f", "mp4")
WAV_OUTPUT = ("-c:a", "pcm_s24le", "-f", "wav")


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
    crossfade_s: float = CROSSFADE_S
    fade_s: float = FADE_S
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


def read_music(
    path: Path | str, length: int, start_s: float = 0.0, limits: MediaLimits = DEFAULT_LIMITS
) -> tuple[FloatSamples, float]:
    """As much of a track as a clip needs, at a level that can be worked with.

    Args:
        path: any file with sound.
        length: samples at 48 kHz that are wanted.
        start_s: from here on.
        limits: what the file may cost.

    Returns:
        (m, 2) at 48 kHz and the second of the track where it begins: `start_s`, or 0 where the track is too short and
        will start over.

    Raises:
        MediaError: any of its classes. UsageError: the track ends before `start_s`.
        NoSound: nothing is heard in it.
    """
    path = Path(path)
    music = None
    if start_s > 0:  # the common case, and then the rest of the track need not be held
        with contextlib.suppress(UsageError):  # it ends before: the sentence below says how long it is
            music = read_stereo(path, RATE_HZ, start_s=start_s, duration_s=length / RATE_HZ, limits=limits)
    if music is None or len(music) < length:
        start_s, music = 0.0, read_stereo(path, RATE_HZ, limits=limits)
    elif not is_heard(music):
        raise NoSound(
            f"{path.name}: the music is silent from {start_s:g} s on for as long as the clip; choose another start"
        )
    return workable(music, path), start_s


def is_heard(music: FloatSamples) -> bool:
    """Whether anything is heard in a stretch of music."""
    return _peak(without_offset(music)) >= _NOTHING


def workable(music: FloatSamples, path: Path | str) -> FloatSamples:
    """Music (m, 2) as it is, or at a level that can be worked with: without a constant offset, and lifted where a
    recorder left it far below.

    Raises:
        NoSound: nothing is heard in it; the sentence names the file and its level.
    """
    centred = without_offset(music)
    inner = centred if centred is music or len(music) <= 4 * _EDGE else centred[_EDGE:-_EDGE]
    if _peak(inner) < _NOTHING:
        peak = _peak(music)
        level = f"its peak is {20 * math.log10(peak):.0f} dBFS" if peak else "it holds zeros only"
        if centred is not music:
            level = "its level never changes"
        raise NoSound(f"{Path(path).name}: the music is silent, {level}; choose another track")
    peak = _peak(centred)
    return centred if peak >= _FAINT else centred * np.float32(0.5 / peak)


def without_offset(sound: FloatSamples) -> FloatSamples:
    """Sound (m, 2) without a constant in all samples, as cheap sound cards leave; as it is where it has none."""
    offset = np.array([side.mean() for side in sound.T], np.float32)
    return sound - offset if np.abs(offset).max() > _OFFSET else sound


def fit_music(
    music: FloatSamples, length: int, settings: MuxSettings = DEFAULT_MUX, begin_s: float = 0.0
) -> FloatSamples:
    """Music of exactly `length` samples, (length, 2) float32; see `fitted_blocks`."""
    return np.concatenate(list(fitted_blocks(music, length, settings, begin_s)))


def fitted_blocks(
    music: FloatSamples, length: int, settings: MuxSettings = DEFAULT_MUX, begin_s: float = 0.0
) -> Iterator[FloatSamples]:
    """Music of exactly `length` samples: from `start_s` on, started over with crossfades when it is too short.

    Args:
        music: (m, 2) the whole track at 48 kHz, or enough of it from `begin_s` on.
        length: wanted samples.
        settings: start, crossfade and fade.
        begin_s: the second of the track where `music` begins.

    Yields:
        (n, 2) float32, faded out at the end.

    Raises:
        UsageError: the music ends before `start_s`.
        NoSound: the music is silent from `start_s` on.
    """
    first = music[round((settings.start_s - begin_s) * RATE_HZ) :]
    if not len(first):
        raise UsageError(
            f"the music is {begin_s + len(music) / RATE_HZ:.1f} s long; it cannot start at {settings.start_s:g} s"
        )
    if _peak(first[:length]) < _SILENT:
        raise NoSound(f"the music is silent from {settings.start_s:g} s on; choose another start")
    pieces = _placed(first, music, length, settings)
    for begin in range(0, length, _BLOCK):
        end = min(begin + _BLOCK, length)
        block = np.zeros((end - begin, 2), np.float32)
        for piece in pieces:
            piece.add_to(block, begin)
        times = np.arange(begin, end) / RATE_HZ
        block *= _fades(times, length / RATE_HZ, settings)[:, None]
        yield block


@dataclass(frozen=True)
class _Piece:
    """Music at a place, with equal-power fades: straight ones would lower a crossfade by 3 dB."""

    at: int
    samples: FloatSamples
    fade_in: int
    fade_out: int

    def add_to(self, block: FloatSamples, begin: int) -> None:
        """Add what lies in a block that begins at sample `begin`."""
        first, last = max(begin, self.at), min(begin + len(block), self.at + len(self.samples))
        if first >= last:
            return
        inside = np.arange(first - self.at, last - self.at)
        part = self.samples[inside[0] : inside[-1] + 1]
        from_end = len(self.samples) - 1 - inside
        if inside[0] < self.fade_in or from_end[-1] < self.fade_out:
            part = part * (_rise(inside, self.fade_in) * _rise(from_end, self.fade_out))[:, None]
        block[first - begin : last - begin] += part


def _rise(places: npt.NDArray[np.intp], length: int) -> FloatSamples:
    """A quarter of a sine over the first `length` places, then 1."""
    phase = np.minimum((places + 0.5) / max(1, length), 1.0)
    rise: FloatSamples = np.sin(0.5 * np.pi * phase).astype(np.float32)
    return rise


def _placed(first: FloatSamples, music: FloatSamples, length: int, settings: MuxSettings) -> list[_Piece]:
    """The music from its start on, and as often again as it takes to fill `length` samples, but for the faintest end of
    the fade-out: a track that is a frame too short would be crossfaded into its own beginning.
    """
    length -= round(faint_end_s(length / RATE_HZ, settings.fade_s) * RATE_HZ)
    if len(first) >= length:
        return [_Piece(0, first, 0, 0)]
    first, again = _without_silent_end(first), _without_silent_end(music)
    placed, end = [(0, first)], len(first)
    overlap = min(round(settings.crossfade_s * RATE_HZ), len(first) // 2, len(again) // 2)
    while end < length:
        placed.append((end - overlap, again))
        end += len(again) - overlap
    return [
        _Piece(at, part, overlap if at else 0, overlap if at + len(part) < length else 0)
        for at, part in placed
    ]


def _fades(times: npt.NDArray[np.float64], duration_s: float, settings: MuxSettings) -> FloatSamples:
    """Straight fades: out at the end, and in over 30 ms where music starts in the middle, which would click."""
    factor = np.ones(len(times))
    out_s = fade_out_s(duration_s, settings.fade_s)
    if out_s > 1 / RATE_HZ:
        factor = np.clip((duration_s - times) / out_s, 0, 1)
    if settings.start_s > 0:
        factor = factor * np.minimum(times / min(0.03, duration_s / 4), 1)
    return factor.astype(np.float32)


def compose(
    music: FloatSamples, original: FloatSamples | None, length: int, settings: MuxSettings = DEFAULT_MUX
) -> FloatSamples:
    """The sound of a clip, (length, 2) float32 at 48 kHz, not normalised yet; see `composed_blocks`."""
    return np.concatenate(list(composed_blocks(music, original, length, settings)))


def composed_blocks(
    music: FloatSamples,
    original: FloatSamples | None,
    length: int,
    settings: MuxSettings = DEFAULT_MUX,
    begin_s: float = 0.0,
) -> Iterator[FloatSamples]:
    """The sound of a clip in blocks (n, 2), not normalised yet.

    Args:
        music: (m, 2) the track at 48 kHz.
        original: (k, 2) the clip's own sound at 48 kHz; None or silence: there is nothing to mix with.
        length: wanted samples.
        settings: see `MuxSettings`.
        begin_s: second of the track where `music` begins, as `read_music` says.
    """
    fitted = fitted_blocks(music, length, settings, begin_s)
    loudness = None if original is None else loudness_of(original, RATE_HZ).integrated_lufs
    if settings.original == Original.MUTE or original is None or loudness is None:
        yield from fitted
        return
    own_db = own_gain_db(loudness, settings)
    music_db = settings.loudness_lufs - _loudness_lufs(fitted, settings.loudness_lufs)
    if settings.original == Original.DUCK:
        gain_db = music_db + duck_curve(original, length, loudness, settings.duck_db)
    else:
        gain_db = np.full(length, music_db + settings.mix_music_db, np.float32)
    own_gain, at = np.float32(10 ** (own_db / 20)), 0
    for block in fitted_blocks(music, length, settings, begin_s):
        block *= (10 ** (gain_db[at : at + len(block)] / 20)).astype(np.float32)[:, None]
        own = original[at : at + len(block)]
        block[: len(own)] += own * own_gain
        yield block
        at += len(block)


def _loudness_lufs(blocks: Iterable[FloatSamples], otherwise: float) -> float:
    meter = LoudnessMeter()
    for block in blocks:
        meter.push(block)
    found = meter.result().integrated_lufs
    return otherwise if found is None else found


def own_gain_db(loudness_lufs: float, settings: MuxSettings = DEFAULT_MUX) -> float:
    """Gain in dB that brings a clip's own sound of this loudness to the wanted one, within limits."""
    return float(
        np.clip(settings.loudness_lufs - loudness_lufs, -_MAX_ORIGINAL_GAIN_DB, _MAX_ORIGINAL_GAIN_DB)
    )


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
    sound: FloatSamples | Iterable[FloatSamples],
    out: Path,
    settings: MuxSettings = DEFAULT_MUX,
    limits: MediaLimits = DEFAULT_LIMITS,
) -> Loudness:
    """Encode sound at 48 kHz with the loudness and true peak of `settings`: 24-bit WAV by the name's ending, else AAC.

    The written file is measured, and written again with a corrected gain and limit until it is right, or until more
    gain no longer makes it louder: sparse sound (single clicks) may stay quieter than asked for, its peaks forbid more.
    Silence is written as it is.

    Args:
        sound: (n, 2) float32, or blocks of that form one after the other.
        out: the file to write.
        settings: loudness and true peak.
        limits: how long it may take.

    Returns:
        The loudness of the written file.
    """
    with tempfile.TemporaryDirectory(prefix="mvr-") as folder:
        raw = Path(folder) / "sound.f32"
        before = _write_raw([sound] if isinstance(sound, np.ndarray) else sound, raw)
        gain_db = 0.0 if before.integrated_lufs is None else settings.loudness_lufs - before.integrated_lufs
        ceiling_db = settings.true_peak_dbtp - 0.3  # AAC moves peaks: the first guess
        peak_db = -math.inf if before.true_peak_dbtp is None else before.true_peak_dbtp
        missing_lu = math.inf  # by the round before
        for _ in range(_ROUNDS):
            levels = _Levels(gain_db=gain_db, ceiling_db=ceiling_db, limited=peak_db + gain_db > ceiling_db)
            _encode(raw, out, levels, limits)
            written = measure_loudness(out, limits)
            if written.integrated_lufs is None or written.true_peak_dbtp is None:
                return written
            over_db = written.true_peak_dbtp - settings.true_peak_dbtp
            error_lu = settings.loudness_lufs - written.integrated_lufs
            in_vain = error_lu > max(_TOLERANCE_LU, (1 - _WORTH) * missing_lu)
            if over_db <= 0 and (in_vain or abs(error_lu) <= _TOLERANCE_LU):
                return written
            ceiling_db -= over_db + 0.1 if over_db > 0 else 0.0
            gain_db += 0.0 if in_vain else error_lu
            missing_lu = error_lu
        if over_db > 0:  # the limit comes before the loudness
            _encode(raw, out, _Levels(gain_db=gain_db - over_db - 1.0, ceiling_db=ceiling_db - 1.0), limits)
    return measure_loudness(out, limits)


def _write_raw(blocks: Iterable[FloatSamples], raw: Path) -> Loudness:
    """Write blocks as 32-bit float and measure them on the way."""
    meter = LoudnessMeter()
    with raw.open("wb") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block, "<f4").data)
            meter.push(block)
    return meter.result()


@dataclass(frozen=True, kw_only=True)
class _Levels:
    """What is added, and the ceiling of true peaks where there is to be one."""

    gain_db: float
    ceiling_db: float
    limited: bool = True


def _encode(raw: Path, out: Path, levels: _Levels, limits: MediaLimits) -> None:
    chain = f"volume={levels.gain_db:.4f}dB"
    if levels.limited:  # at four times the rate: that is where true peaks are seen
        limit = 10 ** (max(levels.ceiling_db, -24.0) / 20)
        chain += (
            f",aresample=192000,alimiter=limit={limit:.6f}:attack=5:release=100:level=disabled:latency=1"
            ",aresample=48000"
        )
    run_ffmpeg(
        [
            "-f", "f32le", "-ar", str(RATE_HZ), "-ac", "2", "-i", f"file:{raw}", "-af", chain,
            *(WAV_OUTPUT if out.suffix.lower() == ".wav" else _AAC_OUTPUT), f"file:{out.absolute()}",
        ],
        out,
        limits.timeout_s,
    )  # fmt: skip


def _peak(samples: FloatSamples) -> float:
    return max(float(samples.max()), -float(samples.min()))


def _without_silent_end(music: FloatSamples) -> FloatSamples:
    for end in range(len(music), 0, -_BLOCK):  # from the end: mostly the last block is enough
        begin = max(0, end - _BLOCK)
        heard = np.flatnonzero(np.abs(music[begin:end]).max(axis=1) >= _SILENT)
        if len(heard):
            return music[: begin + heard[-1] + 1]
    return music
