"""Every word that the page's scripts say comes from `texts.py`, and every one there is said."""

from __future__ import annotations

import re
from pathlib import Path

from mvr.page import texts
from mvr.page.app import SCRIPTS

TEMPLATES = Path(__file__).parents[2] / "mvr" / "page" / "templates"
JS = Path(__file__).parents[2] / "assets" / "js"
SENTENCE = re.compile(r"""["'`][A-Z][a-z]+ [^"'`\n]*[a-z][^"'`\n]*["'`]""")


def scripts() -> str:
    return "\n".join((JS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


def test_the_scripts_hold_no_sentence_of_their_own() -> None:
    code = re.sub(r"/\*.*?\*/", "", scripts(), flags=re.S)
    assert SENTENCE.findall(code) == []


def test_the_words_of_the_scripts_are_there_and_none_is_left_over() -> None:
    used = set(re.findall(r"(?:mvTexts|texts)\.(\w+)", scripts())) | set(
        re.findall(r"mvWords\(\"(\w+)\"", scripts())
    )
    assert used == set(texts.SCRIPTS)


def test_all_scripts_of_the_folder_are_loaded() -> None:
    assert {path.relative_to(JS).with_suffix("").as_posix() for path in JS.rglob("*.js")} == set(SCRIPTS)


def templates() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.html")))


def test_the_templates_hold_no_words_of_their_own() -> None:
    plain = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(svg|style)\b.*?</\1>|&\w+;", "", templates(), flags=re.S
    )
    shown = re.findall(r">([^<>]*[A-Za-z]{2}[^<>]*)<", re.sub(r"<kbd>\w+</kbd>", "", plain))
    told = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*[A-Za-z]{2}[^"]*)"', plain)
    assert [*shown, *told] == []


def test_what_the_templates_say_is_there_and_none_is_left_over() -> None:
    said = set(re.findall(r"texts\.(ARENA|BOARD|ABOUT)\.(\w+)", templates()))
    there = {(group, name) for group in ("ARENA", "BOARD", "ABOUT") for name in vars(getattr(texts, group))}
    assert said == there
    assert all(hasattr(texts, name) for name in re.findall(r"texts\.([A-Z_]+)\b", templates()))
