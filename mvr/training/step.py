"""One optimisation step: the gradient of the whole batch, whatever the chunk size and the number of processes.

Gradient caching (Gao et al. 2021): embeddings of all chunks first, the loss on the gathered embeddings of the whole
batch, then each chunk again with the gradient of its embeddings. Several processes each own a part of the chunks and
exchange embeddings, so the negatives are those of the whole batch.

All randomness of a step comes from (seed, step, chunk): a chunk draws the same dropout in its first and second pass,
in one process or in two, and before and after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from mvr.datatypes import Modality
from mvr.errors import NotFinite
from mvr.heads.trainable import TrainableHead
from mvr.training.objective import BatchFacts, Objective

_MODALITIES = (Modality.VIDEO, Modality.AUDIO)


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Rows of one forward pass; `number` counts the chunks of all processes."""

    number: int
    rows: slice


@dataclass(frozen=True, kw_only=True)
class StepPlan:
    """How a batch is cut into chunks over all processes.

    Attributes:
        chunk_rows: rows per forward pass; 0 is this process's whole part.
        rank, world: this process and how many there are.
        seed: (seed, step) of the random numbers.
        autocast: whether to run networks in bfloat16.
    """

    chunk_rows: int
    rank: int
    world: int
    seed: tuple[int, int]
    autocast: bool = False

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """This process's chunks."""
        part = rows // self.world
        size = self.chunk_rows or part
        per_process = -(-part // size)
        for c in range(per_process):
            start = self.rank * part + c * size
            part_rows = slice(start, min(start + size, (self.rank + 1) * part))
            yield Chunk(number=self.rank * per_process + c, rows=part_rows)


def batch_gradient(
    head: TrainableHead, objective: Objective, facts: BatchFacts, plan: StepPlan
) -> dict[str, float]:
    """Add the gradient of the whole batch's loss to the parameters; the same on every process.

    Returns:
        The loss of each branch.

    Raises:
        NotFinite: the loss is NaN or infinite.
    """
    chunks = list(plan.chunks(len(facts.groups)))
    first = [_embed(head, facts, chunk, plan, grad=len(chunks) == 1) for chunk in chunks]
    own = tuple(torch.cat([pair[i].detach() for pair in first], dim=2) for i in range(2))
    whole = tuple(_gather(part, plan).requires_grad_() for part in own)
    losses = objective(whole[0], whole[1], facts)
    total = torch.stack(list(losses.values())).sum()
    if not torch.isfinite(total):
        raise NotFinite("the loss is NaN or infinite: the model has diverged; lower the learning rate")
    torch.autograd.backward(total)
    _backward(head, facts, plan, chunks, first, whole)
    if plan.world > 1:
        for parameter in head.parameters():
            if parameter.grad is not None:
                dist.all_reduce(parameter.grad)
    return {name: float(loss.detach()) for name, loss in losses.items()}


def _backward(
    head: TrainableHead,
    facts: BatchFacts,
    plan: StepPlan,
    chunks: list[Chunk],
    first: list[tuple[Tensor, Tensor]],
    whole: tuple[Tensor, ...],
) -> None:
    """Carry the gradient of the embeddings into the head, chunk by chunk."""
    for position, chunk in enumerate(chunks):
        pair = first[position] if len(chunks) == 1 else _embed(head, facts, chunk, plan, grad=True)
        gradients = [w.grad[:, :, chunk.rows] for w in whole if w.grad is not None]
        torch.autograd.backward(list(pair), gradients)


def _embed(
    head: TrainableHead, facts: BatchFacts, chunk: Chunk, plan: StepPlan, *, grad: bool
) -> tuple[Tensor, Tensor]:
    torch.manual_seed(mixed_seed(*plan.seed, chunk.number))
    device = facts.prepared[0].device
    cast: AbstractContextManager[object] = nullcontext()
    if plan.autocast:
        cast = torch.autocast(device.type, dtype=torch.bfloat16)
    with torch.set_grad_enabled(grad), cast:
        video, audio = (
            head.embed(m, p[chunk.rows]) for m, p in zip(_MODALITIES, facts.prepared, strict=True)
        )
    return video, audio


def _gather(part: Tensor, plan: StepPlan) -> Tensor:
    """(B, M, n, D) of every process -> (B, M, N, D), in rank order."""
    if plan.world == 1:
        return part
    parts = [torch.empty_like(part) for _ in range(plan.world)]
    dist.all_gather(parts, part.contiguous())
    return torch.cat(parts, dim=2)


def mixed_seed(*parts: int) -> int:
    """One 63-bit seed of several numbers (the multiplier of splitmix64)."""
    mixed = 0
    for part in parts:
        mixed = (mixed ^ (part + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9 % (1 << 64)
        mixed ^= mixed >> 31
    return mixed >> 1
