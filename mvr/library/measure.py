"""What is measured of a file when it is added: length, size, tempo, loudness, fingerprint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Modality

if TYPE_CHECKING:  # listing a library decodes nothing
    from mvr.media.fingerprint import Fingerprint
    from mvr.media.probe import MediaInfo

TEMPO_S = 60.0  # length of sound that the tempo is estimated on, from the middle of the track


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Measurements of one file; see `mvr.library.item.Item` for units."""

    duration_s: float
    tempo_bpm: float | None = None
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    width_px: int | None = None
    height_px: int | None = None
    signature: bytes | None = None
    fingerprint: Fingerprint | None = None


def modality_of(info: MediaInfo) -> Modality:
    """A file with a picture is a video; cover art is no picture."""
    return Modality.AUDIO if info.video is None else Modality.VIDEO


def measure(path: Path, info: MediaInfo, modality: Modality) -> Measures:
    """Measure a file that was probed; its sound is decoded once.

    Raises:
        MediaError: it cannot be decoded.
    """
    track = modality is Modality.AUDIO
    heard = _Heard() if info.audio is None else _hear(path, info.duration_s, track)
    return Measures(
        duration_s=info.duration_s,
        tempo_bpm=heard.tempo_bpm,
        loudness_lufs=heard.loudness_lufs,
        true_peak_dbtp=heard.true_peak_dbtp,
        width_px=None if track or info.video is None else info.video.width_px,
        height_px=None if track or info.video is None else info.video.height_px,
        signature=heard.signature,
        fingerprint=heard.fingerprint,
    )


@dataclass(frozen=True, kw_only=True)
class _Heard:
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    tempo_bpm: float | None = None
    signature: bytes | None = None
    fingerprint: Fingerprint | None = None


def _hear(path: Path, duration_s: float, track: bool) -> _Heard:
    from mvr.media import fingerprint
    from mvr.media.loudness import RATE_HZ, LoudnessMeter
    from mvr.media.sound import SoundWish, read_sounds
    from mvr.signal.rhythm.hearing import estimate_tempo
    from mvr.signal.spectrum import SAMPLE_RATE_HZ

    meter = LoudnessMeter()
    wishes = [SoundWish(sample_rate_hz=RATE_HZ, channels="stereo", keep=meter.push)]
    if track:
        start_s = max(0.0, (duration_s - TEMPO_S) / 2)
        wishes += [
            SoundWish(sample_rate_hz=SAMPLE_RATE_HZ, start_s=start_s, duration_s=TEMPO_S),
            SoundWish(sample_rate_hz=fingerprint.SAMPLE_RATE_HZ),
        ]
    _, *mono = read_sounds(path, wishes)
    loudness = meter.result()
    level = _Heard(loudness_lufs=loudness.integrated_lufs, true_peak_dbtp=loudness.true_peak_dbtp)
    if not track:
        return level
    found = fingerprint.fingerprint_of(mono[1][:, 0])
    tempo_bpm = estimate_tempo(mono[0][:, 0])
    return replace(
        level,
        tempo_bpm=None if tempo_bpm is None else round(tempo_bpm, 1),
        signature=fingerprint.signature(found).tobytes(),
        fingerprint=found,
    )
