"""Optional parts of the program: which extra brings a package, and the one line to type when it is missing."""

from __future__ import annotations

from importlib.util import find_spec

from mvr.errors import ExtraMissing

INSTALL = "python -m pip install 'mvr[{extra}]' (in a checkout: make {extra})"


def need(package: str, what: str, extra: str) -> None:
    """Make sure that `package` can be imported before `what` begins to import it.

    Args:
        package: an import name, for example "torch".
        what: what needs it, as the sentence's subject.
        extra: which extra of the project brings it.

    Raises:
        ExtraMissing: it is not installed; the sentence says the line to type.
    """
    if not has(package):
        raise ExtraMissing(
            f"{what} needs {package}, which is not installed; type: {INSTALL.format(extra=extra)}"
        )


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
