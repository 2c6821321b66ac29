"""Clips close to a threshold, for a person to decide on."""

from __future__ import annotations

import json
from pathlib import Path

from mvr.datatypes import JsonDict
from mvr.errors import DataError


def borderline_clips(place: Path) -> list[JsonDict]:
    """`id`, `file`, `decision` and `why` of every clip that the last build called borderline.

    Raises:
        DataError: no build is there.
    """
    try:
        clips = json.loads((place / "build.json").read_text(encoding="utf-8"))["borderline_clips"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{place} holds no build to review; run mvr dataset build first") from error
    return list(clips)
