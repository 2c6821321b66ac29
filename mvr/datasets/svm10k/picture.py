"""Whether pictures move, and a hash that near-duplicates share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
HASH_FRAMES = 8


def motion(images: Images) -> float:
    """Mean absolute change of grey levels between neighbouring sampled frames, 0 to 255; 0 for one frame."""
    if len(images) < 2:
        return 0.0
    grey = images.mean(axis=3)
    return float(np.abs(np.diff(grey, axis=0)).mean())


def picture_hashes(images: Images) -> npt.NDArray[np.bool_]:
    """(N, 64) perceptual hashes: the lowest 8 x 8 cosine coefficients of a 32 x 32 grey picture against their median.

    After Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010 (DCT hash).
    """
    from PIL import Image
    from scipy.fft import dctn

    small = np.stack(
        [np.asarray(Image.fromarray(i).convert("L").resize((32, 32)), np.float32) for i in images]
    )
    low = dctn(small, axes=(1, 2))[:, :8, :8].reshape(len(images), 64)
    bits: npt.NDArray[np.bool_] = low > np.median(low[:, 1:], axis=1, keepdims=True)
    bits[:, 0] = False  # the mean brightness is no content
    return bits


def hash_distance(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    """Mean number of differing bits of two clips' hashes, frame by frame."""
    return float((a != b).sum(axis=1).mean())
