"""Who made it and what one may do with it: words inside the file, then its row in the nearest `metadata.csv`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mvr.library.licences import UNKNOWN_LICENCE, Licence, find_licence, read_licence
from mvr.library.tables import Tables
from mvr.library.words import Words, words_inside
from mvr.lines import one_line

READER = 1  # raised when files are to be read again for what a newer reader finds in them


@dataclass(frozen=True, kw_only=True)
class Tags:
    """What is written about a file, each on one line; empty where nothing is. See `mvr.library.item.Item`."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: tuple[str, ...] = ()
    mood: tuple[str, ...] = ()
    licence: str = UNKNOWN_LICENCE
    licence_url: str = ""
    credit: str = ""
    source: str = ""
    composer: str = ""
    publisher: str = ""
    year: int | None = None
    isrc: str = ""
    iswc: str = ""
    ipi: str = ""
    tempo_bpm: float | None = None


def read_tags(path: Path, tables: Tables | None = None) -> Tags:
    """Tags of a file; its row in the nearest `metadata.csv` goes before what is inside it.

    Args:
        path: the file.
        tables: tables that were read already; with None they are looked for anew.
    """
    tags = tags_inside(path)
    row = (tables or Tables()).row(path)
    return tags if row is None else replace(tags, **_from_row(row))


def tags_inside(path: Path) -> Tags:
    """Tags inside a file; one that cannot be read has none."""
    try:
        words = words_inside(path)
    except OSError:
        return Tags()
    licence = _licence(words)
    known = {name: read(_first(words, names)) for name, (names, read) in _FIELDS.items()}
    return Tags(**known, licence=licence.name, licence_url=licence.url)


def split_labels(text: str) -> tuple[str, ...]:
    """Labels of a cell or tag, separated by `;`, `/` or a zero byte, each once.

    >>> split_labels("Jazz; Soul / Funk;jazz")
    ('jazz', 'soul', 'funk')
    """
    parts = (one_line(part).strip().lower() for part in re.split(r"[;/\0]", text))
    return tuple(dict.fromkeys(part for part in parts if part))


def read_year(text: str) -> int | None:
    """The year of a date.

    >>> read_year("2019-05-01"), read_year("(P) 2019"), read_year("19"), read_year("05/01/2019")
    (2019, 2019, None, 2019)
    """
    found = re.search(r"(?<!\d)(1[0-9]{3}|2[0-9]{3})(?!\d)", text)
    return None if found is None else int(found[0])


def read_isrc(text: str) -> str:
    """An ISRC (ISO 3901) without separators, or the words as they stand.

    >>> read_isrc("us-s1z-99-00001"), read_isrc("Label:isrc:USS1Z9900001"), read_isrc("none")
    ('USS1Z9900001', 'USS1Z9900001', 'none')
    """
    found = re.search(r"(?<![A-Z0-9])[A-Z]{2}-?[A-Z0-9]{3}-?\d{2}-?\d{5}(?![A-Z0-9])", text.upper())
    return one_line(text) if found is None else found[0].replace("-", "")


def read_address(text: str) -> str:
    """A web address, or "" for anything else: it becomes a link on the page.

    >>> read_address(" https://band.example/licence "), read_address("javascript:alert(1)")
    ('https://band.example/licence', '')
    """
    plain = one_line(text).strip()
    return plain if re.fullmatch(r"https?://[^\s<>\"']+", plain, re.IGNORECASE) else ""


def _tempo(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if 20 <= number <= 400 else None


# field -> names that say it, the first that is there wins; and how its text is read
_FIELDS: dict[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    "title": (("title",), one_line),
    "artist": (("artist", "author", "performer", "albumartist"), one_line),
    "album": (("album",), one_line),
    "genre": (("genre",), split_labels),
    "mood": (("mood",), split_labels),
    "credit": (("attribution", "credit"), one_line),
    "source": (("source", "website", "webpage", "url", "contact"), one_line),
    "composer": (("composer", "writer", "writtenby"), one_line),
    "publisher": (("publisher", "label", "organization", "organisation"), one_line),
    "year": (("date", "year", "datereleased", "releasedate", "originaldate", "originalyear"), read_year),
    "isrc": (("isrc",), read_isrc),
    "iswc": (("iswc",), one_line),
    "ipi": (("ipi", "composeripi", "ipinumber", "ipinamenumber"), one_line),
    "tempo_bpm": (("bpm", "tempo", "beatsperminute", "tempobpm"), _tempo),
}
_ONE_VALUE = frozenset(
    {"date", "isrc", "iswc", "bpm", "source", "website", "url"}
)  # a second value is another thing
# Fields that are meant for a licence, then texts in which one may be named; a bare copyright line is no licence.
_LICENCE_FIELDS = ("license", "licence", "termsofuse", "usageterms")
_LICENCE_TEXTS = (
    "licenseurl", "licenceurl", "copyrighturl", "copyright", "rights", "comment", "description", "website", "url",
    "webpage", "source", "contact",
)  # fmt: skip
_ALIASES = {
    "license": "licence",
    "licenseurl": "licence_url",
    "licenceurl": "licence_url",
    "attribution": "credit",
    "url": "source",
    "author": "artist",
    "bpm": "tempo_bpm",
    "date": "year",
    "label": "publisher",
}


def _first(words: Words, names: tuple[str, ...]) -> str:
    for name in names:
        if values := words.get(name):
            return values[0] if name in _ONE_VALUE else "; ".join(value.strip() for value in values)
    return ""


def _licence(words: Words) -> Licence:
    """The licence that is stated, else one that is named or linked to where such things are written."""
    addresses = (v[0] for name in ("licenseurl", "licenceurl", "copyrighturl") if (v := words.get(name)))
    address = read_address(next(addresses, ""))
    for name in _LICENCE_FIELDS:
        if name in words:
            stated = read_licence(one_line("; ".join(words[name])))
            return stated if stated.url else Licence(stated.name, address)
    texts = (value for name in _LICENCE_TEXTS for value in words.get(name, ()))
    found = next((licence for text in texts if (licence := find_licence(one_line(text))) is not None), None)
    return found or Licence(url=address)


def _from_row(row: Mapping[str, str]) -> dict[str, Any]:
    """Columns that say something, as fields of `Tags`; other columns are the user's own business."""
    said: dict[str, Any] = {}
    known = {field.name for field in fields(Tags)}
    for column, text in row.items():
        name = _ALIASES.get(column.replace("_", "").replace(" ", ""), column)
        if not text or name not in known or name in said:
            continue
        if name == "licence":
            said["licence"], url = read_licence(one_line(text))
            said.setdefault("licence_url", url)
        elif name == "licence_url":
            said[name] = read_address(text)
        else:
            said[name] = _FIELDS[name][1](text)
    return said
