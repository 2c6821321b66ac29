"""Licences of music, recognised by name and by address: one short name and one address for each.

Creative Commons: https://creativecommons.org/licenses/list.en; the names are those of their own texts.
"""

from __future__ import annotations

import re
from typing import NamedTuple

UNKNOWN_LICENCE = "unknown"


class Licence(NamedTuple):
    """Short name ("CC BY-SA 3.0", "unknown") and address of the text ("" when there is none)."""

    name: str = UNKNOWN_LICENCE
    url: str = ""


_CC = "https://creativecommons.org"
# Elements as the letters of a short name, or as the words of a title, in any order that people write them.
_ELEMENT = r"(?:NC|SA|ND|Non[- ]?Commercial|Share[- ]?Alike|No[- ]?Deriv(?:ative)?s?(?: Works)?)"
_BETWEEN = r"[ _,/–-]*"
_VERSION = r"(?:[ _-]*v?(?P<version>[1-4]\.\d))?"
_PORT = r"(?: (?:International|Unported|Universal|Generic))?"
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/"
    r"(?P<group>licenses|publicdomain)/(?P<code>[a-z+-]+)(?:/(?P<version>\d\.\d))?(?:/(?P<port>[a-z]{2})(?=/|\b))?"
    r"(?:/(?:deed|legalcode)[.\w-]*)?/?",
    re.IGNORECASE,
)
_COUNTRY = (
    r"(?: (?P<port>(?!BY|NC|ND|SA)(?-i:[A-Z]{2})))?"  # licences before 4.0 were written for each country
)
_SHORT = re.compile(
    rf"\bCC{_BETWEEN}BY(?P<elements>(?:{_BETWEEN}{_ELEMENT})*){_VERSION}{_COUNTRY}{_PORT}(?![\w.]*\w)",
    re.IGNORECASE,
)
_TITLE = re.compile(
    rf"\b(?:Creative[ -]Commons|CC)[ :–-]*(?:Licen[cs]e[ :]*)?Attribution(?P<elements>(?:{_BETWEEN}{_ELEMENT})*)"
    rf"{_VERSION}{_PORT}|\bAttribution(?P<more>(?:{_BETWEEN}{_ELEMENT})*)[ _-]*(?P<stated>[1-4]\.\d){_PORT}",
    re.IGNORECASE,
)
_ZERO = re.compile(
    rf"\b(?:CC[ _-]?0|(?:Creative[ -]Commons|CC)[ -]Zero){_VERSION}{_PORT}(?: Public Domain Dedication)?(?![\w.]*\w)",
    re.IGNORECASE,
)
_WEB = r"(?:https?://)?(?:www\.)?"
_OTHERS: tuple[tuple[re.Pattern[str], Licence], ...] = tuple(
    (re.compile("|".join(patterns), re.IGNORECASE), Licence(name, url))
    for patterns, name, url in (
        (
            (r"\bPublic Domain Mark(?: 1\.0)?\b", r"\bPDM 1\.0\b"),
            "Public Domain Mark 1.0",
            f"{_CC}/publicdomain/mark/1.0/",
        ),
        ((r"\bpublic[ -]domain\b",), "public domain", ""),
        ((r"\bCC NC-Sampling\+(?: 1\.0)?",), "CC NC-Sampling+ 1.0", f"{_CC}/licenses/nc-sampling+/1.0/"),
        ((r"\bCC Sampling\+(?: 1\.0)?",), "CC Sampling+ 1.0", f"{_CC}/licenses/sampling+/1.0/"),
        (
            (
                rf"{_WEB}artlibre\.org(?:/\S*)?",
                r"\bFree Art Licen[cs]e(?: 1\.3)?",
                r"\bLicence Art Libre(?: 1\.3)?",
            ),
            "Free Art License 1.3",
            "https://artlibre.org/licence/lal/en/",
        ),
        (
            (rf"{_WEB}pixabay\.com/service/(?:license|terms)\S*", r"\bPixabay (?:Content )?Licen[cs]e\b"),
            "Pixabay Content License",
            "https://pixabay.com/service/license-summary/",
        ),
        (
            (rf"{_WEB}eff\.org/\S*OAL\S*", r"\bEFF Open Audio Licen[cs]e\b"),
            "EFF Open Audio License",
            "https://www.eff.org/IP/Open_licenses/eff_oal.php",
        ),
        (
            (rf"{_WEB}gnu\.org/licenses/fdl\S*", r"\bGNU Free Documentation Licen[cs]e\b", r"\bGFDL\b"),
            "GFDL",
            "https://www.gnu.org/licenses/fdl-1.3.html",
        ),
    )
)
# What may stand around a licence's name without adding to it.
_FILLER = re.compile(
    r"https?://\S+|\b(?:licen[cs]ed?|this|the|work|track|music|song|is|by|under|a|an|in|of|terms|to|public|copyright|"
    r"released|available|attribution|creative|commons|international|unported|deed|see|and|all|permission|non|"
    r"share|alike|derivatives|derivs|commercial|cc)\b|[\W_]+",
    re.IGNORECASE,
)
_RESTRICTION = re.compile(r"non[- ]?commercial|no commercial|all rights reserved|\bNC\b", re.IGNORECASE)


