"""PE-AV (Vyas et al. 2025, arXiv:2512.19687): clips, music and words in one space, through `PeAudioVideoModel`.

The published checkpoint is a folder: `config.json`, `model.safetensors`, `processor_config.json` (what the model hears
and sees), and for words `tokenizer.json` with `tokenizer_config.json`. Three things are not as transformers 5.23 has
them. Words go through the head of the modality that they are compared with, one for pictures and one for sound. The
class token of the text is taken before ModernBERT's last norm, as when the model was trained: `hidden_states[-1]` was
that then and is the normed one now. And no row is padded to the longest of its batch with a mask: rows of one length
run together, so a row is the same alone and in a batch. Published figures use a dual softmax over a whole pool of
queries, which a search for one clip does not have: scores here are cosines.
"""

from __future__ import annotations

import contextlib
import sys
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
from mvr.backbones.pictures import PixelSettings, normalise
from mvr.backbones.pieces import read_pieces
from mvr.backbones.precision import Precision, parse_precision, pick_device, prepare
from mvr.backbones.weights import TOKENIZER_FILES, file_sha256
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError, WeightsCorrupt, WeightsMissing

WEIGHTS = "peav-small"
PREPROCESSING_VERSION = 1  # raise it whenever a number that the model is given changes
_PROCESSOR = "processor_config.json"
_FRAMES = 16  # where the checkpoint takes any number
_FALLBACK_RATE_HZ = 25.0  # for a file that does not say how long a frame is shown
_RESAMPLING = {2: "bilinear", 3: "bicubic"}  # PIL's numbers
_MOST_TOKENS = 512


@dataclass(frozen=True, kw_only=True)
class PeavOptions:
    """Which PE-AV weights, and how they are run.

    Attributes:
        weights: a local folder in the published layout; None is Meta's pe-av-small-16-frame.
        sha256: digest that the weights file must have.
        precision: float32, bfloat16, float16 or int8.
        device: auto, cpu or cuda.
        frames: per segment, where the checkpoint does not fix their number.
        rows_at_once: segments of one length per forward pass.
    """

    weights: str | None = None
    sha256: str | None = None
    precision: str = "float32"
    device: str = "auto"
    frames: int | None = None
    rows_at_once: int = 4

    def __post_init__(self) -> None:
        if self.rows_at_once < 1 or (self.frames is not None and self.frames < 2):
            raise UsageError(f"rows_at_once={self.rows_at_once}, frames={self.frames}: give at least 1 and 2")


@dataclass(frozen=True, kw_only=True)
class PeavInputs:
    """What a checkpoint hears and sees, from `processor_config.json`.

    Attributes:
        rate_hz, hop: of the sound, and the samples of one token.
        side_px, pixels: of the pictures.
        frames: fixed number per segment; None where any will do.
    """

    rate_hz: int
    hop: int
    side_px: int
    pixels: PixelSettings
    frames: int | None


