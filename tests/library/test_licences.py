"""Licences by name and by address: what people and programs write, and what is none."""

from __future__ import annotations

import pytest

from mvr.library.licences import find_licence, read_licence

CC = "https://creativecommons.org"


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("CC BY 4.0", "CC BY 4.0", f"{CC}/licenses/by/4.0/"),
        ("cc-by-nc-nd-3.0", "CC BY-NC-ND 3.0", f"{CC}/licenses/by-nc-nd/3.0/"),
        ("CC_BY_SA_4.0", "CC BY-SA 4.0", f"{CC}/licenses/by-sa/4.0/"),
        ("Creative Commons Attribution 4.0 International", "CC BY 4.0", f"{CC}/licenses/by/4.0/"),
        (
            "Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported",
            "CC BY-NC-SA 3.0",
            f"{CC}/licenses/by-nc-sa/3.0/",
        ),
        ("Attribution-ShareAlike 3.0 Unported (CC BY-SA 3.0)", "CC BY-SA 3.0", f"{CC}/licenses/by-sa/3.0/"),
        ("CC Attribution No Derivatives 3.0", "CC BY-ND 3.0", f"{CC}/licenses/by-nd/3.0/"),
        ("Creative Commons: Attribution", "CC BY", f"{CC}/licenses/by/"),
        ("creativecommons.org/licenses/by-nc-nd/2.5/legalcode.fr", "CC BY-NC-ND 2.5", f"{CC}/licenses/by-nc-nd/2.5/"),
        ("CC BY 3.0 US", "CC BY 3.0 US", f"{CC}/licenses/by/3.0/us/"),
        ("creativecommons.org/licenses/by-sa/2.0/fr/deed.en", "CC BY-SA 2.0 FR", f"{CC}/licenses/by-sa/2.0/fr/"),
        (f"{CC}/licenses/sampling+/1.0/", "CC Sampling+ 1.0", f"{CC}/licenses/sampling+/1.0/"),
        ("CC0", "CC0", f"{CC}/publicdomain/zero/1.0/"),
        ("CC0-1.0", "CC0 1.0", f"{CC}/publicdomain/zero/1.0/"),
        ("CC0 1.0 Universal", "CC0 1.0", f"{CC}/publicdomain/zero/1.0/"),
        (f"{CC}/publicdomain/zero/1.0/deed.de", "CC0 1.0", f"{CC}/publicdomain/zero/1.0/"),
        (f"{CC}/publicdomain/mark/1.0/", "Public Domain Mark 1.0", f"{CC}/publicdomain/mark/1.0/"),
        ("Public Domain", "public domain", ""),
        ("Free Art License 1.3", "Free Art License 1.3", "https://artlibre.org/licence/lal/en/"),
        ("http://artlibre.org/licence/lal/", "Free Art License 1.3", "https://artlibre.org/licence/lal/en/"),
        ("Pixabay Content License", "Pixabay Content License", "https://pixabay.com/service/license-summary/"),
        ("GFDL", "GFDL", "https://www.gnu.org/licenses/fdl-1.3.html"),
        (f"{CC}/licenses/by/4.0/ CC BY 4.0", "CC BY 4.0", f"{CC}/licenses/by/4.0/"),
    ],
)  # fmt: skip
def test_a_known_licence_has_one_name_and_one_address_however_it_is_written(
    text: str, name: str, url: str
) -> None:
    assert read_licence(text) == (name, url)
    assert find_licence(text) == (name, url)
    assert find_licence(f"Music by Mei, {text}.") == (name, url), "inside a comment, too"
    assert read_licence(name) == (name, url), "and what we write is read again"


@pytest.mark.parametrize(
    "text",
    [
        "(c) 2020 Someone. All rights reserved",
        "Creative Commons",
        "a CC by Kevin",
        "ACC BY 4.05",
        "CC BYTE",
        "CC BY 4.0 - no commercial use",
        "CC BY 4.0, non-commercial only",
        "CC BY 4.0 NC",
        "https://band.example/licence",
        "",
    ],
)
def test_what_is_no_known_licence_is_not_taken_for_one(text: str) -> None:
    assert find_licence(text) is None


def test_words_beside_a_licence_are_kept_in_a_field_that_is_meant_for_it() -> None:
    assert read_licence("CC BY 4.0, but ask me first") == (
        "CC BY 4.0, but ask me first",
        f"{CC}/licenses/by/4.0/",
    )
    assert read_licence("Licensed to the public under CC BY 4.0")[0] == "CC BY 4.0"
    assert read_licence("CC BY 4.0, no commercial use") == ("CC BY 4.0, no commercial use", "")
    assert read_licence("  ") == read_licence("Unknown") == ("unknown", "")
