"""Exact and approximate nearest-neighbour search over branched embeddings; one index serves every alpha."""

from mvr.index.index import Hits, Index, IndexSettings
from mvr.index.mixture import CrossProducts
from mvr.index.table import create_index, index_kinds

__all__ = ["CrossProducts", "Hits", "Index", "IndexSettings", "create_index", "index_kinds"]
