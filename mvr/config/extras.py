"""Optional parts of the program: which extra brings a package, and the one line to type when it is missing."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from mvr.errors import ExtraMissing

INSTALL = "python -m pip install 'mvr[{extra}]' (in a checkout: make {extra})"
# Packages without a wheel for the newest Python: the last one that has one, as in pyproject.toml's marker.
LAST_PYTHON = {"opentimelineio": (3, 13)}


def need(package: str, what: str, extra: str) -> None:
    """Make sure that `package` can be imported before `what` begins to import it.

    Args:
        package: an import name, for example "torch".
        what: what needs it, as the sentence's subject.
        extra: which extra of the project brings it.

    Raises:
        ExtraMissing: it is not installed; the sentence says the line to type, or the Python that it exists for.
    """
    if has(package):
        return
    here, last = sys.version_info[:2], LAST_PYTHON.get(package)
    line = INSTALL.format(extra=extra)
    if last is not None and here > last:
        raise ExtraMissing(
            f"{what} needs {package}, which has no wheel for Python {here[0]}.{here[1]} yet; "
            f"with Python {last[0]}.{last[1]} type: {line}"
        )
    raise ExtraMissing(f"{what} needs {package}, which is not installed; type: {line}")


def version_of(distribution: str) -> str | None:
    """The version of an installed distribution; None where it is absent, or another build of it is here."""
    from importlib.metadata import PackageNotFoundError, version  # takes longer than all else here

    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def has(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a package that is blocked, or half loaded
        return False
