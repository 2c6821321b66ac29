"""What every importer returns: two matrices and a manifest, row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mvr.datatypes import JsonDict
from mvr.errors import WrongShape


@dataclass(frozen=True, kw_only=True)
class PairedFeatures:
    """Features of N video-music pairs.

    Attributes:
        video: (N, Dv) float16 or float32.
        audio: (N, Da) float16 or float32.
        manifest: N rows; `id`, `split`, `group` strings and one list-of-strings column per taxonomy.
        meta: where they come from, for the store's meta.json.
        notes: sentences on rows that were left out, for the user.
    """

    video: npt.NDArray[np.floating[Any]]
    audio: npt.NDArray[np.floating[Any]]
    manifest: pa.Table
    meta: JsonDict
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        rows = (len(self.video), len(self.audio), self.manifest.num_rows)
        if len(set(rows)) != 1:
            raise WrongShape(
                f"the video matrix has {rows[0]} rows, the audio matrix {rows[1]} and the manifest {rows[2]}; "
                "they must be equal, row i of each is pair i"
            )
