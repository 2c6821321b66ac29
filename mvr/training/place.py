"""Where a training computes: a device, and a process among those that `torchrun` starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from mvr.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this process computes: its device, its number and how many there are."""

    device: torch.device
    rank: int = 0
    world: int = 1


@contextmanager
def processes(device: str) -> Iterator[Place]:
    """This process's place; joins the group that `torchrun` announces and leaves it again.

    Raises:
        UsageError: no such device, or no usable GPU.
    """
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    chosen = _device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if world == 1:
        yield Place(device=chosen)
        return
    joined = not dist.is_initialized()
    if joined:
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Place(device=chosen, rank=rank, world=world)
    finally:
        if joined:
            dist.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    if name == "auto":
        name = f"cuda:{local_rank}" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"unknown device {name!r}; choose from auto, cpu, cuda, cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("there is no usable GPU; choose device 'auto' or 'cpu'")
    return device
