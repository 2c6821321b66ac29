"""What to show when somebody claims the music in a film: which file it is, what it says of its licence, where it is.

Nothing is asserted that was not read: the file's SHA-256, its tags as they are, the licence and when it was read, the
place in the film, the versions of the tools. A page for printing says the same in words.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mvr import __version__
from mvr.config.digest import content_hash
from mvr.datatypes import JsonDict
from mvr.delivery.cues import cue_rows
from mvr.delivery.plan import Delivery, shown
from mvr.errors import DataError
from mvr.library.rights import rights_of

_LONGEST = 2000  # characters of one tag: lyrics are no evidence


def claim_evidence(delivery: Delivery, *, drop_frame: bool = False) -> JsonDict:
    """Everything that is known, JSON-able.

    Raises:
        DataError: the music file has changed since the library read it.
    """
    sound, film = delivery.chosen, delivery.film
    now = datetime.now(UTC).isoformat(timespec="seconds")
    sha256 = content_hash(sound.path)
    if sound.sha256 and sha256 != sound.sha256:
        raise DataError(
            f"{sound.path.name} has changed since the library read it; add it again with `mvr library add`"
        )
    rights = rights_of(sound.licence)
    return {
        "made_at": now,
        "tool": {"name": "mvr", "version": __version__},
        "index": delivery.origin,
        "music": {
            "file": shown(sound.path.name),
            "sha256": sha256,
            "size_bytes": sound.path.stat().st_size,
            "title": sound.title,
            "artist": sound.artist,
            **asdict(sound.rights_holders),
            "source": sound.source,
            "credit": sound.credit,
            "tags": tag_dump(sound.path),
        },
        "licence": {
            "name": sound.licence,
            "url": sound.licence_url,
            "read_at": sound.read_at or now,
            "checked_at": now,
            "may_use": rights.may_use,
            "may_redistribute": rights.may_redistribute,
        },
        "film": {
            "file": shown(film.path.name),
            "sha256": content_hash(film.path),
            "duration_s": round(film.length_s, 6),
            "frames_per_s": film.clock.rate.name,
            "frames": film.clock.frames,
        },
        "placement": [
            {name: row[name] for name in ("in", "out", "in_s", "out_s", "duration_s", "source_in_s")}
            for row in cue_rows(delivery, drop_frame=drop_frame)
        ],
    }


def tag_dump(path: Path) -> list[list[str]]:
    """Every tag of a file as (name, text), in the file's own order; pictures and other bytes by their length."""
    import mutagen

    try:
        file = mutagen.File(path)
    except (mutagen.MutagenError, ValueError, OverflowError) as error:
        return [["", f"the tags cannot be read: {shown(str(error))}"]]
    if file is None or not file.tags:
        return []
    pairs = file.tags.items() if hasattr(file.tags, "items") else file.tags
    return [[shown(str(name)), _text(value)] for name, value in pairs]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(_text(part) for part in value)
    data = value if isinstance(value, bytes) else getattr(value, "data", None)
    if isinstance(data, bytes):
        try:
            text = bytes(data).decode()
        except UnicodeDecodeError:
            return f"{len(data)} bytes"
        return shown(text)[:_LONGEST] if len(text) < _LONGEST else f"{len(data)} bytes"
    return shown(str(value))[:_LONGEST]


def evidence_page(evidence: JsonDict) -> str:
    """The same as a page that prints well, with a statement in words."""
    from jinja2 import Environment

    template = Path(__file__).with_name("evidence.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(template).render(**evidence)
