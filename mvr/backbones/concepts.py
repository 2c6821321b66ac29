"""What can be seen: frames of a clip -> scores of 79 concepts (guitar, car, snow, dog, wedding ...).

EfficientNet-Lite0 (Tan & Le 2019; ImageNet) gives 1000 logits a frame. Per frame they are standardised, since one
common factor of confidence takes up much of their variance; a concept is the soft maximum of its classes:
(logsumexp(2 u) - log count) / 2. Crops and frames are averaged.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mvr.backbones.backbone import check_features
from mvr.backbones.network_file import NetworkFile, read_network
from mvr.backbones.onnx_graph import Graph, Network
from mvr.config.settings import settings_from
from mvr.datatypes import FloatArray, JsonDict, Modality, Segment
from mvr.errors import UsageError
from mvr.media.progress import tell_done

VERSION = 1  # part of the settings hash: raise it whenever a number changes
SIDE_PX = 224
_CROPS = ("centre", "whole")
_FRAMES_AT_ONCE = 4  # more at once are not faster: their maps fall out of the cache
# blocks, kernel, stride, expansion of each stage (Tan & Le 2019, table 1; Lite: no squeeze and excitation, ReLU6)
_STAGES = ((1, 3, 1, 1), (2, 3, 2, 6), (2, 5, 2, 6), (3, 3, 2, 6), (3, 5, 1, 6), (4, 5, 2, 6), (1, 3, 1, 6))
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class ConceptsOptions:
    """How a clip becomes pictures.

    Attributes:
        rate_hz, max_frames: frames per second of a segment, and the most of them.
        crops: "centre" (the middle square), "whole" (squashed to a square), or both; each costs one pass.
        borders: cut off constant borders first.
    """

    rate_hz: float = 1.0
    max_frames: int = 16
    crops: Sequence[str] = _CROPS
    borders: bool = True

    def __post_init__(self) -> None:
        if not self.crops or not set(self.crops) <= set(_CROPS):
            raise UsageError(f"unknown crops {list(self.crops)}; choose from {', '.join(_CROPS)}")
        if self.max_frames < 1 or not 0 < self.rate_hz <= 240:
            raise UsageError(f"rate_hz={self.rate_hz}, max_frames={self.max_frames}: give numbers above 0")


class ConceptsVideo:
    """The backbone `concepts`; a row of `preprocess` is (frames, crops, 224, 224, 3) uint8.

    Raises:
        UsageError: an unknown option. WeightsError: the network is not there or damaged.
    """

    name = "concepts"
    modality = Modality.VIDEO

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(ConceptsOptions, options)
        file = read_network("concepts", weights=False)
        self.concepts: tuple[str, ...] = tuple(file.facts["concepts"])
        self.dim = len(self.concepts)
        self._classes = [np.array(numbers) for numbers in file.facts["concepts"].values()]
        self._weights = str(file.facts["wheel_sha256"])

    @cached_property
    def _network(self) -> Network:
        """Built for the first picture: a list whose features are known asks for the settings alone."""
        return build_network(read_network("concepts"))

    @property
    def settings(self) -> JsonDict:
        """What changes the output."""
        options = dataclasses.asdict(self._options) | {"crops": list(self._options.crops)}
        return {"version": VERSION, "weights": self._weights, **options}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> Pixels:
        """Frames of a file at the middles of equal parts of each segment; all rows have one number of frames."""
        from mvr.media.frames import sample_frames

        longest_s = max(segment.duration_s for segment in segments)
        count = min(self._options.max_frames, max(1, math.ceil(longest_s * self._options.rate_hz - 1e-6)))
        middles = (np.arange(count) + 0.5) / count
        times_s = np.stack([segment.start_s + middles * segment.duration_s for segment in segments])
        moments, place = np.unique(np.round(times_s, 4), return_inverse=True)
        images = sample_frames(path, times_s=moments.tolist(), max_side_px=2 * SIDE_PX).images
        if self._options.borders:
            from mvr.media.borders import crop, detect_borders

            images = crop(images, detect_borders(images))
        return squares(images, self._options.crops)[place.reshape(times_s.shape)]

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Concept scores (S, 79) float32 of (S, frames, crops, 224, 224, 3) uint8."""
        pictures = batch.reshape(-1, SIDE_PX, SIDE_PX, 3)
        parts = []
        for at in range(0, len(pictures), _FRAMES_AT_ONCE):
            parts.append(self._logits(pictures[at : at + _FRAMES_AT_ONCE]))
            tell_done((at + _FRAMES_AT_ONCE) / len(pictures))
        scores = concept_scores(np.concatenate(parts), self._classes)
        means = scores.reshape(len(batch), -1, self.dim).mean(axis=1)
        return check_features(means, self.name)

    def _logits(self, pictures: Pixels) -> FloatArray:
        scaled = (pictures.astype(np.float32) - np.float32(127)) / np.float32(128)
        return self._network.run(scaled.transpose(0, 3, 1, 2))


