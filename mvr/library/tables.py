"""`metadata.csv`: a table beside the files, or in a folder above them, that says what is written about each."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

from mvr.config.table import cells, decoded
from mvr.lines import one_line

SIDECAR = "metadata.csv"
Row = dict[str, str]
_HOME = Path(os.path.expanduser("~"))  # noqa: PTH111 - a user without a home is no error here
_FILE_COLUMNS = ("file", "filename", "file_name", "path")


class Tables:
    """The tables of the folders that one run looks at, each read once.

    Attributes:
        notes: one sentence for each table that cannot be used, or only by a guess.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._tables: dict[Path, _Table | None] = {}

    def row(self, path: Path) -> Row | None:
        """The row of a file in the nearest table upwards that has one for it; None where there is none."""
        for folder in path.parents:
            table = self._table(folder)
            row = None if table is None else table.row(path)
            if row is not None:
                return row
            if folder == _HOME or folder.is_mount():  # what lies above is not about this music
                break
        return None

    def _table(self, folder: Path) -> _Table | None:
        if folder not in self._tables:
            file = folder / SIDECAR
            self._tables[folder] = self._read(file) if file.is_file() else None
        return self._tables[folder]

    def _read(self, file: Path) -> _Table | None:
        try:
            text, guessed = decoded(file.read_bytes())
            rows = _rows(text)
        except (OSError, ValueError, csv.Error) as error:
            self.notes.append(f"{one_line(str(file))} cannot be read as a table: {one_line(str(error))}")
            return None
        if rows is None:
            self.notes.append(
                f"{one_line(str(file))} has no column {_FILE_COLUMNS[0]!r} that names the files; it is ignored"
            )
            return None
        if guessed:
            self.notes.append(
                f"{one_line(str(file))} is not in UTF-8; it was read as Western European (Latin-1)"
            )
        return _Table(file.parent, rows)


class _Table:
    """Rows by what their first column names: a path from the table's folder, or a name."""

    def __init__(self, folder: Path, rows: list[tuple[str, Row]]) -> None:
        self._folder = folder
        named = [(Path(name.replace("\\", "/")), row) for name, row in rows]
        self._by_path = {(path if path.is_absolute() else folder / path): row for path, row in named}
        self._by_name = {str(path): row for path, row in named if len(path.parts) == 1}
        often = Counter(
            path.name for path, _ in named
        )  # a path from another folder names a file if it is the only one
        self._by_last = {path.name: row for path, row in named if often[path.name] == 1}

    def row(self, path: Path) -> Row | None:
        """The row of a file in the table's folder or below."""
        found = self._by_path.get(path) or self._by_name.get(path.name)
        return found or (self._by_last.get(path.name) if path.parent == self._folder else None)


def _rows(text: str) -> list[tuple[str, Row]] | None:
    """(file, row) of each line under lower-case column names; None without a column that names files."""
    lines, _ = cells(text, _FILE_COLUMNS)
    columns = [name.lower() for name in lines[0]] if lines else []
    named = next((column for column in _FILE_COLUMNS if column in columns), None)
    if named is None:
        return None
    rows = [dict(zip(columns, line, strict=False)) for line in lines[1:]]
    return [(row[named], row) for row in rows if row.get(named)]
