"""README and docs/ name what there is, and only that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mvr.__main__ import app
from mvr.config.cards import system_names

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def commands(group: Any = None, path: tuple[str, ...] = ("mvr",)) -> Iterator[str]:
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_command_has_its_line_and_no_line_is_of_a_command_that_is_gone():
    assert set(re.findall(r"(?m)^\| `(mvr [^`]+)` \|", text("docs/commands.md"))) == set(commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_line_of_a_page_is_one_that_exists(page):
    known = set(commands())
    blocks = "\n".join(re.findall(r"(?ms)^```\n(.*?)^```", page.read_text(encoding="utf-8")))
    for line in re.findall(r"(?m)^(mvr [a-z][^\n]*)", blocks):
        words = line.split()
        assert " ".join(words[:2]) in known or " ".join(words[:3]) in known, line


def test_every_system_is_explained():
    named = set(re.findall(r"(?m)^\| `([\w-]+)`", text("docs/systems.md")))
    assert named == set(system_names())


def test_every_variable_of_the_environment_is_explained():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "mvr").rglob("*.py")))
    read = set(re.findall(r"\bMVR_[A-Z]+(?:_[A-Z]+)*\b", sources)) - {"MVR_APP"}
    told = set(re.findall(r"(?m)^\| `(MVR_[A-Z_]+)`", text("docs/hosting.md")))
    assert {name for name in read if not name.startswith("MVR_APP_")} == told


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_what_readme_shows_for_editors_agents_and_servers_is_what_their_page_runs():
    section = text("README.md").split("or a music server\n")[1].split("\n## ")[0]
    lines = [line for block in re.findall(r"(?ms)^```\w*\n(.*?)^```", section) for line in block.splitlines()]
    assert len(lines) == 5
    page = text("docs/editors.md").splitlines()
    assert all(line in page for line in lines)
