"""Where the project's own assets lie and where a user's data goes."""

from __future__ import annotations

import os
from pathlib import Path

from mvr.errors import UsageError

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
    named = os.environ.get("MVR_ASSETS")
    return Path(named) if named else resource("assets")


def home_dir() -> Path:
    """Where libraries, caches, downloaded weights and votes go: `MVR_HOME`, or the platform's data folder.

    A variable that is empty says nothing, as one that is not there.

    Raises:
        UsageError: no variable names a folder and this user has no home.
    """
    if named := os.environ.get("MVR_HOME"):
        return Path(named)
    if base := os.environ.get("XDG_DATA_HOME"):
        return Path(base) / "mvr"
    try:
        return Path.home() / ".local" / "share" / "mvr"
    except RuntimeError as error:  # a container's user without a name
        raise UsageError(
            "this user has no home folder; set MVR_HOME to a folder that can be written to"
        ) from error
