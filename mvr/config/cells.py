"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations


def spreadsheet_cell(value: object) -> object:
    """A word that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell(-1.5), spreadsheet_cell("Sea")
    ("'=1+1", -1.5, 'Sea')
    """
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