def concept_scores(logits: FloatArray, classes: Sequence[npt.NDArray[np.int64]]) -> FloatArray:
    """Scores (N, C) of logits (N, K): each concept the soft maximum of its standardised classes."""
    spread = logits.std(axis=1, keepdims=True)
    doubled = 2 * (logits - logits.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-6)
    columns = []
    for numbers in classes:
        chosen = doubled[:, numbers]
        top = chosen.max(axis=1)
        columns.append((top + np.log(np.exp(chosen - top[:, None]).mean(axis=1))) / 2)
    return np.stack(columns, axis=1).astype(np.float32)


def squares(images: Pixels, crops: Sequence[str]) -> Pixels:
    """Frames (N, H, W, 3) -> (N, crops, 224, 224, 3), bicubic with antialias (Pillow)."""
    from PIL import Image

    height, width = images.shape[1:3]
    short = min(height, width)
    left, top = (width - short) // 2, (height - short) // 2
    boxes = {"centre": (left, top, left + short, top + short), "whole": (0, 0, width, height)}
    out = np.empty((len(images), len(crops), SIDE_PX, SIDE_PX, 3), np.uint8)
    for row, image in enumerate(images):
        picture = Image.fromarray(image)
        for column, crop in enumerate(crops):
            small = picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC, boxes[crop])
            out[row, column] = np.asarray(small)
    return out


def build_network(file: NetworkFile) -> Network:
    """EfficientNet-Lite0: pictures (N, 3, 224, 224) -> logits (N, 1000)."""
    builder = _Builder(file)
    x = builder.convolution("pictures", stride=2)
    for blocks, kernel, stride, expansion in _STAGES:
        for block in range(blocks):
            y = builder.convolution(x) if expansion > 1 else x
            y = builder.convolution(y, stride=stride if block == 0 else 1, kernel=kernel)
            y = builder.convolution(y, linear=True)
            x = builder.graph.node("Add", x, y) if block else y
    x = builder.graph.node("ReduceMean", builder.convolution(x), axes=[2, 3], keepdims=0)
    weight, bias = (builder.graph.weight(file.tensor(f"classifier.{part}")) for part in ("weight", "bias"))
    output = builder.graph.node("Gemm", x, weight, bias, transB=1)
    return builder.graph.network({"pictures": (None, 3, SIDE_PX, SIDE_PX)}, output)


class _Builder:
    """Takes the file's convolutions one after the other."""

    def __init__(self, file: NetworkFile) -> None:
        self.graph = Graph()
        self._file = file
        self._used = 0

    def convolution(self, x: str, *, stride: int = 1, kernel: int = 0, linear: bool = False) -> str:
        """The next convolution, with ReLU6 unless `linear`; with a `kernel` it is depthwise."""
        prefix = f"convolution{self._used:02}"
        weight, bias = self._file.tensor(f"{prefix}.weight"), self._file.tensor(f"{prefix}.bias")
        self._used += 1
        y = self.graph.node(
            "Conv",
            x,
            self.graph.weight(weight),
            self.graph.weight(bias),
            strides=[stride, stride],
            group=len(weight) if kernel else 1,
            auto_pad="SAME_UPPER",  # TensorFlow's: one more at the end
        )
        if linear:
            return y
        low, high = (self.graph.weight(np.array(bound, np.float32)) for bound in (0, 6))
        return self.graph.node("Clip", y, low, high)
