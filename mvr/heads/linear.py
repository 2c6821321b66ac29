"""Regularised linear CCA: the baseline that every trained head has to beat (ridge: Vinod 1976).

Both modalities are standardised, their covariances get a ridge, and the singular value decomposition of the
whitened cross-covariance gives directions of maximal correlation. Directions are weighted by correlation **
`power` before rows are brought to unit length: power 0 is plain CCA.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.config.settings import settings_from
from mvr.datatypes import BranchedEmbeddings, FloatArray, JsonDict, Modality
from mvr.errors import DataError
from mvr.heads.head import BothSides
from mvr.heads.rows import Standardise, check_rows, in_blocks, unit_length


@dataclass(frozen=True, kw_only=True)
class CcaSettings:
    """Ridge, as a share of the mean variance per feature, number of directions and their weighting."""

    video_dim: int
    audio_dim: int
    dim: int = 64
    ridge: float = 1.0
    power: float = 1.0


class CcaHead(BothSides):
    """Two linear maps in closed form; one branch, "ssl"."""

    kind = "cca"
    branches: tuple[str, ...] = ("ssl",)

    @classmethod
    def create(cls, **config: Any) -> CcaHead:
        """From keyword settings; an unknown one is an error."""
        return cls(settings_from(CcaSettings, config))

    def __init__(self, settings: CcaSettings) -> None:
        self.cca_settings = settings
        self.video_dim, self.audio_dim, self.dim = settings.video_dim, settings.audio_dim, settings.dim
        widths = {Modality.VIDEO: settings.video_dim, Modality.AUDIO: settings.audio_dim}
        self.standardise = {str(m): Standardise(width) for m, width in widths.items()}
        self.maps: dict[str, FloatArray] = {
            str(m): np.zeros((width, settings.dim), np.float32) for m, width in widths.items()
        }

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""
        return dataclasses.asdict(self.cca_settings)

    def _encode(self, modality: Modality, features: FloatArray) -> BranchedEmbeddings:
        check_rows(features, self.video_dim if modality is Modality.VIDEO else self.audio_dim, modality)
        standardise, matrix = self.standardise[str(modality)], self.maps[str(modality)]
        empty = np.zeros((0, 1, self.dim), np.float32)
        vectors = in_blocks(features, lambda block: unit_length(standardise(block) @ matrix)[:, None], empty)
        return BranchedEmbeddings(vectors=vectors, branches=self.branches)

    def tensors(self) -> dict[str, FloatArray]:
        """Its weights by name, as its file holds them."""
        found: dict[str, FloatArray] = {f"maps.{m}": matrix for m, matrix in self.maps.items()}
        for m, standardise in self.standardise.items():
            found |= {f"standardise.{m}.mean": standardise.mean, f"standardise.{m}.scale": standardise.scale}
        return found

    def load(self, tensors: Mapping[str, FloatArray]) -> None:
        """Take over weights by name.

        Raises:
            ValueError: other names or shapes than `tensors()` has.
        """
        mine = {name: tensor.shape for name, tensor in self.tensors().items()}
        if {name: tensor.shape for name, tensor in tensors.items()} != mine:
            raise ValueError("its weights are not those of the CCA that its settings describe")
        for m in self.maps:
            self.maps[m] = tensors[f"maps.{m}"]
            self.standardise[m].mean = tensors[f"standardise.{m}.mean"]
            self.standardise[m].scale = tensors[f"standardise.{m}.scale"]

    def fit(
        self, video: npt.NDArray[np.floating], audio: npt.NDArray[np.floating]
    ) -> npt.NDArray[np.float64]:
        """Estimate both maps from paired raw features; `standardise` must be fitted before.

        Args:
            video: (N, video_dim) training rows.
            audio: (N, audio_dim) rows of the same items.

        Returns:
            (D,) canonical correlations under the ridge.

        Raises:
            DataError: fewer than two rows, or more directions than features.
        """
        return self.fit_moments(self.moments(video, audio))

    def moments(self, video: npt.NDArray[np.floating], audio: npt.NDArray[np.floating]) -> Moments:
        """Covariances of paired raw features after standardisation; the same for every ridge, width and power.

        Raises:
            DataError: fewer than two rows, or more directions than features.
        """
        settings = self.cca_settings
        if len(video) < 2 or settings.dim > min(settings.video_dim, settings.audio_dim):
            raise DataError(
                f"CCA with {settings.dim} directions needs two rows and as many features of each modality, "
                f"not {len(video)} rows of {settings.video_dim} and {settings.audio_dim}"
            )
        x, y = (
            self.standardise[str(m)](np.asarray(rows, np.float32)).astype(np.float64)
            for m, rows in ((Modality.VIDEO, video), (Modality.AUDIO, audio))
        )
        return Moments.of(x, y)

    def fit_moments(self, moments: Moments) -> npt.NDArray[np.float64]:
        """`fit` from covariances that were estimated before."""
        maps, correlations = maps_of(moments, self.cca_settings)
        self.maps = {str(m): matrix.astype(np.float32) for m, matrix in zip(Modality, maps, strict=True)}
        return correlations


@dataclass(frozen=True)
class Moments:
    """Covariances of centred rows: eigenvalues and eigenvectors of each modality's, and the cross-covariance between
    the two bases. Decomposed once, they serve every ridge."""

    video: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
    audio: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]
    cross: npt.NDArray[np.float64]

    @classmethod
    def of(cls, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Moments:
        """Moments of (rows, Dx) and (rows, Dy)."""
        rows = len(x)
        video, audio = (np.linalg.eigh(m.T @ m / rows) for m in (x, y))
        cross = (x @ video.eigenvectors).T @ (y @ audio.eigenvectors) / rows
        return cls((video.eigenvalues, video.eigenvectors), (audio.eigenvalues, audio.eigenvectors), cross)


def maps_of(
    moments: Moments, settings: CcaSettings
) -> tuple[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]:
    """Maps (Dx, D) and (Dy, D) and the D correlations: the singular vectors of the whitened cross-covariance, in the
    bases of `moments`.
    """
    scale_x, scale_y = (_inverse_root(values, settings.ridge) for values, _ in (moments.video, moments.audio))
    whitened = scale_x[:, None] * moments.cross * scale_y
    left, correlations, right = np.linalg.svd(whitened, full_matrices=False)
    kept = correlations[: settings.dim]
    weights = kept**settings.power
    video = moments.video[1] @ (scale_x[:, None] * left[:, : settings.dim] * weights)
    audio = moments.audio[1] @ (scale_y[:, None] * right[: settings.dim].T * weights)
    return (video, audio), kept


def _inverse_root(values: npt.NDArray[np.float64], ridge: float) -> npt.NDArray[np.float64]:
    """(eigenvalues + ridge * mean variance) ** -1/2."""
    floor = max(ridge * float(values.mean()), 1e-9)
    root: npt.NDArray[np.float64] = 1 / np.sqrt(np.maximum(values, 0) + floor)
    return root
