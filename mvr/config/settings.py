"""Settings: frozen keyword-only dataclasses with their defaults in one place; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from mvr.errors import SettingsMismatch, UsageError

T = TypeVar("T")


def settings_from(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build the settings dataclass `cls` from a mapping.

    Raises:
        UsageError: a key that `cls` does not have; the message lists the ones it has.
    """
    known = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r} for {cls.__name__}; choose from {', '.join(known)}")
    return cls(**values)


def canonical_json(values: Mapping[str, Any]) -> str:
    """The one spelling of a settings mapping: sorted keys, no blanks, no NaN."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def settings_hash(values: Mapping[str, Any]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of `canonical_json`.

    >>> settings_hash({"b": 1, "a": 2}) == settings_hash({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(canonical_json(values).encode()).hexdigest()[:16]


def compare_settings(stored: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    """Refuse to use `what` when it was made with other settings.

    Raises:
        SettingsMismatch: names the first setting that differs, with both values.
    """
    for key in sorted(set(stored) | set(wanted)):
        if stored.get(key) != wanted.get(key):
            raise SettingsMismatch(
                f"{what} was made with {key}={stored.get(key)!r}, but {key}={wanted.get(key)!r} is in force; "
                "rebuild it or use the settings it was made with"
            )
