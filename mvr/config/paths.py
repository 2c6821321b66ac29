"""Where the project's own assets lie and where a user's data goes."""

from __future__ import annotations

import os
from pathlib import Path

DEFAULT_SYSTEM = "control-mvr-mini"  # a card in `assets/systems`
_PACKAGE = Path(__file__).parents[1]
_INSTALLED = {"assets": "assets", "space.yaml": "deployment/space.yaml"}  # see package-dir in pyproject.toml


def resource(name: str) -> Path:
    """A file or folder that ships with the program: beside the package in a checkout, inside it when installed.

    Args:
        name: "assets" or "space.yaml".

    Raises:
        FileNotFoundError: it is in neither place; the installation is broken.
    """
    for path in (_PACKAGE / _INSTALLED[name], _PACKAGE.parent / name):
        if path.exists():
            return path
    raise FileNotFoundError(f"{name} is missing from this installation of mvr ({_PACKAGE}); install it again")


def assets_dir() -> Path:
    """The folder `assets/`, or what `MVR_ASSETS` names."""
    return Path(os.environ["MVR_ASSETS"]) if "MVR_ASSETS" in os.environ else resource("assets")


def home_dir() -> Path:
    """Where libraries, caches, downloaded weights and votes go: `MVR_HOME`, or the platform's data folder."""
    if "MVR_HOME" in os.environ:
        return Path(os.environ["MVR_HOME"])
    base = Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share"))
    return base / "mvr"
