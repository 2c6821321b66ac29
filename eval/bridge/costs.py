"""What the networks of `bridge-mini` cost: processor seconds in the core (onnxruntime, numpy) and in torch.

Rows are random pictures and noise: a network's cost does not depend on what it is shown. One thread each; the least
of several rounds, since other work on the machine only adds. Decoding is not in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from eval.bridge.twins import torch_concepts, torch_musicnn
from mvr.backbones.audio_tags import CHECKPOINTS, PATCH_SAMPLES, AudioTags, log_mel
from mvr.backbones.audio_tags import build_network as build_tags
from mvr.backbones.concepts import SIDE_PX, ConceptsVideo, build_network, squares
from mvr.backbones.network_file import read_network

ROUNDS = 5
MOST_DIFFERENCE, MOST_CLIP_S = 1e-4, 0.6
_CLIP_FRAMES = 15  # of a clip of 15 s, one a second, two crops each


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Processor seconds of one thing in the core and in torch (None: no torch way), and how far the results differ."""

    what: str
    core_s: float
    torch_s: float | None
    difference: float | None


def measure_costs() -> list[Cost]:
    """Of each network, and of a whole clip and track beside decoding."""
    import torch

    os.environ["OMP_NUM_THREADS"] = "1"  # read when a network is made
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [_frame(), _patch(), _clip(), _track()]
    finally:
        torch.set_num_threads(before)


def _frame() -> Cost:
    pictures = np.random.default_rng(0).normal(0, 0.5, (1, 3, SIDE_PX, SIDE_PX)).astype(np.float32)
    network, twin = build_network(read_network("concepts")), torch_concepts()
    return _against("`concepts`, a frame and crop", lambda: network.run(pictures), lambda: twin(pictures))


def _patch() -> Cost:
    patch = log_mel(_noise(PATCH_SAMPLES))[None]
    networks = [build_tags(read_network("audio-tags"), name) for name in CHECKPOINTS]
    return _against(
        "`audio-tags`, a patch (10 s of music)",
        lambda: np.concatenate([each.run(patch)[0] for each in networks]),
        lambda: np.concatenate([torch_musicnn(patch, name)[0] for name in CHECKPOINTS]),
    )


def _clip() -> Cost:
    frames = np.random.default_rng(1).integers(0, 256, (_CLIP_FRAMES, 252, 448, 3), dtype=np.uint8)
    backbone = ConceptsVideo()

    def run() -> object:
        return backbone.encode(squares(frames, ("centre", "whole"))[None])

    return Cost(what="a clip of 15 s, crops and all", core_s=_cpu_s(run), torch_s=None, difference=None)


def _track() -> Cost:
    noise, backbone = _noise(PATCH_SAMPLES), AudioTags()

    def run() -> object:
        return backbone.encode(np.stack([log_mel(noise)[None] for _ in range(3)]))

    return Cost(what="30 s of music, mel and all", core_s=_cpu_s(run), torch_s=None, difference=None)


def _noise(samples: int) -> np.ndarray:
    return (0.1 * np.random.default_rng(2).standard_normal(samples)).astype(np.float32)


def _against(what: str, core: Callable[[], np.ndarray], twin: Callable[[], np.ndarray]) -> Cost:
    difference = float(np.abs(core() - twin()).max())
    return Cost(what=what, core_s=_cpu_s(core), torch_s=_cpu_s(twin), difference=difference)


def _cpu_s(run: Callable[[], object]) -> float:
    """Least processor seconds of several rounds, after one that is not counted."""
    run()
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return round(min(taken), 4)


def costs_markdown(costs: list[Cost], command: str) -> str:
    """The report for readers."""
    lines = [
        "# What the networks of bridge-mini cost",
        "",
        f"Made by `{command}`: processor seconds on one thread, the least of {ROUNDS} rounds, without decoding. "
        f"Limits: results equal to torch's within {MOST_DIFFERENCE:g}, a clip of 15 s within {MOST_CLIP_S:g} s.",
        "",
        "| what | core, CPU s | torch, CPU s | core / torch | largest difference |",
        "|---|---|---|---|---|",
    ]
    for cost in costs:
        torch_s = "" if cost.torch_s is None else f"{cost.torch_s:.3f}"
        ratio = "" if not cost.torch_s else f"{cost.core_s / cost.torch_s:.2f}"
        apart = "" if cost.difference is None else f"{cost.difference:.1e}"
        lines.append(f"| {cost.what} | {cost.core_s:.3f} | {torch_s} | {ratio} | {apart} |")
    return "\n".join(lines) + "\n"
