"""Who made it and what one may do with it: tags inside the file, then `metadata.csv` beside it."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mvr.errors import DataError
from mvr.library.item import UNKNOWN_LICENCE

SIDECAR = "metadata.csv"
_FILE_COLUMNS = ("file", "filename", "file_name", "path")
_ALIASES = {
    "license": "licence",
    "attribution": "credit",
    "url": "source",
    "author": "artist",
    "bpm": "tempo_bpm",
}
# Names of a licence inside a copyright or comment tag; a bare copyright line is no licence.
_LICENCE = re.compile(
    r"\b(CC0(?: 1\.0)?|CC[ -]BY(?:[ -](?:NC|SA|ND))*(?: \d\.\d)?|public domain|creativecommons\.org/\S+)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What is written about a file; empty where nothing is."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    licence: str = UNKNOWN_LICENCE
    credit: str = ""
    source: str = ""
    tempo_bpm: float | None = None


def read_tags(path: Path) -> Tags:
    """Tags of a file; its row in `metadata.csv` goes before what is inside it.

    Raises:
        DataError: a `metadata.csv` that cannot be read.
    """
    tags = tags_inside(path)
    sidecar = path.parent / SIDECAR
    if not sidecar.is_file():
        return tags
    row = _rows(sidecar, sidecar.stat().st_mtime_ns).get(path.name)
    return tags if row is None else replace(tags, **_fields(row))


def tags_inside(path: Path) -> Tags:
    """Tags inside a file, by mutagen; a file that mutagen does not know has none."""
    import mutagen

    _know_licences()
    try:
        easy = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, ValueError, OverflowError):  # tags are an extra: the sound may be fine
        return Tags()
    if easy is None or not easy.tags:
        return Tags()
    values = {key.lower(): easy.tags[key] for key in easy.tags if isinstance(key, str)}
    words = {key: _text(value) for key, value in values.items()}
    licence = words.get("license", "") or words.get("licence", "") or _found_licence(words)
    return Tags(
        title=words.get("title", ""),
        artist=words.get("artist", "") or words.get("albumartist", ""),
        album=words.get("album", ""),
        genre=split_labels(words.get("genre", "")),
        mood=split_labels(words.get("mood", "")),
        licence=licence or UNKNOWN_LICENCE,
        credit=words.get("attribution", ""),
        source=words.get("website", "") or words.get("contact", ""),
        tempo_bpm=_number(words.get("bpm", "")),
    )


@lru_cache(maxsize=1)
def _know_licences() -> None:
    """Let mutagen's easy view of MP3 tags show the fields that players write for licence and credit."""
    from mutagen.easyid3 import EasyID3

    EasyID3.RegisterTXXXKey("license", "LICENSE")
    EasyID3.RegisterTXXXKey("attribution", "ATTRIBUTION")


def split_labels(text: str) -> tuple[str, ...]:
    """Labels of a cell or tag, separated by `;`, `/` or a zero byte, each once.

    >>> split_labels("Jazz; Soul / Funk;jazz")
    ('jazz', 'soul', 'funk')
    """
    parts = (part.strip().lower() for part in re.split(r"[;/\0]", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def _found_licence(words: Mapping[str, str]) -> str:
    for key in ("copyright", "comment", "description"):
        match = _LICENCE.search(words.get(key, ""))
        if match:
            return match.group(0)
    return ""


def _text(value: Any) -> str:
    parts = value if isinstance(value, list | tuple) else [value]
    return "; ".join(str(part).strip() for part in parts if str(part).strip())


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if 20 <= number <= 400 else None


def _fields(row: Mapping[str, str]) -> dict[str, Any]:
    """Columns that say something, as fields of `Tags`; other columns are the user's own business."""
    fields: dict[str, Any] = {}
    for key, text in row.items():
        name = _ALIASES.get(key, key)
        if not text or name not in Tags.__dataclass_fields__:
            continue
        if name in ("genre", "mood"):
            fields[name] = split_labels(text)
        else:
            fields[name] = _number(text) if name == "tempo_bpm" else text
    return fields


@lru_cache(maxsize=64)
def _rows(sidecar: Path, _mtime_ns: int) -> dict[str, dict[str, str]]:
    """File name -> row."""
    try:
        with sidecar.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [(name or "").strip().lower() for name in reader.fieldnames or []]
            rows = [dict(zip(columns, map(_clean, row.values()), strict=False)) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{sidecar} cannot be read as a table in UTF-8: {error}") from error
    named = next((column for column in _FILE_COLUMNS if column in columns), None)
    if named is None:
        raise DataError(f"{sidecar} has no column {_FILE_COLUMNS[0]!r} that names the files")
    return {Path(row[named]).name: row for row in rows if row.get(named)}


def _clean(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
