"""MERT (Li et al. 2023, arXiv:2306.00107): music -> the hidden states of a HuBERT encoder, averaged over time.

The published checkpoint (`config.json` with model type `mert_model`, `pytorch_model.bin` or safetensors with
`weight_g`/`weight_v`, `preprocessor_config.json`) loads into transformers' own `HubertModel`; none of the
repository's code runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mvr.backbones.backbone import check_features
from mvr.backbones.folder import (
    not_of_config,
    published_folder,
    read_json,
    read_state,
    weights_file,
)
from mvr.backbones.pieces import read_pieces
from mvr.backbones.precision import parse_precision, pick_device, prepare
from mvr.backbones.weights import file_sha256
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError, WeightsCorrupt

_FOREIGN = ("model_type", "auto_map", "architectures", "transformers_version", "torch_dtype", "dtype")
_VARIANCE_FLOOR = 1e-7  # as in the published feature extractor
_SHORTEST_SAMPLES = 400  # receptive field of the first layers


PREPROCESSING_VERSION = 2  # raise it whenever a number that the model is given changes


@dataclass(frozen=True, kw_only=True)
class MertOptions:
    """Which MERT, and what is taken from it.

    Attributes:
        weights: a local folder in the published layout; None is MERT-v1-95M.
        sha256: digest that the weights file must have.
        layers: "last", "all" (the input of the first layer, then each layer's output), or a list of their numbers.
        combine: "mean" over the layers, or "stack": (layers * D) values, layer by layer, for a head that learns
            the weights of the layers.
        window_s: longest piece encoded at once; longer segments are cut into equal windows that may overlap.
        precision: float32, bfloat16, float16 or int8.
        device: auto, cpu or cuda.
        windows_at_once: windows per forward pass.
    """

    weights: str | None = None
    sha256: str | None = None
    layers: str | Sequence[int] = "all"
    combine: str = "mean"
    window_s: float = 10.0
    precision: str = "float32"
    device: str = "auto"
    windows_at_once: int = 8

    def __post_init__(self) -> None:
        if self.combine not in ("mean", "stack"):
            raise UsageError(f"unknown way {self.combine!r} to combine layers; choose from mean, stack")
        if isinstance(self.layers, str) and self.layers not in ("last", "all"):
            raise UsageError(f"unknown layers {self.layers!r}; choose last, all or a list of numbers")
        if not self.layers or not self.window_s > 0.1:
            raise UsageError(
                f"layers={self.layers}, window_s={self.window_s}: give at least one layer and more than 0.1 s"
            )


class MertAudio:
    """Music through MERT; a row of `preprocess` is (windows, samples), each of zero mean and unit variance.

    Args:
        options: keys of `MertOptions`.

    Raises:
        UsageError: an unknown option or layer.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """

    name = "mert"
    modality = Modality.AUDIO

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(MertOptions, options)
        self._precision = parse_precision(self._options.precision)
        self._device = pick_device(self._options.device)
        folder = published_folder("mert-95m", self._options.weights, self._options.sha256)
        self._path = weights_file(folder)
        self._rate_hz, self._normalise = _extractor(folder)
        model = load_mert(folder)
        self._layers = _layer_numbers(self._options.layers, model.config.num_hidden_layers + 1)
        self.dim: int = model.config.hidden_size * (
            len(self._layers) if self._options.combine == "stack" else 1
        )
        self._model: Any = prepare(model, self._precision, self._device)

    @property
    def settings(self) -> JsonDict:
        """Weights, number format, layers and windows."""
        return {
            "backbone": self.name,
            "weights_sha256": file_sha256(self._path),
            "precision": str(self._precision),
            "preprocessing": PREPROCESSING_VERSION,
            "layers": list(self._layers),
            "combine": self._options.combine,
            "window_s": self._options.window_s,
        }

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """(S, windows, samples) float32: the mean of the channels at the model's rate, read once.

        All windows of a call have one length: `window_s`, or the longest segment where that is shorter. A segment
        that is shorter than a window is repeated to its length, since a pause would be heard as music's silence.
        """
        longest_s = max(segment.duration_s for segment in segments)
        length = round(min(self._options.window_s, longest_s) * self._rate_hz)
        count = math.ceil(longest_s / self._options.window_s - 1e-9)
        pieces = read_pieces(path, segments, self._rate_hz)
        return np.stack([self._windows(piece, max(length, _SHORTEST_SAMPLES), count) for piece in pieces])

    def _windows(self, piece: FloatArray, length: int, count: int) -> FloatArray:
        if len(piece) < length:
            piece = np.resize(piece, length)  # numpy's resize repeats
        starts = np.linspace(0, len(piece) - length, count).round().astype(int)
        windows = np.stack([piece[start : start + length] for start in starts])
        return standardise(windows) if self._normalise else windows

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D), or (S, layers * D) when layers are stacked: means over time and windows."""
        windows = torch.from_numpy(np.require(batch, np.float32, ["C", "W"])).flatten(0, 1)
        parts = [self._encode_windows(part) for part in torch.split(windows, self._options.windows_at_once)]
        means = torch.cat(parts).view(*batch.shape[:2], len(self._layers), -1).mean(dim=1)  # (S, layers, D)
        merged = means.flatten(1) if self._options.combine == "stack" else means.mean(dim=1)
        return check_features(merged.numpy(), self.name)

    def _encode_windows(self, windows: torch.Tensor) -> torch.Tensor:
        """(W, samples) -> (W, layers, D): hidden states averaged over time."""
        with torch.inference_mode():
            inputs = windows.to(device=self._device, dtype=self._precision.dtype)
            states = self._model(inputs, output_hidden_states=True).hidden_states
            chosen = [states[layer].float().mean(dim=1) for layer in self._layers]
            return torch.stack(chosen, dim=1).cpu()


def standardise(windows: FloatArray) -> FloatArray:
    """Zero mean and unit variance per row, as the published feature extractor does; silence stays zero."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    rows: FloatArray = centred / np.sqrt(windows.var(axis=1, keepdims=True) + _VARIANCE_FLOOR)
    return rows


def load_mert(folder: str | Path) -> Any:
    """MERT from a folder in the published layout, as a frozen `HubertModel` in eval mode, float32.

    Args:
        folder: with `config.json` and `model.safetensors` or `pytorch_model.bin`.

    Raises:
        WeightsMissing: a file that is not there.
        WeightsCorrupt: damaged, another layout, or a MERT with parts that HuBERT does not have.
    """
    from transformers import HubertConfig, HubertModel

    folder = Path(folder)
    values = read_json(folder / "config.json")
    _refuse_extensions(values, folder)
    config = HubertConfig.from_dict({key: value for key, value in values.items() if key not in _FOREIGN})
    path = weights_file(folder)
    state = {_hubert_key(key): tensor for key, tensor in read_state(path).items()}
    with torch.device("meta"):
        model = HubertModel(config)
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise not_of_config(path, detail) from error
    return model.requires_grad_(False).eval()


def _refuse_extensions(values: dict[str, Any], folder: Path) -> None:
    """MERT can be configured beyond HuBERT; the published 95M is not, and those parts do not exist here."""
    extended = [key for key in ("feature_extractor_cqt", "deepnorm") if values.get(key)]
    if float(values.get("attention_relax", -1.0)) > 0:
        extended.append("attention_relax")
    if extended:
        raise WeightsCorrupt(
            f"{folder / 'config.json'} asks for {', '.join(extended)}, which HubertModel does not have; "
            "MERT-v1-95M works"
        )


def _hubert_key(key: str) -> str:
    """The checkpoint's name of the weight-normalised convolution -> torch's present one."""
    return key.replace("conv.weight_g", "conv.parametrizations.weight.original0").replace(
        "conv.weight_v", "conv.parametrizations.weight.original1"
    )


def _extractor(folder: Path) -> tuple[int, bool]:
    """(sample rate in Hz, whether windows are standardised)."""
    values = read_json(folder / "preprocessor_config.json", ["sampling_rate", "do_normalize"])
    return int(values["sampling_rate"]), bool(values["do_normalize"])


def _layer_numbers(layers: str | Sequence[int], count: int) -> tuple[int, ...]:
    """Numbers of the hidden states; 0 is the input of the first layer.

    Raises:
        UsageError: a layer that the model does not have.
    """
    if layers == "last":
        return (count - 1,)
    if layers == "all":
        return tuple(range(count))
    chosen = tuple(int(layer) for layer in layers)
    if not set(chosen) <= set(range(count)):
        raise UsageError(f"layers {list(chosen)} are not all in 0 to {count - 1}, the model's hidden states")
    return chosen
