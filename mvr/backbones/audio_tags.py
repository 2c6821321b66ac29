"""What can be heard: sound -> logits of 100 tags (50 of MagnaTagATune, 50 of the Million Song Dataset).

musicnn (Pons & Serra 2019, arXiv:1909.06654), two checkpoints: patches of 187 frames (2.99 s) of a log mel
spectrogram at 16 kHz. The network has no tag for "this is music" or for speech: on sound that is no music its tags are
arbitrary, and silence gives the same ones every time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
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

VERSION = 1  # part of the settings hash: raise it whenever a number changes
SAMPLE_RATE_HZ, FFT_SIZE, HOP, MEL_BANDS, PATCH_FRAMES = 16_000, 512, 256, 96, 187
PATCH_SAMPLES = (PATCH_FRAMES - 1) * HOP + FFT_SIZE
CHECKPOINTS = ("mtt", "msd")
OUTPUTS = {
    "mtt": (
        "guitar classical slow techno strings drums electronic rock fast piano ambient beat violin vocal synth "
        "female indian opera male singing vocals no_vocals harpsichord loud quiet flute woman male_vocal no_vocal "
        "pop soft sitar solo man classic choir voice new_age dance male_voice female_vocal beats harp cello "
        "no_voice weird country metal female_voice choral"
    ),
    "msd": (
        "rock pop alternative indie electronic female_vocalists dance 00s alternative_rock jazz beautiful metal "
        "chillout male_vocalists classic_rock soul indie_rock Mellow electronica 80s folk 90s chill instrumental "
        "punk oldies blues hard_rock ambient acoustic experimental female_vocalist guitar Hip-Hop 70s party country "
        "easy_listening sexy catchy funk electro heavy_metal Progressive_rock 60s rnb indie_pop sad House happy"
    ),
}


def output_names() -> tuple[str, ...]:
    """Names of the 100 logits in order: "mtt:guitar", "msd:Hip-Hop", ..."""
    return tuple(f"{name}:{tag.replace('_', ' ')}" for name in CHECKPOINTS for tag in OUTPUTS[name].split())


@dataclass(frozen=True, kw_only=True)
class AudioTagsOptions:
    """`patches`: of 2.99 s per segment, at the middles of equal parts of it; each costs about 50 ms."""

    patches: int = 1

    def __post_init__(self) -> None:
        if self.patches < 1:
            raise UsageError(f"patches={self.patches}: at least 1 is needed")


class AudioTags:
    """The backbone `audio-tags`; a row of `preprocess` is (patches, 187, 96), log mel.

    Raises:
        UsageError: an unknown option. WeightsError: the network is not there or damaged.
    """

    name = "audio-tags"
    modality = Modality.AUDIO

    def __init__(self, **options: Any) -> None:
        self._options = settings_from(AudioTagsOptions, options)
        self._weights = str(read_network("audio-tags", weights=False).facts["wheel_sha256"])
        self.outputs = output_names()
        self.dim = len(self.outputs)

    @cached_property
    def _networks(self) -> list[Network]:
        """Built for the first sound: a list whose features are known asks for the settings alone."""
        file = read_network("audio-tags")
        return [build_network(file, name) for name in CHECKPOINTS]

    @property
    def settings(self) -> JsonDict:
        """What changes the output."""
        return {"version": VERSION, "weights": self._weights, **dataclasses.asdict(self._options)}

    def preprocess(self, path: Path, segments: Sequence[Segment]) -> FloatArray:
        """Log mel patches (S, patches, 187, 96) of a file that is read once; zeros where there is no sound."""
        from mvr.media.sound import read_sound

        begin_s = max(0.0, min(segment.start_s for segment in segments))
        end_s = max(segment.end_s for segment in segments)
        sound = read_sound(path, SAMPLE_RATE_HZ, start_s=begin_s, duration_s=end_s - begin_s)
        middles = (np.arange(self._options.patches) + 0.5) / self._options.patches
        rows = []
        for segment in segments:
            centres_s = segment.start_s - begin_s + middles * segment.duration_s
            starts = np.round(centres_s * SAMPLE_RATE_HZ).astype(int) - PATCH_SAMPLES // 2
            rows.append(np.stack([log_mel(piece_of(sound, int(start))) for start in starts]))
        return np.stack(rows)

    def encode(self, batch: npt.NDArray[Any]) -> FloatArray:
        """Logits (S, 100) float32: the mean over patches; one patch at a time, which stays in the cache."""
        patches = batch.reshape(-1, 1, PATCH_FRAMES, MEL_BANDS)
        logits = [np.concatenate([each.run(patch)[0] for each in self._networks]) for patch in patches]
        return check_features(np.stack(logits).reshape(len(batch), -1, self.dim).mean(axis=1), self.name)


def piece_of(sound: FloatArray, start: int) -> FloatArray:
    """PATCH_SAMPLES samples from `start`, which may lie before the first one; zeros outside."""
    piece = np.zeros(PATCH_SAMPLES, np.float32)
    first, last = max(0, start), min(len(sound), start + PATCH_SAMPLES)
    if first < last:
        piece[first - start : last - start] = sound[first:last]
    return piece


def log_mel(samples: FloatArray) -> FloatArray:
    """log10(10,000 mel + 1) of (n,) samples at 16 kHz, not padded: (1 + (n - 512) // 256, 96)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FFT_SIZE)[::HOP]
    import scipy.fft  # takes as long as all else that listing a library imports

    from mvr.signal.spectrum import hann

    spectra = scipy.fft.rfft(frames * hann(FFT_SIZE), axis=1)
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    levels: FloatArray = np.log10(np.float32(10_000) * (power @ _mel_filters()) + np.float32(1))
    return levels


@lru_cache(maxsize=1)
def _mel_filters() -> FloatArray:
    """Triangles of unit area on Slaney's mel scale (linear below 1 kHz), 0 to 8 kHz: (257, 96)."""
    hz = np.arange(1 + FFT_SIZE // 2) * SAMPLE_RATE_HZ / FFT_SIZE
    top = 15 + np.log(SAMPLE_RATE_HZ / 2 / 1000) / (np.log(6.4) / 27)
    mel = np.linspace(0, top, MEL_BANDS + 2)
    edges = np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
    rising = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    return np.ascontiguousarray(triangles.T, np.float32)


def build_network(file: NetworkFile, checkpoint: str) -> Network:
    """One checkpoint: patches (N, 187, 96) -> logits (N, 50)."""
    layers = _Layers(Graph(), file, checkpoint)
    graph, levels = layers.graph, ("input.scale", "input.shift")
    x = graph.node("Add", graph.node("Mul", "patches", layers.weight(levels[0])), layers.weight(levels[1]))
    x = graph.node("Unsqueeze", x, graph.weight(np.array([1])))
    front = graph.node("Concat", *(layers.front(x, number) for number in range(5)), axis=1)  # (N, 561, 187)
    first = layers.middle(front, 5)
    second = graph.node("Add", layers.middle(first, 6), first)
    third = graph.node("Add", layers.middle(second, 7), second)
    maps = graph.node("Concat", front, first, second, third, axis=1)
    pools = [graph.node(pool, maps, axes=[2], keepdims=1) for pool in ("ReduceMax", "ReduceMean")]
    pooled = graph.node("Flatten", graph.node("Concat", *pools, axis=2))  # maximum and mean, map by map
    hidden = graph.node("Relu", layers.dense(pooled, "hidden"))
    return graph.network({"patches": (None, PATCH_FRAMES, MEL_BANDS)}, layers.dense(hidden, "output"))


@dataclass(frozen=True)
class _Layers:
    graph: Graph
    file: NetworkFile
    checkpoint: str

    def weight(self, name: str, *, column: bool = False) -> str:
        values = self.file.tensor(f"{self.checkpoint}.{name}")
        return self.graph.weight(values[:, None] if column else values)

    def front(self, x: str, number: int) -> str:
        """Filters over time and frequency, the maximum over frequency, ReLU, scale and shift: (N, filters, 187).

        A filter with a negative scale is stored negated; its largest value is then minus the smallest one.
        """
        prefix, graph = f"convolution{number}", self.graph
        kernel = self.file.tensor(f"{self.checkpoint}.{prefix}.weight")
        height = kernel.shape[2]
        before, after = (height - 1) // 2, height // 2  # as many frames out as in
        y = graph.node("Conv", x, graph.weight(kernel), pads=[before, 0, after, 0])
        y = graph.node("ReduceMax", y, axes=[3], keepdims=0)
        y = graph.node("Add", y, self.weight(f"{prefix}.bias", column=True))
        scale = self.file.tensor(f"{self.checkpoint}.{prefix}.scale")
        sign = np.where(scale < 0, -1, 1).astype(np.float32)
        y = graph.node("Relu", graph.node("Mul", y, graph.weight(sign[:, None])))
        return self._affine(y, prefix)

    def middle(self, x: str, number: int) -> str:
        """A convolution over time, ReLU, scale and shift: (N, 64, 187)."""
        prefix, graph = f"convolution{number}", self.graph
        kernel = self.file.tensor(f"{self.checkpoint}.{prefix}.weight")[:, 0]  # (64, 7, maps)
        bias = self.weight(f"{prefix}.bias")
        y = graph.node("Conv", x, graph.weight(kernel.transpose(0, 2, 1)), bias, pads=[3, 3])
        return self._affine(graph.node("Relu", y), prefix)

    def _affine(self, x: str, prefix: str) -> str:
        scaled = self.graph.node("Mul", x, self.weight(f"{prefix}.scale", column=True))
        return self.graph.node("Add", scaled, self.weight(f"{prefix}.shift", column=True))

    def dense(self, x: str, name: str) -> str:
        return self.graph.node("Gemm", x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"))
