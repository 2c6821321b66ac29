"""CLIP through open_clip: frames at a set rate, one embedding per frame, the mean over time.

Any (architecture, pretrained tag) of open_clip, or a local checkpoint of a known architecture or of one described by
an open_clip model file (JSON). Sources: Radford et al. 2021 (arXiv:2103.00020), Cherti et al. 2023 (arXiv:2212.07143).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mvr.backbones.backbone import DEFAULT_CLIP, check_features
from mvr.backbones.pictures import PixelSettings, normalise
from mvr.backbones.precision import parse_precision, pick_device, prepare
from mvr.backbones.weights import TOKENIZER_FILES, clip_source, fetch_weights, file_sha256, local_weights
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError, WeightsCorrupt, WeightsMissing

PREPROCESSING_VERSION = 1  # raise it whenever a number that the model is given changes


@dataclass(frozen=True, kw_only=True)
class ClipOptions:
    """Which CLIP, and which frames it sees.

    Attributes:
        architecture: a name of open_clip, or the path of one of its model files (JSON).
        pretrained: open_clip's tag of the weights; with `weights` it only says how pictures are made, and where the
            architecture has no such tag, that is what all of its tags have in common.
        weights: a local checkpoint; one that was trained with quick GELU needs an architecture called so
            ("ViT-B-32-quickgelu").
        sha256: digest that the checkpoint must have.
        frame_rate_hz: frames per second of a segment.
        max_frames: at most so many frames per segment, then spread evenly.
        precision: float32, bfloat16, float16 or int8.
        device: auto, cpu or cuda.
        frames_at_once: frames per forward pass.
    """

    architecture: str = DEFAULT_CLIP[0]
    pretrained: str = DEFAULT_CLIP[1]
    weights: str | None = None
    sha256: str | None = None
    frame_rate_hz: float = 1.0
    max_frames: int = 64
    precision: str = "float32"
    device: str = "auto"
    frames_at_once: int = 32

    def __post_init__(self) -> None:
        if not self.frame_rate_hz > 0 or self.max_frames < 1:
            raise UsageError(
                f"frame_rate_hz={self.frame_rate_hz}, max_frames={self.max_frames}: both must be positive"
            )


class ClipVideo:
    """Pictures through CLIP's vision tower; a row of `preprocess` is (frames, side, side, 3) uint8.

    Args:
        options: keys of `ClipOptions`.

    Raises:
        UsageError: an unknown option, architecture or tag.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """

    name = "clip"
    modality = Modality.VIDEO

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(ClipOptions, options)
        self._architecture = register_architecture(self._options.architecture)
        self._precision = parse_precision(self._options.precision)
        self._device = pick_device(self._options.device)
        found = _checkpoint(self._options, self._architecture)
        self._path, self._pixels, quick_gelu = found.path, found.pixels, found.quick_gelu
        model = _load(self._architecture, self._path, quick_gelu)
        self._side_px = _side_px(model)
        self._model: Any = prepare(model, self._precision, self._device)
        self.dim = int(_model_config(self._architecture)["embed_dim"])

    @property
    def settings(self) -> JsonDict:
        """Weights, number format, sampling, and how pictures are made where that is not CLIP's own way."""
        own_way = {} if self._pixels == PixelSettings() else {"pixels": self._pixels.as_json()}
        return {
            "backbone": self.name,
            "architecture": self._architecture,
            "weights_sha256": file_sha256(self._path),
            "precision": str(self._precision),
            "preprocessing": PREPROCESSING_VERSION,
            "frame_rate_hz": self._options.frame_rate_hz,
            "max_frames": self._options.max_frames,
            **own_way,
        }

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[np.uint8]:
        """(S, frames, side, side, 3) uint8; the longest segment sets how many frames each segment gives."""
        from mvr.media.frames import sample_frames

        count = frame_count(max(segment.duration_s for segment in segments), self._options)
        rows = []
        for segment in segments:
            parts = (np.arange(count) + 0.5) / count  # the middles of equal parts
            times_s = (segment.start_s + parts * segment.duration_s).tolist()
            rows.append(np.concatenate(list(self._squares(sample_frames, path, times_s))))
        return np.stack(rows)

    def _squares(self, sample: Any, path: Path, times_s: list[float]) -> Any:
        """Scaled frames, a few decoded at a time."""
        for begin in range(0, len(times_s), _DECODED_AT_ONCE):
            frames = sample(path, times_s=times_s[begin : begin + _DECODED_AT_ONCE])
            yield self._pixels.squares(frames.images, self._side_px)

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D): the mean over time of the frames' unit-length embeddings."""
        frames = torch.from_numpy(np.require(batch, requirements=["C", "W"])).flatten(0, 1)
        parts = [self._encode_frames(part) for part in torch.split(frames, self._options.frames_at_once)]
        means = torch.cat(parts).view(*batch.shape[:2], -1).mean(dim=1)
        return check_features(means.numpy(), self.name)

    def _encode_frames(self, frames: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            pixels = normalise(frames.permute(0, 3, 1, 2).float() / 255, self._pixels.mean, self._pixels.std)
            inputs = pixels.to(device=self._device, dtype=self._precision.dtype)
            features: torch.Tensor = self._model.encode_image(inputs).float().cpu()
        return torch.nn.functional.normalize(features, dim=-1)

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) of T texts, of unit length, in the space of the pictures."""
        with torch.inference_mode():
            ids = _tokenizer(self._architecture, self._path.parent)(list(texts)).to(self._device)
            features = self._model.encode_text(ids).float().cpu()
        return check_features(torch.nn.functional.normalize(features, dim=-1).numpy(), self.name)


_DECODED_AT_ONCE = 8


def frame_count(duration_s: float, options: ClipOptions) -> int:
    """Frames that a segment gives: at the set rate, at least one, at most `max_frames`."""
    return min(max(1, round(duration_s * options.frame_rate_hz)), options.max_frames)


def register_architecture(architecture: str) -> str:
    """Name under which open_clip knows the architecture; a model file (JSON) is made known first."""
    import open_clip

    if architecture.endswith(".json"):
        path = Path(architecture)
        if not path.is_file():
            raise UsageError(f"there is no model file {architecture}")
        if path.stem not in open_clip.list_models():
            open_clip.add_model_config(path)
        architecture = path.stem
    if architecture not in open_clip.list_models():
        raise UsageError(f"open_clip has no architecture {architecture!r}; see open_clip.list_models()")
    return architecture


def _model_config(architecture: str) -> dict[str, Any]:
    import open_clip

    config: dict[str, Any] = open_clip.get_model_config(architecture)
    return config


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    """A file of weights, whether it was trained with quick GELU, how its pictures are made."""

    path: Path
    quick_gelu: bool
    pixels: PixelSettings


def _checkpoint(options: ClipOptions, architecture: str) -> _Checkpoint:
    import open_clip

    config = dict(open_clip.get_pretrained_cfg(architecture, options.pretrained))
    if options.weights is not None:
        path = local_weights(options.weights, options.sha256)
        return _Checkpoint(path=path, quick_gelu=False, pixels=_pixels(config or _common(architecture)))
    path = next(iter(fetch_weights(clip_source(architecture, options.pretrained)).values()))
    return _Checkpoint(
        path=local_weights(str(path), options.sha256),
        quick_gelu=bool(config.get("quick_gelu")),
        pixels=_pixels(config),
    )


def _pixels(config: Mapping[str, Any]) -> PixelSettings:
    """How open_clip makes the pictures of some weights; what it does not say has its default."""
    usual = PixelSettings()
    return PixelSettings(
        mean=tuple(config.get("mean") or usual.mean),
        std=tuple(config.get("std") or usual.std),
        resize_mode=config.get("resize_mode") or usual.resize_mode,
        interpolation=config.get("interpolation") or usual.interpolation,
    )


def _common(architecture: str) -> dict[str, Any]:
    """What open_clip says of an architecture's weights, where it says the same of all: for weights of one's own."""
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(architecture)
    configs = [dict(open_clip.get_pretrained_cfg(architecture, tag)) for tag in tags]
    return configs[0] if configs and len({_pixels(config) for config in configs}) == 1 else {}


def _load(architecture: str, path: Path, quick_gelu: bool) -> torch.nn.Module:
    """The model with a checkpoint's weights; open_clip fills it with random numbers first, without our seed."""
    import open_clip

    with torch.random.fork_rng(devices=[]):
        try:
            model: torch.nn.Module = open_clip.create_model(
                architecture, pretrained=str(path), force_quick_gelu=quick_gelu, weights_only=True
            )
        except Exception as error:  # pickle, zipfile, safetensors and torch each have their own errors
            if isinstance(error, MemoryError):
                raise
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise WeightsCorrupt(f"{path} is not a checkpoint of {architecture} ({first})") from error
    return model


def _side_px(model: Any) -> int:
    size = model.visual.image_size
    return int(size[0] if isinstance(size, tuple | list) else size)


@lru_cache(maxsize=4)
def _tokenizer(architecture: str, folder: Path) -> Any:
    """open_clip's own, or the one that lies beside the weights where the architecture has one on a hub (SigLIP).

    Raises:
        WeightsMissing: a tokenizer of a hub that is not there; nothing is downloaded here.
    """
    import open_clip
    from open_clip.tokenizer import DEFAULT_CONTEXT_LENGTH, HFTokenizer

    text = dict(_model_config(architecture).get("text_cfg", {}))
    name, own = text.get("hf_tokenizer_name"), text.get("tokenizer_kwargs", {})
    if not name:
        return open_clip.get_tokenizer(architecture)
    if not all((folder / file).is_file() for file in TOKENIZER_FILES):
        raise WeightsMissing(
            f"{architecture} needs a tokenizer to read words, which is not in {folder}: "
            f"put {' and '.join(TOKENIZER_FILES)} of {name} there"
        )
    length, mode = text.get("context_length", DEFAULT_CONTEXT_LENGTH), text.get("tokenizer_mode")
    return HFTokenizer(str(folder), context_length=length, tokenizer_mode=mode, **own)
