"""Whether a clip's own sound is music, so that it may compete as `original` with what the systems choose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mvr.backbones.soundscape import LEAST_DBFS, MOST_FLATNESS, MOST_SPEECH, Soundscape, is_music
from mvr.datatypes import Segment
from mvr.page import texts

LOOK_S = 3.0  # one look in so many seconds: what `soundscape` measures at a time


@dataclass(frozen=True, kw_only=True)
class OwnMusic:
    """Estimates of a clip's own sound: share of time with a voice, spectral flatness, level; and the verdict."""

    speech: float
    flatness: float
    level_dbfs: float
    competes: bool

    @classmethod
    def of(cls, clip: Path, duration_s: float) -> OwnMusic:
        """Listen to the whole clip.

        Raises:
            MediaError: its sound cannot be read, or it has none.
        """
        starts = np.arange(0.0, max(duration_s, 0.1), LOOK_S)
        looks = [Segment(start_s=float(at), end_s=min(float(at) + LOOK_S, duration_s)) for at in starts]
        backbone = Soundscape()
        rows = backbone.encode(backbone.preprocess(clip, looks))
        speech, flatness, level_dbfs = np.median(rows, axis=0)
        return cls(
            speech=float(speech),
            flatness=float(flatness),
            level_dbfs=float(level_dbfs),
            competes=is_music(rows),
        )

    def words(self) -> str:
        """One sentence with every estimate and its threshold."""
        told = texts.ORIGINAL_COMPETES if self.competes else texts.ORIGINAL_NO_MUSIC
        return told.format(
            speech=100 * self.speech,
            most_speech=100 * MOST_SPEECH,
            flatness=self.flatness,
            most_flatness=MOST_FLATNESS,
            level=self.level_dbfs,
            least_level=LEAST_DBFS,
        )
