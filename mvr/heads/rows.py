"""Feature rows on their way into a head: checked, taken block by block, standardised. Numpy alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mvr.datatypes import FloatArray, Modality
from mvr.errors import NotFinite, WrongShape

ENCODE_ROWS = 4096  # rows per forward pass of `encode_*`: bounds the memory of the hidden layers
CLIP_DEVIATIONS = 10.0


def check_rows(features: npt.NDArray[np.floating], width: int, modality: Modality) -> None:
    """Refuse features that are not (N, width) finite numbers; width 0 takes any.

    Raises:
        WrongShape: other shapes.
        NotFinite: NaN or infinity.
    """
    if features.ndim != 2 or (width and features.shape[1] != width):
        wanted = f"(N, {width})" if width else "(N, D)"
        raise WrongShape(f"this head takes {modality} features of shape {wanted}, not {features.shape}")
    if not np.isfinite(features).all():
        raise NotFinite(f"the {modality} features hold NaN or infinity")


def in_blocks(
    features: npt.NDArray[np.floating], encode: Callable[[FloatArray], FloatArray], empty: FloatArray
) -> FloatArray:
    """Encode rows block by block as float32, so that memory stays bounded whatever N is."""
    blocks = [
        encode(np.ascontiguousarray(features[start : start + ENCODE_ROWS], np.float32))
        for start in range(0, len(features), ENCODE_ROWS)
    ]
    return np.concatenate(blocks) if blocks else empty


class Standardise:
    """(x - mean) / deviation per feature, with statistics of the training rows, clipped to +-`CLIP_DEVIATIONS`.

    Features that never vary in training are switched off: they carry nothing, and a tiny deviation would blow up
    rounding errors. With `unit_rows`, rows are brought to unit length first, which takes away overall loudness or
    contrast.

    Attributes:
        mean, scale: (D,) float32.
    """

    def __init__(self, dim: int, *, unit_rows: bool = False) -> None:
        self.unit_rows = unit_rows
        self.mean, self.scale = np.zeros(dim, np.float32), np.ones(dim, np.float32)

    def fit(self, mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]) -> None:
        """Take over mean and standard deviation (D,) of the training rows (at unit length with `unit_rows`)."""
        self.mean, self.scale = mean.astype(np.float32), scale_of(mean, deviation)

    def __call__(self, features: FloatArray) -> FloatArray:
        """(N, D) raw features -> (N, D) standardised."""
        rows = unit_rows(features) if self.unit_rows else features
        standard: FloatArray = np.clip((rows - self.mean) * self.scale, -CLIP_DEVIATIONS, CLIP_DEVIATIONS)
        return standard


def scale_of(mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]) -> FloatArray:
    """1 / deviation (D,) float32; 0 where a feature does not vary."""
    varies = deviation > 1e-6 * (np.abs(mean) + 1e-6)
    return np.where(varies, 1 / np.maximum(deviation, 1e-12), 0.0).astype(np.float32)


def unit_rows(features: npt.NDArray[np.floating]) -> FloatArray:
    """(N, D) rows at length sqrt(D), so that a feature's mean square is 1."""
    rows: FloatArray = unit_length(features.astype(np.float32)) * np.float32(np.sqrt(features.shape[-1]))
    return rows


def unit_length(vectors: FloatArray) -> FloatArray:
    """(..., D) at unit length; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatArray = vectors / np.maximum(lengths, np.float32(1e-12))
    return unit
