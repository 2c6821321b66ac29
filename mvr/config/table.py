"""Tables as people and spreadsheets write them: with a byte order mark, semicolons or tabs, blanks after a comma."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection

from mvr.errors import DataError


def decoded(data: bytes) -> tuple[str, bool]:
    """The text of a table, and whether its encoding had to be guessed (Western European, as older programs write).

    >>> decoded("\\ufeffid".encode()), decoded("é".encode("latin-1"))
    (('id', False), ('é', True))
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # what spreadsheets call Unicode text
        return data.decode("utf-16", "replace"), False
    try:
        return data.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), True


def cells(text: str, names: Collection[str], *, as_it_stands: bool = False) -> tuple[list[list[str]], str]:
    """Lines of cells, the names of the columns first, and the delimiter; empty lines are left out.

    The delimiter is the one (`,`, `;` or a tab) under which the first line has a column of one of `names`, whatever its
    case; where it has none, the one that stands there most.

    Args:
        text: the table.
        names: columns that such a table has, in lower case.
        as_it_stands: keep the blanks around cells, which people put after a comma.

    Raises:
        csv.Error: quotes that are not closed, a cell without end.

    >>> cells("id, split\\n1, test\\n", {"id"})
    ([['id', 'split'], ['1', 'test']], ',')
    >>> cells("ID;Été\\r\\n1;2\\r\\n", {"id"})
    ([['ID', 'Été'], ['1', '2']], ';')
    """
    delimiter = _delimiter(text, names)
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=not as_it_stands
    )
    return [line if as_it_stands else [cell.strip() for cell in line] for line in lines if line], delimiter


def _delimiter(text: str, names: Collection[str]) -> str:
    first = text.split("\n", 1)[0].rstrip("\r")
    likely = sorted(",;\t", key=first.count, reverse=True)
    heads = {mark: {name.strip(' "').lower() for name in first.split(mark)} for mark in likely}
    return next((mark for mark in likely if heads[mark] & set(names)), likely[0])


def not_utf8(name: str) -> DataError:
    """What is said of a table whose encoding had to be guessed, where a guess will not do."""
    return DataError(f"{name} is not in UTF-8; save it as CSV in UTF-8")


def unreadable(name: str, error: Exception) -> DataError:
    """What is said of a table that cannot be taken apart."""
    return DataError(f"{name} cannot be read as a CSV table: {error}")
