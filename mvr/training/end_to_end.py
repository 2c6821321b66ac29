"""End-to-end training: the last n transformer blocks of a backbone learn together with the head.

Inputs are what a backbone's `preprocess` gives, so every step runs the backbone: this is for a GPU, or for the tiny
models of the tests. A head trained on stored features is the place to start from. What was unfrozen is saved beside
the head; everything else of the backbone stays as published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mvr.datatypes import Modality
from mvr.errors import DataError, NotFinite, UsageError, WeightsCorrupt
from mvr.heads.trainable import TrainableHead
from mvr.training.objective import BatchFacts, Objective
from mvr.training.optimizer import schedule
from mvr.training.settings import LossSettings
from mvr.training.step import mixed_seed


@dataclass(frozen=True, kw_only=True)
class Tower:
    """One modality's backbone.

    Attributes:
        encode: model input (B, ...) -> features (B, D), differentiable.
        weights: the module whose blocks may learn, for example `model.modality_trunks["vision"]`.
    """

    encode: Callable[[Tensor], Tensor]
    weights: nn.Module


@dataclass(frozen=True, kw_only=True)
class EndToEndSettings:
    """How.

    Attributes:
        blocks: last transformer blocks that learn, per tower; 0 leaves the backbone frozen.
        epochs, batch_rows: as in `TrainSettings`; the batch must fit in memory with its activations.
        learning_rate, backbone_learning_rate: of the head and of the unfrozen blocks.
        weight_decay, warmup_share, seed: as in `TrainSettings`.
    """

    blocks: int = 1
    epochs: int = 5
    batch_rows: int = 32
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-5
    weight_decay: float = 1e-2
    warmup_share: float = 0.1
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class RawPairs:
    """N preprocessed items: video and audio inputs (N, ...), group numbers (N,), labels taxonomy -> (N, C) bool."""

    video: npt.NDArray[Any]
    audio: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    labels: dict[str, npt.NDArray[np.bool_]]


def block_stack(module: nn.Module) -> Sequence[nn.Module]:
    """The stack of transformer blocks in a module: its longest list of modules of one class.

    Raises:
        UsageError: there is none.
    """
    best: list[nn.Module] = []
    for part in module.modules():
        children = list(part) if isinstance(part, (nn.ModuleList, nn.Sequential)) else []
        alike = bool(children) and len({type(child) for child in children}) == 1
        if alike and len(children) > len(best) and any(True for _ in children[0].parameters()):
            best = children
    if not best:
        raise UsageError(f"{type(module).__name__} has no stack of transformer blocks to unfreeze")
    return best


def unfreeze_last_blocks(module: nn.Module, blocks: int) -> list[nn.Parameter]:
    """Freeze a module except the last `blocks` of its stack; returns the parameters that learn.

    Raises:
        UsageError: more blocks than there are, or no stack.
    """
    stack = block_stack(module)
    if not 0 <= blocks <= len(stack):
        raise UsageError(f"{blocks} blocks to unfreeze, but the backbone has {len(stack)}")
    module.requires_grad_(False)
    chosen = list(stack)[len(stack) - blocks :]
    for block in chosen:
        block.requires_grad_(True)
    return [parameter for block in chosen for parameter in block.parameters()]


def train_end_to_end(
    towers: dict[Modality, Tower],
    head: TrainableHead,
    pairs: RawPairs,
    settings: EndToEndSettings,
    loss: LossSettings | None = None,
) -> list[float]:
    """Train head and last blocks in place.

    Args:
        towers: both modalities; their inputs are rows of `pairs`.
        head: a head of the towers' widths whose standardisation is fitted on the towers' features.
        pairs: preprocessed training items.
        settings: how.
        loss: of the head's branches.

    Returns:
        Mean loss of each epoch.

    Raises:
        DataError: fewer than two items. UsageError: see `unfreeze_last_blocks`. NotFinite: it diverged.
    """
    if len(pairs.groups) < 2:
        raise DataError(f"end-to-end training needs at least 2 items, not {len(pairs.groups)}")
    objective = Objective(loss or LossSettings(), head.branches)
    learning = [p for tower in towers.values() for p in unfreeze_last_blocks(tower.weights, settings.blocks)]
    groups = [{"params": [*head.parameters(), *objective.parameters()], "lr": settings.learning_rate}]
    if learning:
        groups.append({"params": learning, "lr": settings.backbone_learning_rate})
    optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
    rows = min(settings.batch_rows, len(pairs.groups))
    total = settings.epochs * (len(pairs.groups) // rows)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: schedule(s, total, settings.warmup_share))
    history = []
    with torch.random.fork_rng():
        for epoch in range(settings.epochs):
            torch.manual_seed(mixed_seed(settings.seed, epoch))
            losses = []
            for batch in _batches(len(pairs.groups), rows, (settings.seed, epoch)):
                losses.append(_step(towers, (head, objective), pairs, batch, optimizer))
                rates.step()
            history.append(float(np.mean(losses)))
    head.eval()
    return history


def _batches(count: int, rows: int, seed: tuple[int, int]) -> Iterator[npt.NDArray[np.int64]]:
    order = np.random.default_rng(seed).permutation(count)
    for start in range(0, count // rows * rows, rows):
        yield order[start : start + rows]


def _step(
    towers: dict[Modality, Tower],
    learner: tuple[TrainableHead, Objective],
    pairs: RawPairs,
    batch: npt.NDArray[np.int64],
    optimizer: torch.optim.Optimizer,
) -> float:
    head, objective = learner
    head.train()
    device = next(head.parameters()).device
    inputs = {Modality.VIDEO: pairs.video, Modality.AUDIO: pairs.audio}
    prepared = tuple(
        head.prepare(m, towers[m].encode(torch.from_numpy(inputs[m][batch]).to(device))) for m in Modality
    )
    facts = BatchFacts(
        groups=torch.from_numpy(pairs.groups[batch]).to(device),
        labels={name: torch.from_numpy(hot[batch]).to(device) for name, hot in pairs.labels.items()},
        prepared=(prepared[0], prepared[1]),
    )
    video, audio = (head.embed(m, rows) for m, rows in zip(Modality, prepared, strict=True))
    total = torch.stack(list(objective(video, audio, facts).values())).sum()
    if not torch.isfinite(total):
        raise NotFinite("the loss is NaN or infinite: the model has diverged; lower the learning rates")
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(total)
    optimizer.step()
    return float(total.detach())


def save_unfrozen(towers: dict[Modality, Tower], path: Path) -> None:
    """Write the weights that learned, as safetensors with names `video.…` and `audio.…`."""
    tensors = {
        f"{modality}.{name}": parameter.detach().cpu().contiguous()
        for modality, tower in towers.items()
        for name, parameter in tower.weights.named_parameters()
        if parameter.requires_grad
    }
    save_file(tensors, path, metadata={"format": "mvr-unfrozen-1"})


def load_unfrozen(towers: dict[Modality, Tower], path: Path) -> int:
    """Put saved weights back into published towers; returns how many tensors.

    Raises:
        WeightsCorrupt: a tensor that the towers do not have, or of another shape.
    """
    tensors = load_file(path)
    for full, tensor in tensors.items():
        modality, _, name = full.partition(".")
        own = dict(towers[Modality(modality)].weights.named_parameters())
        if name not in own or own[name].shape != tensor.shape:
            raise WeightsCorrupt(
                f"{path} holds {full} {tuple(tensor.shape)}, which does not fit this backbone"
            )
        with torch.no_grad():
            own[name].copy_(tensor)
    return len(tensors)
