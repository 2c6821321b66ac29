"""Where re-rankings lie: a candidate competes blind in the arena, a promoted one orders the page's lists.

MVR_HOME/rerankers/SYSTEM-DIRECTION.candidate.json     written by `mvr votes learn`
MVR_HOME/rerankers/SYSTEM-DIRECTION.json               written by `mvr votes promote`, through all three gates
"""

from __future__ import annotations

from pathlib import Path

from mvr.arena.reranking.model import Reranker
from mvr.config.paths import home_dir
from mvr.datatypes import Direction


def candidate_path(system: str, direction: Direction) -> Path:
    """File of the re-ranking that is on trial."""
    return home_dir() / "rerankers" / f"{system}-{direction}.candidate.json"


def promoted_path(system: str, direction: Direction) -> Path:
    """File of the re-ranking that orders lists now."""
    return home_dir() / "rerankers" / f"{system}-{direction}.json"


def load_if_there(path: Path, version: str) -> Reranker | None:
    """The re-ranking of a file, None where there is none.

    Raises:
        DataError: the file is damaged. SettingsMismatch: it was fitted for another version of the system.
    """
    return Reranker.load(path, version=version) if path.is_file() else None
