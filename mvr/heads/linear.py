"""Regularised linear CCA: the baseline that every trained head has to beat (ridge: Vinod 1976).

Both modalities are standardised, their covariances get a ridge, and the singular value decomposition of the
whitened cross-covariance gives directions of maximal correlation. Directions are weighted by correlation **
`power` before rows are brought to unit length: power 0 is plain CCA.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from mvr.datatypes import JsonDict, Modality
from mvr.errors import DataError
from mvr.heads.trainable import HeadSettings, TrainableHead


@dataclass(frozen=True, kw_only=True)
class CcaSettings:
    """Ridge, as a share of the mean variance per feature, number of directions and their weighting."""

    video_dim: int
    audio_dim: int
    dim: int = 64
    ridge: float = 1.0
    power: float = 1.0


class CcaHead(TrainableHead):
    """Two linear maps in closed form; one branch, "ssl"."""

    kind = "cca"
    branches: tuple[str, ...] = ("ssl",)

    def __init__(self, settings: CcaSettings) -> None:
        super().__init__(
            HeadSettings(
                video_dim=settings.video_dim, audio_dim=settings.audio_dim, dim=settings.dim, dropout=0.0
            )
        )
        self.cca_settings = settings
        widths = {Modality.VIDEO: settings.video_dim, Modality.AUDIO: settings.audio_dim}
        self.maps = nn.ParameterDict({str(m): torch.zeros(w, settings.dim) for m, w in widths.items()})

    @property
    def settings(self) -> JsonDict:
        """Everything needed to create it again without its weights."""
        return dataclasses.asdict(self.cca_settings)

    def project(self, modality: Modality, rows: Tensor) -> Tensor:
        """(N, inputs) -> (1, 1, N, D)."""
        return functional.linear(rows, self.maps[str(modality)].T)[None, None]

    @torch.no_grad()
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

    @torch.no_grad()
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
        x = self.prepare(Modality.VIDEO, torch.from_numpy(np.asarray(video, np.float32))).double().numpy()
        y = self.prepare(Modality.AUDIO, torch.from_numpy(np.asarray(audio, np.float32))).double().numpy()
        return Moments.of(x, y)

    @torch.no_grad()
    def fit_moments(self, moments: Moments) -> npt.NDArray[np.float64]:
        """`fit` from covariances that were estimated before."""
        maps, correlations = maps_of(moments, self.cca_settings)
        for modality, matrix in zip(Modality, maps, strict=True):
            self.maps[str(modality)].copy_(torch.from_numpy(matrix).float())
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
