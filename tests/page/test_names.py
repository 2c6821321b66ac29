"""Systems as people know them, in tables and in sentences."""

from __future__ import annotations

from mvr.page.names import shown_name, with_names


def test_whole_names_and_names_in_sentences_are_told_as_people_know_them() -> None:
    names = ["control-mvr-mini@1", "control-mvr-mini@0.25", "random", "original"]
    said = "control-mvr-mini@0.25 beats control-mvr-mini@1; random clickers beat nobody."
    shown = with_names({"rows": [{"system": "random"}], "said": said, "votes": 3}, names)
    assert shown == {
        "rows": [{"system": "Random"}],
        "said": "Control-MVR mini, 25 % genre beats Control-MVR mini, by genre; random clickers beat nobody.",
        "votes": 3,
    }


def test_the_name_of_another_system_is_never_cut() -> None:
    names = ["mvbind@1", "mvbind@1.5"]
    assert with_names(["my-mvbind@1 mvbind@1.5 mvbind@1."], names) == [
        "my-mvbind@1 MVBind, 150 % genre MVBind, by genre."
    ]
    assert shown_name("original") == "The clip's own sound"
