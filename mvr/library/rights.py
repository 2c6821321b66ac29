"""What a licence lets one do with a track: use it in one's own film, and hand it on; unknown stays unknown.

Music under a moving picture is an adaptation (Creative Commons, "Frequently Asked Questions", on synchronisation): a
licence without derivatives (ND) forbids it, share-alike (SA) puts the whole film under the same licence. This is a
reading of licence names, no legal advice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

UNKNOWN = "unknown"
_CC = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/licenses/(?P<address>by(?:-(?:nc|sa|nd))*)(?:/[\w./-]*)?"
    r"|(?:creative commons|cc)[ -](?P<name>by(?:[ -](?:nc|sa|nd))*)"
    r"(?:[ -]v?\d\.\d)?(?: (?:international|unported|[a-z]{2}))?"
)
_FREE = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/publicdomain/(?:zero|mark)(?:/[\w./-]*)?"
    r"|cc[ -]?(?:0|zero)(?:[ -]v?1\.0)?(?: universal)?|public[ -]domain(?: mark)?(?: 1\.0)?"
)
_SHARE_ALIKE = ("free art license 1.3", "free art license")
_USED_ONLY = ("pixabay content license", "pixabay license")  # in a work, never as a file of its own


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What a licence allows.

    Attributes:
        may_use: in one's own film: "commercially" or "not commercially", each with its conditions; "no"; "unknown".
        may_redistribute: the file itself, bundled with a product: "yes" or its conditions; "no"; "unknown".
        commercial: one may earn money with a film that has it, without giving that film away under the same licence.
    """

    may_use: str = UNKNOWN
    may_redistribute: str = UNKNOWN
    commercial: bool = False


def rights_of(licence: str) -> Rights:
    """Rights by the name or address of a licence; words that are no known licence, or add to one, are unknown.

    >>> rights_of("CC BY 4.0").may_use, rights_of("CC BY-NC-SA 3.0").may_use
    ('commercially, with credit', 'not commercially, with credit, the film under the same licence')
    >>> rights_of("CC BY-ND 4.0").may_use, rights_of("CC BY-ND 4.0").may_redistribute
    ('no', 'with credit')
    >>> rights_of("CC BY 4.0, but ask me first").may_use
    'unknown'
    """
    plain = " ".join(licence.casefold().replace("_", "-").split()).rstrip("/")
    if _FREE.fullmatch(plain):
        return Rights(may_use="commercially", may_redistribute="yes", commercial=True)
    if found := _CC.fullmatch(plain):
        return _creative_commons(set(re.split("[ -]", found["address"] or found["name"])))
    if plain in _SHARE_ALIKE:
        return _creative_commons({"by", "sa"})
    if plain in _USED_ONLY:
        return Rights(may_use="commercially", may_redistribute="no", commercial=True)
    if plain.startswith("all rights reserved"):
        return Rights(may_use="no", may_redistribute="no")
    return Rights()


def _creative_commons(elements: set[str]) -> Rights:
    commercial = "nc" not in elements
    conditions = ["with credit"]
    handing_on = [*([] if commercial else ["not commercially"]), *conditions]
    if "sa" in elements:
        conditions.append("the film under the same licence")
        handing_on.append("under the same licence")
    use = ", ".join(["commercially" if commercial else "not commercially", *conditions])
    return Rights(
        may_use="no" if "nd" in elements else use,
        may_redistribute=", ".join(handing_on),
        commercial=commercial and elements == {"by"},
    )
