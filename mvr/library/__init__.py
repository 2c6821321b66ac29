"""The user's tracks and videos: scanned, tagged, measured, embedded and indexed, incrementally."""

from mvr.library.demo import open_demo_library
from mvr.library.item import Item
from mvr.library.library import Library
from mvr.library.report import AddReport, Progress, SameMusic, Skipped
from mvr.library.vectors import LibraryIndex

__all__ = [
    "AddReport",
    "Item",
    "Library",
    "LibraryIndex",
    "Progress",
    "SameMusic",
    "Skipped",
    "open_demo_library",
]
