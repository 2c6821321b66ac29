"""The backbones `imagebind`: media file -> views or mel spectrograms -> unit-length features (D,)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mvr.backbones.backbone import check_features
from mvr.backbones.imagebind.checkpoint import load_imagebind
from mvr.backbones.imagebind.melspec import SAMPLE_RATE_HZ, AudioClips, preprocess_audio
from mvr.backbones.imagebind.model import ImageBindConfig, ImageBindModel
from mvr.backbones.imagebind.stems import CONTEXT
from mvr.backbones.imagebind.views import VideoViews, preprocess_video
from mvr.backbones.precision import parse_precision, pick_device
from mvr.backbones.weights import fetch_weights, file_sha256, local_weights, weights_source
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment

PREPROCESSING_VERSIONS = {
    "vision": 1,
    "audio": 2,
}  # raise one whenever a number that its tower is given changes


@dataclass(frozen=True, kw_only=True)
class ImageBindOptions:
    """How the checkpoint is loaded and run.

    Attributes:
        weights: a local checkpoint; None is the published one, downloaded when its licence is accepted.
        sha256: digest that the checkpoint must have; the published one has its own pin besides.
        config: sizes of the towers where they are not those of `imagebind_huge`.
        precision: float32, bfloat16, float16 or int8.
        device: auto, cpu or cuda; does not change the features beyond rounding.
        rows_at_once: views or clips per forward pass.
    """

    weights: str | None = None
    sha256: str | None = None
    config: Mapping[str, int] = field(default_factory=dict)
    precision: str = "float32"
    device: str = "auto"
    rows_at_once: int = 15


@dataclass(frozen=True, kw_only=True)
class ImageBindVideoOptions(ImageBindOptions, VideoViews):
    """Options of the video backbone: the checkpoint's and the views'."""


@dataclass(frozen=True, kw_only=True)
class ImageBindAudioOptions(ImageBindOptions, AudioClips):
    """Options of the music backbone: the checkpoint's and the clips'."""


class _ImageBindTower:
    """What both halves share: one tower in memory, the text tower when a text is asked for."""

    name = "imagebind"

    def __init__(self, tower: str, options: ImageBindOptions, sampling: VideoViews | AudioClips) -> None:
        self._tower = tower
        self._options = options
        self._sampling = sampling
        self._precision = parse_precision(options.precision)
        self._device = pick_device(options.device)
        self._path = _checkpoint(options)
        self._model = self._load(tower)
        self._text: ImageBindModel | None = None
        self.dim: int = settings_from(ImageBindConfig, options.config).out_embed_dim

    def _load(self, tower: str) -> ImageBindModel:
        return load_imagebind(
            self._path,
            towers=(tower,),
            precision=self._precision,
            device=self._device,
            **self._options.config,
        )

    @property
    def settings(self) -> JsonDict:
        """Weights, number format and sampling; the device and the batch size do not matter."""
        return {
            "backbone": self.name,
            "tower": self._tower,
            "weights_sha256": file_sha256(self._path),
            "precision": str(self._precision),
            "preprocessing": PREPROCESSING_VERSIONS[self._tower],
            **asdict(self._sampling),
        }

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D) of S segments: the mean over a segment's views or clips, of unit length."""
        count = batch.shape[1]
        rows = torch.from_numpy(np.require(batch, requirements=["C", "W"])).flatten(0, 1)
        parts = [self._run(self._model, part) for part in torch.split(rows, self._options.rows_at_once)]
        means = torch.cat(parts).view(len(batch), count, -1).mean(dim=1)
        return check_features(_unit(means), self.name)

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) of T texts, of unit length, in the same space."""
        if self._text is None:
            self._text = self._load("text")
        with torch.inference_mode():
            features = self._text(text=preprocess_text(texts).to(self._device))["text"].float().cpu()
        return check_features(_unit(features), self.name)

    def _run(self, model: ImageBindModel, rows: torch.Tensor) -> torch.Tensor:
        """One forward pass: (R, ...) -> (R, D) float32 on the processor."""
        with torch.inference_mode():
            inputs = rows.to(device=self._device, dtype=self._precision.dtype)
            features: torch.Tensor = model(**{self._tower: inputs})[self._tower].float().cpu()
        return features


class ImageBindVideo(_ImageBindTower):
    """Pictures through ImageBind's vision tower; a row of `preprocess` is (views, 3, 2, 224, 224).

    Args:
        options: keys of `ImageBindVideoOptions`.

    Raises:
        UsageError: an unknown option or value.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """

    modality = Modality.VIDEO

    def __init__(self, **options: Any) -> None:
        checked = settings_from(ImageBindVideoOptions, options)
        self._views = _only(VideoViews, checked)
        super().__init__("vision", checked, self._views)

    @property
    def settings(self) -> JsonDict:
        """As of both halves, and how borders are found where they are removed."""
        if not self._views.remove_borders:
            return super().settings
        from mvr.media.borders import DEFAULT_BORDERS

        return {**super().settings, "borders": asdict(DEFAULT_BORDERS)}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """(S, views, 3, 2, 224, 224) float32; see `preprocess_video`."""
        return preprocess_video(path, segments, self._views)


class ImageBindAudio(_ImageBindTower):
    """Sound through ImageBind's audio tower; a row of `preprocess` is (clips, 1, 128, 204).

    Args:
        options: keys of `ImageBindAudioOptions`.

    Raises:
        UsageError, WeightsError: as for `ImageBindVideo`.
    """

    modality = Modality.AUDIO

    def __init__(self, **options: Any) -> None:
        checked = settings_from(ImageBindAudioOptions, options)
        self._clips = _only(AudioClips, checked)
        super().__init__("audio", checked, self._clips)

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """(S, clips, 1, 128, 204) float32 from the first channel at 16 kHz, read once."""
        from mvr.media.sound import read_sound

        begin = min(segment.start_s for segment in segments)
        end = max(segment.end_s for segment in segments)
        sound = read_sound(path, SAMPLE_RATE_HZ, channels="first", start_s=begin, duration_s=end - begin)
        spans = [
            (
                round((segment.start_s - begin) * SAMPLE_RATE_HZ),
                round((segment.end_s - begin) * SAMPLE_RATE_HZ),
            )
            for segment in segments
        ]
        return np.stack([preprocess_audio(sound[first:last], self._clips) for first, last in spans])


def preprocess_text(texts: Sequence[str]) -> torch.Tensor:
    """CLIP's byte-pair tokens (T, 77) int64; longer texts are cut, shorter ones end in zeros."""
    from open_clip.tokenizer import SimpleTokenizer

    ids: torch.Tensor = SimpleTokenizer(context_length=CONTEXT)(list(texts))
    return ids


def _checkpoint(options: ImageBindOptions) -> Path:
    path = options.weights or str(fetch_weights(weights_source("imagebind"))["imagebind_huge.pth"])
    return local_weights(path, options.sha256)


def _only(cls: type[Any], options: ImageBindOptions) -> Any:
    """The sampling part of the options."""
    return cls(**{name: getattr(options, name) for name in cls.__dataclass_fields__})


def _unit(features: torch.Tensor) -> npt.NDArray[Any]:
    return torch.nn.functional.normalize(features, dim=-1).numpy()
