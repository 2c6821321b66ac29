"""Number formats of a frozen encoder and the device it runs on: float32, bfloat16, float16, int8 (processor only).

int8 is dynamic and symmetric: weights per output channel, activations per row, so that a batch is its rows one by
one; attention scores, norms and convolutions stay in float32. A processor without exact int8 products (x86 before
VNNI) multiplies the same whole numbers in float32: small weights, no time gained. What each mode costs in likeness and
gains in time is measured by `python -m eval.speed` and written down in LOG.md.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mvr.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Precision(StrEnum):
    """How numbers are held while a backbone runs."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"

    @property
    def dtype(self) -> torch.dtype:
        """Type of inputs and of everything that is not quantised."""
        return {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(self.value, torch.float32)


def parse_precision(name: str) -> Precision:
    """The precision called `name`.

    Raises:
        UsageError: an unknown name; lists the known ones.
    """
    if name not in list(Precision):
        raise UsageError(f"unknown precision {name!r}; choose from {', '.join(Precision)}")
    return Precision(name)


def pick_device(name: str) -> torch.device:
    """`auto` is the graphics card where there is one.

    Raises:
        UsageError: a device that torch does not know or that is not here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"unknown device {name!r}; choose auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"device {name!r} is not here; choose auto or cpu")
    return device


def prepare(model: nn.Module, precision: Precision, device: torch.device) -> nn.Module:
    """Freeze a model, move it, and bring it to a precision; returns it in eval mode.

    Raises:
        UsageError: int8 on a graphics card.
    """
    if precision is Precision.INT8 and device.type != "cpu":
        raise UsageError("int8 runs on the processor only; choose bfloat16 on a graphics card")
    model = model.requires_grad_(False).eval().to(device=device, dtype=precision.dtype)
    return quantise(model) if precision is Precision.INT8 else model


@lru_cache(maxsize=1)
def has_exact_int8() -> bool:
    """Whether int8 products are exact here: without VNNI, oneDNN adds two of them in 16 bits, where they clip."""
    full = torch.full((64, 64), 127, dtype=torch.int8)
    return bool((torch._int_mm(full, full) == 64 * 127**2).all())


class Int8Linear(nn.Module):
    """A frozen `nn.Linear` with int8 weights (one scale per output) and rows quantised as they come."""

    weight: Tensor
    scale: Tensor

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1).clip(min=torch.finfo(torch.float32).tiny) / 127
        self.register_buffer("weight", (weight / scale[:, None]).round().to(torch.int8).T.contiguous())
        self.register_buffer("scale", scale)
        self.bias = None if bias is None else nn.Parameter(bias.detach().clone(), requires_grad=False)

    def forward(self, rows: Tensor) -> Tensor:
        """(..., K) float32 -> (..., N) float32."""
        flat = rows.reshape(-1, rows.shape[-1])
        scale = flat.abs().amax(dim=1, keepdim=True).clip(min=torch.finfo(torch.float32).tiny) / 127
        whole = (flat / scale).round()
        if has_exact_int8():
            sums = torch._int_mm(whole.to(torch.int8), self.weight).to(torch.float32)
        else:
            sums = whole @ self.weight.to(torch.float32)
        out = sums.mul_(scale).mul_(self.scale)
        if self.bias is not None:
            out += self.bias
        return out.view(*rows.shape[:-1], -1)


class Int8SelfAttention(nn.Module):
    """What open_clip asks of `nn.MultiheadAttention`, with int8 projections: self-attention, batch first."""

    def __init__(self, frozen: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads = frozen.num_heads
        self.in_proj = Int8Linear(frozen.in_proj_weight, frozen.in_proj_bias)
        self.out_proj = Int8Linear(frozen.out_proj.weight, frozen.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """(B, T, D) -> (B, T, D); the weights are never given out."""
        assert key is query and value is query and not need_weights
        batch, length, width = query.shape
        shape = (batch, length, 3, self.heads, width // self.heads)
        parts = self.in_proj(query).view(shape).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=attn_mask)
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), None


def quantise(model: nn.Module) -> nn.Module:
    """Replace the linear layers of a frozen float32 model by int8 ones, in place."""
    for parent, name, child in list(_replaceable(model)):
        if isinstance(child, nn.MultiheadAttention):
            setattr(parent, name, Int8SelfAttention(child))
        elif isinstance(child, nn.Linear):
            setattr(parent, name, Int8Linear(child.weight, child.bias))
        else:
            quantise_child: Callable[[], None] = getattr(child, "quantise")  # noqa: B009
            quantise_child()
    return model


def _replaceable(module: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for name, child in module.named_children():
        if isinstance(child, nn.MultiheadAttention | nn.Linear) or hasattr(child, "quantise"):
            yield module, name, child
        else:
            yield from _replaceable(child)
