"""What is measured of a file when it is added: length, size, tempo, loudness, fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mvr.datatypes import Modality

if TYPE_CHECKING:  # listing a library decodes nothing
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


def modality_of(info: MediaInfo) -> Modality:
    """A file with a picture is a video; cover art is no picture."""
    return Modality.AUDIO if info.video is None else Modality.VIDEO


def measure(path: Path, info: MediaInfo, modality: Modality) -> Measures:
    """Measure a file that was probed.

    Raises:
        MediaError: it cannot be decoded.
    """
    from mvr.media.loudness import Loudness, measure_loudness

    loudness = measure_loudness(path) if info.audio is not None else Loudness(None, None)
    track = modality is Modality.AUDIO
    return Measures(
        duration_s=info.duration_s,
        tempo_bpm=_tempo(path, info.duration_s) if track else None,
        loudness_lufs=loudness.integrated_lufs,
        true_peak_dbtp=loudness.true_peak_dbtp,
        width_px=None if track or info.video is None else info.video.width_px,
        height_px=None if track or info.video is None else info.video.height_px,
        signature=_signature(path) if track else None,
    )


def _tempo(path: Path, duration_s: float) -> float:
    from mvr.media.sound import read_sound
    from mvr.signal.spectrum import SAMPLE_RATE_HZ
    from mvr.signal.tempo import estimate_tempo

    start_s = max(0.0, (duration_s - TEMPO_S) / 2)
    return round(estimate_tempo(read_sound(path, SAMPLE_RATE_HZ, start_s=start_s, duration_s=TEMPO_S)), 1)


def _signature(path: Path) -> bytes:
    from mvr.media.fingerprint import fingerprint, signature

    return signature(fingerprint(path)).tobytes()
