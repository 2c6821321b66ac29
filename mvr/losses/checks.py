"""Edges that every loss refuses: a diverged or a wrongly shaped batch must never look like a small loss."""

from __future__ import annotations

from torch import Tensor

from mvr.errors import NotFinite, WrongShape


def check_batch(first: Tensor, second: Tensor, *, paired: bool) -> None:
    """Refuse embeddings that are not two finite (B, D) matrices.

    Args:
        first: (B, D) embeddings.
        second: (B', D) embeddings; B' = B where `paired`.
        paired: whether row i of one belongs to row i of the other.

    Raises:
        WrongShape: other shapes, or an empty batch.
        NotFinite: NaN or infinity.
    """
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or not len(first):
        raise WrongShape(
            f"a loss takes two (B, D) matrices, not {tuple(first.shape)} and {tuple(second.shape)}"
        )
    if paired and first.shape != second.shape:
        raise WrongShape(f"paired embeddings need as many rows: {len(first)} and {len(second)} came")
    # One sum per matrix instead of a mask: NaN and infinity survive addition of finite numbers.
    if not (first.detach().float().sum() + second.detach().float().sum()).isfinite():
        raise NotFinite(
            "the embeddings hold NaN or infinity: the model has diverged; lower the learning rate"
        )