class _Peav:
    """What both sides share: options, the model, words through this side's head."""

    name = "peav"
    modality: Modality
    text_of_its_own = True

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(PeavOptions, options)
        self._precision = parse_precision(self._options.precision)
        self._device = pick_device(self._options.device)
        self._folder = published_folder(WEIGHTS, self._options.weights, self._options.sha256)
        self.inputs = read_inputs(self._folder)
        self._model: Any = _load(self._folder, self._precision, self._device)
        self.dim = int(self._model.config.text_config.hidden_size)

    @property
    def settings(self) -> JsonDict:
        """Weights and number format."""
        return {
            "backbone": self.name,
            "weights_sha256": file_sha256(weights_file(self._folder)),
            "precision": str(self._precision),
            "preprocessing": PREPROCESSING_VERSION,
        }

    def encode_text(self, texts: Sequence[str]) -> FloatArray:
        """Features (T, D) of T texts, unit length, to compare with this side's features; one by one, unpadded."""
        tokenizer = _tokenizer(self._folder)
        rows = [self._encode_words(tokenizer, text) for text in texts]
        return check_features(torch.cat(rows).numpy(), self.name)

    def _encode_words(self, tokenizer: Any, text: str) -> torch.Tensor:
        tokens = tokenizer(text, truncation=True, max_length=_MOST_TOKENS, return_tensors="pt").to(
            self._device
        )
        before_norm: list[torch.Tensor] = []
        tower = self._model.text_model
        handle = tower.final_norm.register_forward_pre_hook(lambda _, given: before_norm.append(given[0]))
        try:
            with torch.inference_mode():
                tower(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
                found = self._text_head(before_norm[0][:, 0])
        finally:
            handle.remove()
        return torch.nn.functional.normalize(found.float().cpu(), dim=-1)

    def _text_head(self, pooled: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a side gives its head")


class PeavVideo(_Peav):
    """Pictures; a row of `preprocess` is (frames, side, side, 3) uint8."""

    modality = Modality.VIDEO

    @property
    def settings(self) -> JsonDict:
        """As `_Peav`, and how pictures are made."""
        pictures = {
            "frames": self._frames,
            "side_px": self.inputs.side_px,
            "pixels": self.inputs.pixels.as_json(),
        }
        return {**super().settings, **pictures}

    @property
    def _frames(self) -> int:
        return self.inputs.frames or self._options.frames or _FRAMES

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> npt.NDArray[np.uint8]:
        """(S, frames, side, side, 3): frames from the first to the last of each segment, evenly, squashed."""
        from mvr.media.frames import sample_frames
        from mvr.media.probe import probe

        picture = probe(path, needs=("picture",)).video
        frame_s = 1 / ((picture and picture.frame_rate_hz) or _FALLBACK_RATE_HZ)
        parts = np.arange(self._frames) / (self._frames - 1)
        rows = []
        for segment in segments:
            times_s = segment.start_s + parts * max(0.0, segment.duration_s - frame_s)
            images = sample_frames(path, times_s=times_s.tolist()).images
            rows.append(self.inputs.pixels.squares(images, self.inputs.side_px))
        return np.stack(rows)

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D), unit length, to compare with those of music."""
        rows = torch.from_numpy(np.require(batch, requirements=["C", "W"]))
        parts = [self._encode_rows(part) for part in torch.split(rows, self._options.rows_at_once)]
        return check_features(torch.cat(parts).numpy(), self.name)

    def _encode_rows(self, rows: torch.Tensor) -> torch.Tensor:
        given = rows.permute(0, 1, 4, 2, 3).float() / 255
        with torch.inference_mode():
            pixels = normalise(given, self.inputs.pixels.mean, self.inputs.pixels.std)
            pixels = pixels.to(device=self._device, dtype=self._precision.dtype)
            found = self._model.video_model.video_head(
                self._model.video_model.video_encoder(pixel_values_videos=pixels).pooler_output
            )
        return torch.nn.functional.normalize(found.float().cpu(), dim=-1)

    def _text_head(self, pooled: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._model.video_model.text_video_head(pooled)
        return found


class PeavAudio(_Peav):
    """Music; a row of `preprocess` is its number of samples and then the samples, padded with zeros behind."""

    modality = Modality.AUDIO

    @property
    def settings(self) -> JsonDict:
        """As `_Peav`, and how sound is read."""
        return {**super().settings, "rate_hz": self.inputs.rate_hz, "hop": self.inputs.hop}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """(S, 1 + samples) float32: the mean of the channels, read once; each segment mirrored up to whole tokens."""
        read = read_pieces(path, segments, self.inputs.rate_hz)
        pieces = [whole_tokens(piece, self.inputs.hop) for piece in read]
        rows = np.zeros((len(pieces), 1 + max(len(piece) for piece in pieces)), np.float32)
        for row, piece in zip(rows, pieces, strict=True):
            row[0], row[1 : 1 + len(piece)] = len(piece), piece
        return rows

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Features (S, D), unit length, to compare with those of pictures; rows of one length run together."""
        lengths = batch[:, 0].astype(int)
        found = np.zeros((len(batch), self.dim), np.float32)
        for length in np.unique(lengths):
            places = np.flatnonzero(lengths == length)
            for begin in range(0, len(places), self._options.rows_at_once):
                chosen = places[begin : begin + self._options.rows_at_once]
                found[chosen] = self._encode_rows(batch[chosen, 1 : 1 + length])
        return check_features(found, self.name)

    def _encode_rows(self, rows: FloatArray) -> FloatArray:
        samples = torch.from_numpy(np.require(rows, np.float32, ["C", "W"]))[:, None]
        with torch.inference_mode():
            given = samples.to(device=self._device, dtype=self._precision.dtype)
            pooled = self._model.audio_model.audio_encoder(input_values=given).pooler_output
            found = self._model.audio_model.audio_head(pooled)
        features: FloatArray = torch.nn.functional.normalize(found.float().cpu(), dim=-1).numpy()
        return features

    def _text_head(self, pooled: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._model.audio_model.text_audio_head(pooled)
        return found


def whole_tokens(samples: FloatArray, hop: int) -> FloatArray:
    """(n,) -> (m,), m the next multiple of `hop`, the end mirrored."""
    spare = -len(samples) % hop
    return np.pad(samples, (0, spare), "reflect") if spare else samples


def read_inputs(folder: Path) -> PeavInputs:
    """What a checkpoint hears and sees.

    Raises:
        WeightsMissing: no `processor_config.json`. WeightsCorrupt: one that lacks a setting, or asks for what is
            not supported.
    """
    path = folder / _PROCESSOR
    said = read_json(path, ["feature_extractor", "video_processor"])
    sound, video = said["feature_extractor"], said["video_processor"]
    try:
        side, wide = int(video["size"]["height"]), int(video["size"]["width"])
        pixels = PixelSettings(
            mean=tuple(video["image_mean"]),
            std=tuple(video["image_std"]),
            resize_mode="squash",
            interpolation=_RESAMPLING.get(video.get("resample", 2), str(video.get("resample"))),
        )
        inputs = PeavInputs(
            rate_hz=int(sound["sampling_rate"]),
            hop=int(sound["hop_length"]),
            side_px=side,
            pixels=pixels,
            frames=int(video["num_frames"]) if video.get("num_frames") else None,
        )
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise WeightsCorrupt(
            f"{path} lacks a setting or asks for one that is not supported: {error!r}"
        ) from error
    if side != wide or video.get("do_center_crop") or not video.get("do_resize", True):
        raise WeightsCorrupt(
            f"{path} asks for pictures that are not squashed to a square; choose weights that do"
        )
    return inputs


@lru_cache(maxsize=2)
def _load(folder: Path, precision: Precision, device: torch.device) -> Any:
    """`PeAudioVideoModel` without its joint encoder, frozen; one model for both sides.

    Its own `from_pretrained` ties weights by name and stumbles over timm's buffer `rope.bands` (transformers 5.23,
    timm 1.0.31), so the parts are filled here, each from whichever of the tied names the file has.

    Raises:
        WeightsMissing: a file that is not there. WeightsCorrupt: damaged or another layout.
    """
    from transformers import PeAudioVideoConfig, PeAudioVideoModel
    from transformers.initialization import no_init_weights

    path, values = (
        weights_file(folder),
        read_json(folder / "config.json", ["audio_video_config", "text_config"]),
    )
    if values.get("model_type") != "pe_audio_video":
        raise WeightsCorrupt(
            f"{folder / 'config.json'} describes a model of type {values.get('model_type')!r}, not 'pe_audio_video'"
        )
    state = read_state(path)
    # transformers 5.23 prints a remark on its own documentation while it makes the model
    with torch.random.fork_rng(devices=[]), no_init_weights(), contextlib.redirect_stdout(sys.stderr):
        model = PeAudioVideoModel(PeAudioVideoConfig.from_dict(values))
    model.audio_video_encoder = (
        None  # the joint embedding of picture and sound together: nobody asks for it here
    )
    model.audio_model.text_model = model.video_model.text_model = model.text_model
    for name, others in _PARTS.items():
        _fill(model.get_submodule(name), state, (name, *others), path)
    return prepare(model, precision, device)


_JOINT = "audio_video_encoder.embedder"
# the parts that are used -> other names under which a file may hold the same tensors
_PARTS = {
    "text_model": ("audio_model.text_model", "video_model.text_model"),
    "audio_model.audio_encoder": (f"{_JOINT}.audio_encoder",),
    "video_model.video_encoder": (f"{_JOINT}.video_encoder",),
    **{f"audio_model.{head}": () for head in ("audio_head", "text_audio_head")},
    **{f"video_model.{head}": () for head in ("video_head", "text_video_head")},
}


def _fill(part: torch.nn.Module, state: Mapping[str, torch.Tensor], names: Sequence[str], path: Path) -> None:
    """Give a part its tensors. Raises WeightsCorrupt: some lack, are not known or have another size."""
    found = next((name for name in names if any(key.startswith(f"{name}.") for key in state)), names[0])
    own = {key[len(found) + 1 :]: value for key, value in state.items() if key.startswith(f"{found}.")}
    try:
        part.load_state_dict({key: value.float() for key, value in own.items()}, strict=True, assign=True)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:200]
        raise not_of_config(path, f"{names[0]}: {detail}") from error


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Any:
    """Raises WeightsMissing."""
    from transformers import AutoTokenizer

    for name in TOKENIZER_FILES:
        if not (folder / name).is_file():
            raise WeightsMissing(f"{folder} has no {name}, which PE-AV needs to read words")
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
