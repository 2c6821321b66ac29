"""What is measured of one clip, once: the costly part of building, done in parallel and kept on disk."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.config.digest import content_hash
from mvr.datasets.svm10k.picture import HASH_FRAMES, motion, picture_hashes
from mvr.datatypes import FloatArray
from mvr.errors import MediaError, NoPicture, NoSound
from mvr.media.borders import crop, detect_borders
from mvr.media.fingerprint import SAMPLE_RATE_HZ as FINGERPRINT_RATE_HZ
from mvr.media.fingerprint import Fingerprint, fingerprint_of
from mvr.media.frames import sample_frames
from mvr.media.limits import MediaLimits
from mvr.media.loudness import loudness_of
from mvr.media.probe import MediaInfo, probe
from mvr.media.sound import SoundWish, read_sounds
from mvr.signal.rhythm.hearing import estimate_tempo
from mvr.signal.soundscape import SAMPLE_RATE_HZ, noise_estimate, speech_share
from mvr.signal.spectrum import SAMPLE_RATE_HZ as TEMPO_RATE_HZ

VERSION = 4  # raise when a measurement changes: kept inspections of another version are made again
_BULK = MediaLimits(threads=1, timeout_s=120)


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Measurements of a readable clip with picture and sound; units as in `schema.COLUMNS`."""

    duration_s: float
    width_px: int
    height_px: int
    borders: tuple[int, int, int, int]
    motion: float
    speech_share: float
    noise: float
    loudness_lufs: float | None
    tempo_bpm: float | None


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """Result for one clip: either `measures` with its signatures, or `fault` (a key of `filters.REASONS`) and
    `error`, one sentence."""

    sha256: str
    fault: str | None = None
    error: str | None = None
    measures: Measures | None = None
    hashes: np.ndarray | None = None
    sound: Fingerprint | None = None

    @property
    def id(self) -> str:
        """First 16 digits of the content hash."""
        return self.sha256[:16]


def inspect_clip(path: Path, folder: Path) -> Inspection:
    """Measure a clip, or read what was measured before: files in `folder` are named by content, written whole."""
    sha256 = content_hash(path)
    kept = folder / f"{sha256}.v{VERSION}.npz"
    if kept.exists():
        return _load(kept, sha256)
    try:
        inspection = _measure(path, sha256)
    except MediaError as error:
        faults: dict[type[MediaError], str] = {NoSound: "no sound", NoPicture: "no picture"}
        fault, reason = faults.get(type(error), "unreadable"), str(error).removeprefix(f"{path.name}: ")
        inspection = Inspection(sha256=sha256, fault=fault, error=reason)
    _save(kept, inspection)
    return inspection


def _measure(path: Path, sha256: str) -> Inspection:
    info = probe(path, _BULK, needs=("picture", "sound"))
    assert info.video is not None
    frames = sample_frames(path, count=2 * HASH_FRAMES, max_side_px=360, limits=_BULK)
    box = detect_borders(frames.images)
    inner = crop(frames.images, box)
    rates_hz = (SAMPLE_RATE_HZ, FINGERPRINT_RATE_HZ, TEMPO_RATE_HZ)
    wishes = [SoundWish(sample_rate_hz=rate_hz) for rate_hz in rates_hz]
    samples, low, rhythmic = (sound[:, 0] for sound in read_sounds(path, wishes, _BULK))
    return Inspection(
        sha256=sha256,
        measures=Measures(
            duration_s=info.duration_s,
            width_px=info.video.width_px,
            height_px=info.video.height_px,
            borders=_full_size(box, frames.images.shape, info),
            motion=motion(inner),
            speech_share=speech_share(samples),
            noise=noise_estimate(samples),
            loudness_lufs=loudness_of(samples, SAMPLE_RATE_HZ).integrated_lufs,
            tempo_bpm=_tempo(rhythmic),
        ),
        hashes=picture_hashes(inner[::2]),
        sound=fingerprint_of(low),
    )


def _full_size(box: object, shape: tuple[int, ...], info: MediaInfo) -> tuple[int, int, int, int]:
    """The box in pixels of the displayed picture, from one found on a scaled copy."""
    assert info.video is not None
    across, down = info.video.width_px / shape[2], info.video.height_px / shape[1]
    left, top, right, bottom = (getattr(box, side) for side in ("left", "top", "right", "bottom"))
    return round(left * across), round(top * down), round(right * across), round(bottom * down)


def _tempo(samples: FloatArray) -> float | None:
    """The tempo that the library shows, too; None without a rhythm or under two seconds."""
    if len(samples) < 2 * TEMPO_RATE_HZ:
        return None
    return estimate_tempo(samples)


def _save(kept: Path, inspection: Inspection) -> None:
    plain = {
        "fault": inspection.fault,
        "error": inspection.error,
        "measures": dataclasses.asdict(inspection.measures) if inspection.measures else None,
    }
    arrays: dict[str, np.ndarray] = {"plain": np.frombuffer(json.dumps(plain).encode(), np.uint8)}
    if inspection.hashes is not None and inspection.sound is not None:
        arrays |= {
            "hashes": inspection.hashes,
            "chroma": inspection.sound.chroma,
            "onset": inspection.sound.onset,
        }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    part = kept.with_name(f".{kept.name}.{os.getpid()}")
    part.write_bytes(buffer.getvalue())
    part.replace(kept)


def _load(kept: Path, sha256: str) -> Inspection:
    with np.load(kept, allow_pickle=False) as arrays:
        plain = json.loads(arrays["plain"].tobytes())
        if plain["measures"] is None:
            return Inspection(sha256=sha256, fault=plain["fault"], error=plain["error"])
        borders = tuple(plain["measures"].pop("borders"))
        return Inspection(
            sha256=sha256,
            measures=Measures(borders=borders, **plain["measures"]),
            hashes=arrays["hashes"],
            sound=Fingerprint(chroma=arrays["chroma"], onset=arrays["onset"]),
        )
