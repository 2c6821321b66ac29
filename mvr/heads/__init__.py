"""Heads: our trained projections from backbone features to one joint embedding space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mvr.heads.head import HEAD_KINDS, Head

if TYPE_CHECKING:
    from mvr.heads.file import load_head, save_head
    from mvr.heads.table import create_head

__all__ = ["HEAD_KINDS", "Head", "create_head", "load_head", "save_head"]


def __getattr__(name: str) -> Any:
    """Load torch only when a head is created or read: `mvr --help` needs none."""
    if name == "create_head":
        from mvr.heads.table import create_head

        return create_head
    if name in ("load_head", "save_head"):
        from mvr.heads import file

        return getattr(file, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
