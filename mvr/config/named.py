"""What a table names as "module:name", imported when it is first wanted."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def named(place: str) -> Any:
    """The object called "module:name".

    >>> named("math:gcd")(12, 8)
    4
    """
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
