"""Zero-shot by words: what a text tower's prompts find in a picture and in a sound, joined by learned profiles.

Before any head is trained, a picture is described by its cosines with prompts for the concepts of a bridge ("a photo
of a dog"), a sound by its cosines with prompts for the tags ("sad music"); the profiles of the bridge say which tags
go with which concepts. No statistics of clips are at hand in these spaces: what all prompts have in common is taken
off, and each row is standardised over its prompts, so something always stands out, and words need more to be shown.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray, JsonDict, Modality
from mvr.errors import WrongShape
from mvr.heads.bridge import BridgeTables, ProfilesHead
from mvr.heads.rows import check_rows, unit_length

LEAST_SEEN, LEAST_HEARD = 2.0, 1.0  # of 79 and 45 standardised cosines some exceed 1 and .5 by chance


@dataclass(frozen=True, kw_only=True)
class PromptTables(BridgeTables):
    """A bridge's tables behind two text towers.

    Attributes:
        picture_prompts: (C, V) a unit-length vector per concept, in the space of the picture features.
        sound_prompts: (T, A) the same per tag, in the space of the sound features.
    """

    picture_prompts: FloatArray
    sound_prompts: FloatArray
    least_seen: float = LEAST_SEEN
    least_heard: float = LEAST_HEARD

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted = {"picture_prompts": len(self.concepts), "sound_prompts": len(self.tags)}
        for name, count in wanted.items():
            found = getattr(self, name).shape
            if len(found) != 2 or found[0] != count:
                raise WrongShape(f"{name} have shape {found}, expected ({count}, D)")

    def seen(self, features: FloatArray) -> FloatArray:
        """How far each concept stands out among the concepts: (N, V) -> (N, C), deviations."""
        check_rows(features, self.picture_prompts.shape[1], Modality.VIDEO)
        return _standing_out(features, self.picture_prompts)

    def heard(self, features: FloatArray) -> FloatArray:
        """How far each tag stands out among the tags: (N, A) -> (N, T), deviations."""
        check_rows(features, self.sound_prompts.shape[1], Modality.AUDIO)
        return _standing_out(features, self.sound_prompts)


def _standing_out(features: FloatArray, prompts: FloatArray) -> FloatArray:
    """Cosines (N, P) with prompts less what these share, standardised per row."""
    cosines = unit_length(features.astype(np.float32)) @ (prompts - prompts.mean(axis=0)).T
    centred = cosines - cosines.mean(axis=1, keepdims=True)
    found: FloatArray = centred / np.maximum(cosines.std(axis=1, keepdims=True), np.float32(1e-9))
    return found


def tables_of_prompts(bridge: BridgeTables, picture: FloatArray, sound: FloatArray) -> PromptTables:
    """A bridge's profiles behind prompts (C, V) and (T, A); a clip that shows all alike asks for nothing."""
    kept = {field.name: getattr(bridge, field.name) for field in dataclasses.fields(BridgeTables)}
    kept["mixture_base"] = bridge.mixture.mean(axis=0)
    return PromptTables(**kept, picture_prompts=picture, sound_prompts=sound)


class WordsHead(ProfilesHead):
    """A clip as the tags it asks for, a track as its tags, both by prompts; see `PromptTables`.

    Args:
        tables: see there.
        prompts: the hash under which the prompt vectors are kept.
    """

    kind = "words"
    tables: PromptTables

    def __init__(self, tables: PromptTables, prompts: str) -> None:
        super().__init__(tables)
        self.video_dim, self.audio_dim = tables.picture_prompts.shape[1], tables.sound_prompts.shape[1]
        self._prompts = prompts

    @property
    def settings(self) -> JsonDict:
        """As of a bridge, and which prompts."""
        return {**super().settings, "prompts": self._prompts}
