"""Cells of tables that people open in a spreadsheet."""

from __future__ import annotations

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_cell(value: object) -> object:
    """A word that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell(-1.5), spreadsheet_cell("-12.5"), spreadsheet_cell("Sea")
    ("'=1+1", -1.5, '-12.5', 'Sea')
    """
    if not isinstance(value, str) or not value.startswith(STARTS_A_FORMULA) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
