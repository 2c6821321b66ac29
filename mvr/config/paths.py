"""Where the project's own assets lie and where a user's data goes."""

from __future__ import annotations

import os
from pathlib import Path


def assets_dir() -> Path:
    """The folder `assets/` of the checkout, or what `MVR_ASSETS` names."""
    return Path(os.environ.get("MVR_ASSETS", Path(__file__).parents[2] / "assets"))


def home_dir() -> Path:
    """Where libraries, caches, downloaded weights and votes go: `MVR_HOME`, or the platform's data folder."""
    if "MVR_HOME" in os.environ:
        return Path(os.environ["MVR_HOME"])
    base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "mvr"
