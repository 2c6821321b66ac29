"""Rights by licence, against a table written by hand from the licences' own summaries."""

from __future__ import annotations

import pytest

from mvr.library.rights import rights_of

TABLE = {
    "CC0 1.0": ("commercially", "yes", True),
    "CC0-1.0": ("commercially", "yes", True),
    "cc0": ("commercially", "yes", True),
    "public domain": ("commercially", "yes", True),
    "Public Domain Mark 1.0": ("commercially", "yes", True),
    "https://creativecommons.org/publicdomain/zero/1.0/": ("commercially", "yes", True),
    "CC BY 4.0": ("commercially, with credit", "with credit", True),
    "cc-by-4.0": ("commercially, with credit", "with credit", True),
    "CC_BY_3.0": ("commercially, with credit", "with credit", True),
    "CC BY 3.0 DE": ("commercially, with credit", "with credit", True),
    "http://creativecommons.org/licenses/by/4.0/deed.de": ("commercially, with credit", "with credit", True),
    "CC BY-SA 4.0": (
        "commercially, with credit, the film under the same licence",
        "with credit, under the same licence",
        False,
    ),
    "CC BY-ND 4.0": ("no", "with credit", False),
    "CC BY-NC 4.0": ("not commercially, with credit", "not commercially, with credit", False),
    "CC BY NC SA 2.5": (
        "not commercially, with credit, the film under the same licence",
        "not commercially, with credit, under the same licence",
        False,
    ),
    "CC BY-NC-ND 4.0": ("no", "not commercially, with credit", False),
    "Pixabay Content License": ("commercially", "no", True),
    "Free Art License 1.3": (
        "commercially, with credit, the film under the same licence",
        "with credit, under the same licence",
        False,
    ),
    "All rights reserved": ("no", "no", False),
    "unknown": ("unknown", "unknown", False),
    "": ("unknown", "unknown", False),
    "CC BY 4.0, no commercial use": ("unknown", "unknown", False),
    "royalty free": ("unknown", "unknown", False),
    "CC BYE": ("unknown", "unknown", False),
    "https://band.example/cc-by": ("unknown", "unknown", False),
}


@pytest.mark.parametrize("licence", TABLE)
def test_each_licence_lets_one_do_what_its_own_summary_says(licence: str) -> None:
    found = rights_of(licence)
    assert (found.may_use, found.may_redistribute, found.commercial) == TABLE[licence]
