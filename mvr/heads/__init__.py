"""Heads: our trained projections from backbone features to one joint embedding space."""

from __future__ import annotations

from mvr.heads.file import load_head, save_head
from mvr.heads.head import Head
from mvr.heads.table import HEAD_KINDS, create_head

__all__ = ["HEAD_KINDS", "Head", "create_head", "load_head", "save_head"]