def find_licence(text: str) -> Licence | None:
    """The licence that a text names or links to; of both a name and an address, what each says.

    >>> find_licence("Licensed under CC BY 4.0")
    Licence(name='CC BY 4.0', url='https://creativecommons.org/licenses/by/4.0/')
    >>> find_licence("http://creativecommons.org/licenses/by-nc-sa/3.0/de/").name
    'CC BY-NC-SA 3.0 DE'
    >>> find_licence("Creative Commons Attribution-NonCommercial 3.0 Unported").name
    'CC BY-NC 3.0'
    >>> find_licence("(c) 2020 A. Band. All rights reserved") is None
    True
    """
    for pattern, read in _READERS:
        found = pattern.search(text)
        if found is None:
            continue
        licence = read(found)
        rest = text[: found.start()] + " " + text[found.end() :]
        # "CC BY 4.0, no commercial use" is no CC BY 4.0
        if licence is not None and ("NC" in licence.name or not _RESTRICTION.search(_without(rest))):
            return licence
    return next((licence for pattern, licence in _OTHERS if pattern.search(text)), None)


def read_licence(text: str) -> Licence:
    """What a field that is meant for a licence says: a known licence, or the words as they stand.

    >>> read_licence("cc-by-sa-4.0").name, read_licence("https://creativecommons.org/publicdomain/zero/1.0/").name
    ('CC BY-SA 4.0', 'CC0 1.0')
    >>> read_licence("CC BY 4.0, but ask me first").name, read_licence("https://band.example/licence")
    ('CC BY 4.0, but ask me first', Licence(name='https://band.example/licence', url='https://band.example/licence'))
    """
    text = text.strip()
    if not text or text.casefold() == UNKNOWN_LICENCE:
        return Licence()
    found = find_licence(text)
    if found is not None and not _FILLER.sub("", _without(text)):
        return found
    address = re.fullmatch(r"https?://[^\s<>\"']+", text)
    return Licence(text, found.url if found is not None else text if address else "")


def _without(text: str) -> str:
    """A text without the licences that are named in it."""
    for pattern in (*(pattern for pattern, _ in _READERS), *(pattern for pattern, _ in _OTHERS)):
        text = pattern.sub(" ", text)
    return text


def _of_address(found: re.Match[str]) -> Licence | None:
    code, version, port = found["code"].lower().strip("-"), found["version"], found["port"]
    if found["group"].lower() == "publicdomain":
        names = {"zero": ("CC0", "zero"), "mark": ("Public Domain Mark", "mark")}
        if code not in names:
            return Licence("public domain", "")
        name, part = names[code]
        return Licence(f"{name} {version or '1.0'}", f"{_CC}/publicdomain/{part}/{version or '1.0'}/")
    name = "CC " + "-".join(part.upper() if len(part) == 2 else part.capitalize() for part in code.split("-"))
    return _creative_commons(name, code, version, port)


def _of_name(found: re.Match[str]) -> Licence | None:
    groups = found.groupdict()
    if found[0].endswith(" by") and re.match(r"\s+\w", found.string[found.end() :]):  # "a CC by Kevin"
        return None
    words = (groups.get("elements") or groups.get("more") or "").lower()
    version = groups.get("version") or groups.get("stated")
    letters = re.sub("[^a-z]", "", words)
    parts = ["by"]
    for letter, word in (("nc", "noncommercial"), ("nd", "noderiv"), ("sa", "sharealike")):
        if word in letters or re.search(rf"(?:^|[^a-z]){letter}(?:[^a-z]|$)", words):
            parts.append(letter)
    code = "-".join(parts)
    name = f"CC {code.upper()}"
    return _creative_commons(name, code, version, groups.get("port"))


def _creative_commons(name: str, code: str, version: str | None, port: str | None) -> Licence:
    """Without a version the address is Creative Commons' own choice of the newest."""
    parts = [part for part in (version, port and port.lower()) if part]
    shown = [part for part in (name, version, port and port.upper()) if part]
    return Licence(" ".join(shown), "/".join([_CC, "licenses", code, *parts, ""]))


def _of_zero(found: re.Match[str]) -> Licence:
    name = f"CC0 {found['version']}" if found["version"] else "CC0"
    return Licence(name, f"{_CC}/publicdomain/zero/1.0/")


_READERS = ((_ADDRESS, _of_address), (_SHORT, _of_name), (_ZERO, _of_zero), (_TITLE, _of_name))
