"""Synthetic rows of the real shape: items of three segments, 2 x 128 unit-length branch vectors, kept as float16.

Every branch lies on 64 latents of its own plus a part that both share, without clusters, and segments of an item are
alike; queries lie off the rows' cloud by a constant, as those of another modality do. A block of items depends on its
number alone, so ten million rows need no place of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mvr.datatypes import FloatArray

BRANCHES, DIM, SEGMENTS, SEED = ("ssl", "genre"), 128, 3, 20261129
BLOCK_ITEMS = 10_000
_LATENTS, _GAP = 64, 0.5


def block(number: int, items: int = BLOCK_ITEMS) -> FloatArray:
    """(items, 3, 2, 128) of one block."""
    rng = np.random.default_rng([SEED, number])
    own = rng.standard_normal((items, 1, 2, _LATENTS), dtype=np.float32)
    moved = rng.standard_normal((items, SEGMENTS, 2, _LATENTS), dtype=np.float32)
    return _unit(0.8 * own + 0.6 * moved, 0.0)


def blocks(rows: int) -> Iterator[FloatArray]:
    """Blocks of items until there are `rows` rows, the last one cut; `rows` is rounded down to whole items."""
    items = rows // SEGMENTS
    for number in range(-(-items // BLOCK_ITEMS)):
        yield block(number)[: items - number * BLOCK_ITEMS]


def queries(count: int, seed: int) -> FloatArray:
    """(count, 2, 128) of the other modality."""
    latents = np.random.default_rng([SEED, 1, seed]).standard_normal((count, 2, _LATENTS), dtype=np.float32)
    return _unit(latents, _GAP)


def _unit(latents: FloatArray, gap: float) -> FloatArray:
    shared = np.random.default_rng(SEED)
    mixing = shared.standard_normal((2, _LATENTS, DIM), dtype=np.float32)
    offset = gap * 8 * shared.standard_normal((2, DIM), dtype=np.float32)
    latents = latents.copy()
    latents[..., 1, : _LATENTS // 2] = latents[..., 0, : _LATENTS // 2]  # what both branches hear
    mixing[1, : _LATENTS // 2] = 0.7 * mixing[0, : _LATENTS // 2] + 0.7 * mixing[1, : _LATENTS // 2]
    mixed = np.einsum("...bl,bld->...bd", latents, mixing, optimize=True) + offset
    unit: FloatArray = mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)
    return unit
