"""Texts by name."""

from __future__ import annotations


class Words:
    """Texts of one part of the page.

    Args:
        texts: name -> text; read as attributes.
    """

    def __init__(self, **texts: str) -> None:
        self.__dict__.update(texts)

    def __getattr__(self, name: str) -> str:
        raise AttributeError(name)
