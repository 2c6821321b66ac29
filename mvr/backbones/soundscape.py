"""Is it music at all: share of time with a speaking voice and spectral flatness of the sound, per segment.

No features to compare with: the tags of `audio-tags` are arbitrary for speech and noise, and this says where not to
show them. Measured on the very patch that they are made of (the middle 3 s of a segment).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.audio_tags import PATCH_SAMPLES, piece_of
from mvr.backbones.backbone import check_features
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.signal.soundscape import SAMPLE_RATE_HZ, noise_estimate, speech_share

VERSION = 1  # part of the settings hash: raise it whenever a number changes
MOST_SPEECH, MOST_FLATNESS, LEAST_DBFS = 0.5, 0.2, -60.0
_SILENCE_DBFS = -120.0


@dataclass(frozen=True, kw_only=True)
class SoundscapeOptions:
    """There is nothing to choose."""


class Soundscape:
    """The backbone `soundscape`; a row of `preprocess` is one patch of samples, of `encode` (speech, flatness, dBFS).

    Raises:
        UsageError: an option; it has none.
    """

    name = "soundscape"
    modality = Modality.AUDIO
    dim = 3

    def __init__(self, **options: Any) -> None:
        settings_from(SoundscapeOptions, options)

    @property
    def settings(self) -> JsonDict:
        """What changes the output."""
        return {"version": VERSION}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """Samples (S, n) at 16 kHz of the middle 3 s of each segment; zeros where there is no sound."""
        from mvr.media.sound import read_sound

        begin_s = max(0.0, min(segment.start_s for segment in segments))
        end_s = max(segment.end_s for segment in segments)
        sound = read_sound(path, SAMPLE_RATE_HZ, start_s=begin_s, duration_s=end_s - begin_s)
        middles_s = [(segment.start_s + segment.end_s) / 2 - begin_s for segment in segments]
        return np.stack(
            [piece_of(sound, round(at * SAMPLE_RATE_HZ) - PATCH_SAMPLES // 2) for at in middles_s]
        )

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """(S, 3): share of speech and flatness, 0 to 1, and level in dBFS, -120 for silence."""
        rows = [(speech_share(row), noise_estimate(row), _level_dbfs(row)) for row in batch]
        return check_features(np.array(rows, np.float32).reshape(len(batch), 3), self.name)


def _level_dbfs(samples: FloatArray) -> float:
    rms = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
    return max(_SILENCE_DBFS, 20 * float(np.log10(max(rms, 1e-6))))


def is_music(soundscape: FloatArray) -> bool:
    """Whether a sound with these segments (S, 3) is music: mostly no speech, no noise, not silent."""
    speech, flatness, level_dbfs = np.median(soundscape, axis=0)
    return bool(speech <= MOST_SPEECH and flatness <= MOST_FLATNESS and level_dbfs >= LEAST_DBFS)
