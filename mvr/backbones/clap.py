"""CLAP (Wu et al. 2023, arXiv:2211.06687): music and words in one space, through transformers' own `ClapModel`.

The published checkpoint is a folder: `config.json`, `preprocessor_config.json`, `pytorch_model.bin` or safetensors,
and for words `vocab.json` with `merges.txt`. Nothing is left to chance here: the published extractor cuts long sound
at a random place and, for checkpoints with fusion, calls a random item of a batch "longer"; here longer sound is cut
into equal windows, whose features are averaged, and no window is ever longer than the model hears.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from mvr.errors import UsageError, WeightsCorrupt, WeightsMissing

WEIGHTS = "clap-general"
PREPROCESSING_VERSION = 1  # raise it whenever a number that the model is given changes
_FOREIGN = ("model_type", "architectures", "transformers_version", "torch_dtype", "dtype", "_name_or_path")
_COUNTED = ("position_ids", "token_type_ids", "relative_position_index", "num_batches_tracked")  # no weights
_FLOOR = 1e-10  # of a mel band's power: -100 dB
_MOST_TOKENS = 77  # of a text, as in training


@dataclass(frozen=True, kw_only=True)
class ClapOptions:
    """Which CLAP weights, and how they are run.

    Attributes:
        weights: a local folder in the published layout; None is LAION's larger_clap_general.
        sha256: digest that the weights file must have.
        precision: float32, bfloat16, float16 or int8.
        device: auto, cpu or cuda.
        windows_at_once: windows per forward pass.
    """

    weights: str | None = None
    sha256: str | None = None
    precision: str = "float32"
    device: str = "auto"
    windows_at_once: int = 8

    def __post_init__(self) -> None:
        if self.windows_at_once < 1:
            raise UsageError(f"windows_at_once={self.windows_at_once}: at least 1 is needed")


@dataclass(frozen=True, kw_only=True)
class ClapSound:
    """What the model hears: numbers of `preprocessor_config.json` under their names there.

    `truncation` "fusion" goes with a mel scale after HTK and four pictures per window, "rand_trunc" with Slaney's and
    one.
    """

    sampling_rate: int
    hop_length: int
    fft_window_size: int
    feature_size: int
    frequency_min: float
    frequency_max: float
    max_length_s: int
    truncation: str
    padding: str

    @property
    def samples(self) -> int:
        """Number of samples in one window."""
        return self.max_length_s * self.sampling_rate

    @property
    def fusion(self) -> bool:
        """Whether the model takes four pictures per window."""
        return self.truncation == "fusion"


class ClapAudio:
    """Music through CLAP's audio tower; a row of `preprocess` is (windows, frames, mel bands) in dB.

    Args:
        options: keys of `ClapOptions`.

    Raises:
        UsageError: an unknown option.
        WeightsError: weights that are missing, damaged or whose licence is not accepted.
    """

    name = "clap"
    modality = Modality.AUDIO

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(ClapOptions, options)
        self._precision = parse_precision(self._options.precision)
        self._device = pick_device(self._options.device)
        self._folder = published_folder(WEIGHTS, self._options.weights, self._options.sha256)
        self._path = weights_file(self._folder)
        self.sound = read_sound_settings(self._folder)
        model = load_clap(self._folder)
        if bool(model.config.audio_config.enable_fusion) != self.sound.fusion:
            raise WeightsCorrupt(
                f"{self._folder}: preprocessor_config.json says truncation {self.sound.truncation!r}, which does "
                f"not go with enable_fusion {model.config.audio_config.enable_fusion} of config.json"
            )
        self.dim: int = model.config.projection_dim
        self._model: Any = prepare(model, self._precision, self._device)

    @property
    def settings(self) -> JsonDict:
        """Weights, number format, and what the model hears."""
        return {
            "backbone": self.name,
            "weights_sha256": file_sha256(self._path),
            "precision": str(self._precision),
            "preprocessing": PREPROCESSING_VERSION,
            "sound": dataclasses.asdict(self.sound),
        }

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """(S, windows, frames, bands) float32: the mean of the channels at the model's rate, read once.

        A segment that is longer than a window is cut into equal windows that may overlap; a shorter one is repeated
        as often as it fits, then padded with silence, as in training. The longest segment sets how many windows.
        """
        longest_s = max(segment.duration_s for segment in segments)
        count = max(1, math.ceil(longest_s / self.sound.max_length_s - 1e-9))
        pieces = read_pieces(path, segments, self.sound.sampling_rate)
        return np.stack(
            [[mel_decibels(window, self.sound) for window in self._windows(piece, count)] for piece in pieces]
        )

    def _windows(self, piece: FloatArray, count: int) -> list[FloatArray]:
        spare = max(0, len(piece) - self.sound.samples)
        starts = np.linspace(0, spare, count).round().astype(int)
        return [
            repeat_and_pad(piece[start : start + self.sound.samples], self.sound.samples) for start in starts
        ]

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D): the mean over its windows' unit-length embeddings."""
        windows = torch.from_numpy(np.require(batch, np.float32, ["C", "W"])).flatten(0, 1)
        parts = [self._encode_windows(part) for part in torch.split(windows, self._options.windows_at_once)]
        means = torch.cat(parts).view(*batch.shape[:2], -1).mean(dim=1)
        return check_features(means.numpy(), self.name)

    def _encode_windows(self, windows: torch.Tensor) -> torch.Tensor:
        """(W, frames, bands) -> (W, D), of unit length."""
        pictures = windows[:, None].expand(-1, 4 if self.sound.fusion else 1, -1, -1)
        longer = torch.zeros(len(windows), 1, dtype=torch.bool, device=self._device)
        with torch.inference_mode():
            inputs = pictures.to(device=self._device, dtype=self._precision.dtype)
            found = self._model.get_audio_features(input_features=inputs, is_longer=longer).pooler_output
        return torch.nn.functional.normalize(found.float().cpu(), dim=-1)

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) of T texts, of unit length, in the space of the music."""
        tokens = _tokenizer(self._folder)(
            list(texts), padding=True, truncation=True, max_length=_MOST_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            found = self._model.get_text_features(
                input_ids=tokens["input_ids"].to(self._device),
                attention_mask=tokens["attention_mask"].to(self._device),
            ).pooler_output
        unit = torch.nn.functional.normalize(found.float().cpu(), dim=-1)
        return check_features(unit.numpy(), self.name)


def repeat_and_pad(piece: FloatArray, length: int) -> FloatArray:
    """Whole repetitions of (n,) samples, then silence, to `length` samples."""
    repeated = np.tile(piece, max(1, length // len(piece)))[:length]
    return np.pad(repeated, (0, length - len(repeated)))


def mel_decibels(window: FloatArray, sound: ClapSound) -> FloatArray:
    """Log mel power of a window (n,): (1 + n // hop, bands) float32, in dB, centred with mirrored edges."""
    size, hop = sound.fft_window_size, sound.hop_length
    padded = np.pad(window.astype(np.float64), size // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2
    decibels: FloatArray = (10 * np.log10(np.maximum(power @ _mel_filters(sound), _FLOOR))).astype(np.float32)
    return decibels


@lru_cache(maxsize=4)
def _mel_filters(sound: ClapSound) -> npt.NDArray[np.float64]:
    """(bins, bands)."""
    from transformers.audio_utils import mel_filter_bank

    filters: npt.NDArray[np.float64] = mel_filter_bank(
        num_frequency_bins=sound.fft_window_size // 2 + 1,
        num_mel_filters=sound.feature_size,
        min_frequency=sound.frequency_min,
        max_frequency=sound.frequency_max,
        sampling_rate=sound.sampling_rate,
        norm=None if sound.fusion else "slaney",
        mel_scale="htk" if sound.fusion else "slaney",
    )
    return filters


def read_sound_settings(folder: Path) -> ClapSound:
    """What a checkpoint hears.

    Raises:
        WeightsMissing: no `preprocessor_config.json`. WeightsCorrupt: one that lacks a setting, or asks for what is
            not supported.
    """
    path = folder / "preprocessor_config.json"
    names = [field.name for field in dataclasses.fields(ClapSound)]
    values = read_json(path, names)
    sound = ClapSound(**{name: values[name] for name in names})
    if sound.padding != "repeatpad" or sound.truncation not in ("fusion", "rand_trunc"):
        raise WeightsCorrupt(
            f"{path} asks for padding {sound.padding!r} and truncation {sound.truncation!r}; it must be 'repeatpad' "
            "with 'rand_trunc' or 'fusion'"
        )
    return sound


def load_clap(folder: Path) -> Any:
    """CLAP from a folder in the published layout, as a frozen `ClapModel` in eval mode, float32.

    Raises:
        WeightsMissing: a file that is not there. WeightsCorrupt: damaged or another layout.
    """
    from transformers import ClapConfig, ClapModel

    values = read_json(folder / "config.json", ["audio_config", "text_config"])
    if values.get("model_type") != "clap":
        raise WeightsCorrupt(
            f"{folder / 'config.json'} describes a model of type {values.get('model_type')!r}, not 'clap'"
        )
    path = weights_file(folder)
    state, config = read_state(path), ClapConfig.from_dict(_without_foreign(values))
    with torch.device("meta"):
        model = ClapModel(config)
    if _assign(model, state, path):
        with torch.random.fork_rng(devices=[]):  # counts are made with the model, as are random weights
            model = ClapModel(config)
        _assign(model, state, path)
    return model.requires_grad_(False).eval()


def _assign(model: Any, state: Mapping[str, torch.Tensor], path: Path) -> list[str]:
    """Give a model its tensors; returns the counts that lack, which old checkpoints may.

    Raises:
        WeightsCorrupt: other sizes, weights that lack, or tensors that the model does not have.
    """
    try:
        missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise not_of_config(path, detail) from error
    wrong = [key for key in (*missing, *unexpected) if not key.endswith(_COUNTED)]
    if wrong:
        raise not_of_config(path, f"{len(wrong)} tensors are missing or unknown, such as {wrong[0]}")
    return list(missing)


def _without_foreign(values: Mapping[str, Any]) -> dict[str, Any]:
    """A config without what other versions of the library wrote about themselves."""
    return {
        key: _without_foreign(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if key not in _FOREIGN
    }


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Any:
    from transformers import RobertaTokenizer

    for name in ("vocab.json", "merges.txt"):
        if not (folder / name).is_file():
            raise WeightsMissing(f"{folder} has no {name}, which CLAP needs to read words")
    return RobertaTokenizer.from_pretrained(str(folder), local_files_only=True)
