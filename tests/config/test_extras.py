"""What a command says when a part of the program is not installed."""

from __future__ import annotations

import sys

import pytest

from mvr.config import extras
from mvr.config.extras import need
from mvr.errors import ExtraMissing


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """A Python in which nothing is installed."""
    monkeypatch.setattr(extras, "find_spec", lambda name: None)


def test_the_sentence_is_the_line_to_type(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 13, 0, "final", 0))
    with pytest.raises(
        ExtraMissing, match=r"^a timeline needs opentimelineio, .*; type: .*'mvr\[timelines\]'"
    ):
        need("opentimelineio", "a timeline", "timelines")


def test_where_no_wheel_exists_the_sentence_names_the_python_that_has_one(monkeypatch):
    """Typing the line would install nothing there."""
    monkeypatch.setattr(sys, "version_info", (3, 14, 0, "final", 0))
    with pytest.raises(ExtraMissing, match=r"no wheel for Python 3\.14 yet; with Python 3\.13 type: "):
        need("opentimelineio", "a timeline", "timelines")
    with pytest.raises(ExtraMissing, match=r"needs torch, which is not installed; type: "):
        need("torch", "training cca", "train")
