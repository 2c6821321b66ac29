"""What one number of a descriptor means: name, unit, range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mvr.datatypes import FloatArray


@dataclass(frozen=True)
class Dimension:
    """One column of a descriptor matrix.

    Attributes:
        name: unique within its backbone, `group.what`.
        unit: "dB", "Hz (log2)", "1/s", "share", "correlation", ...
        low, high: values outside are set to the nearer bound: a descriptor never leaves its range.
    """

    name: str
    unit: str
    low: float
    high: float


def numbered(name: str, count: int, unit: str, bounds: tuple[float, float]) -> list[Dimension]:
    """`count` dimensions `name.00`, `name.01`, ... of one unit and range."""
    return [Dimension(f"{name}.{i:02d}", unit, *bounds) for i in range(count)]


def clip_to(values: FloatArray, dimensions: Sequence[Dimension]) -> FloatArray:
    """Values (D,) kept inside the ranges of their dimensions, float32; NaN stays NaN and is refused later."""
    assert values.shape == (len(dimensions),), (values.shape, len(dimensions))
    low = np.array([d.low for d in dimensions], np.float32)
    high = np.array([d.high for d in dimensions], np.float32)
    clipped: FloatArray = np.clip(values.astype(np.float32), low, high)
    return clipped
