"""All tables of a store as files: one per table, in Parquet, JSONL or CSV. Export, import: nothing changes.

The tables are the records of `mvr.votes.records`. Rows of withdrawn voters are not exported (their tombstone flags
are, so that an import into another store forgets them too). The table of logins never leaves the store.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import typing
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from mvr.config.cells import STARTS_A_FORMULA
from mvr.config.table import cells, decoded, not_utf8, unreadable
from mvr.errors import DataError
from mvr.votes import schema
from mvr.votes.record import ADDED, neutral_session
from mvr.votes.records import RECORDS, Flag, Record, Side
from mvr.votes.store import WITHDRAWN, VoteStore, append, lock

Row = dict[str, Any]
Tables = dict[str, list[Row]]


class Format(StrEnum):
    """File formats of tables."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    CSV = "csv"


def column_types(record: type[Record]) -> dict[str, tuple[type, bool]]:
    """Type (str, int or float) and whether empty is allowed, for each column of a table, in order."""
    hints = typing.get_type_hints(record)
    found: dict[str, tuple[type, bool]] = {}
    for field in dataclasses.fields(record):
        if hints[field.name] is Side:
            sides = typing.get_type_hints(Side)
            found |= {f"{field.name}_{name}": _plain(hint) for name, hint in sides.items()}
        else:
            found[field.name] = _plain(hints[field.name])
    return found


def _plain(hint: Any) -> tuple[type, bool]:
    arguments = [one for one in typing.get_args(hint) if one is not type(None)]
    return (arguments[0] if arguments else hint), type(None) in typing.get_args(hint)


def read_tables(store: VoteStore) -> Tables:
    """Rows of every table by primary key, without withdrawn voters."""

    def work(connection: sa.Connection) -> Tables:
        flag = schema.FLAG.c
        gone = sa.select(flag.target_id).where(flag.target_kind == "voter", flag.rule_id == WITHDRAWN)
        tables = {}
        for record in RECORDS:
            table = schema.METADATA.tables[record.table]
            query = sa.select(*(table.c[name] for name in column_types(record)))
            if "voter_id" in table.c:
                query = query.where(table.c.voter_id.not_in(gone))
            rows = connection.execute(query.order_by(*(table.c[key] for key in record.key))).mappings()
            tables[record.table] = [dict(row) for row in rows]
        return _without_lost_battles(tables)

    return store.read(work)


def _without_lost_battles(tables: Tables) -> Tables:
    """A judgment given after a battle that is not exported stands by itself."""
    battles = {row["battle_id"] for row in tables["battle"]}
    for row in tables["judgment"]:
        if row["battle_id"] not in battles:
            row["battle_id"] = None
    return tables


def export_tables(store: VoteStore, folder: Path, kind: Format) -> list[Path]:
    """Write every table into `folder` as TABLE.parquet, .jsonl or .csv; the same votes give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_tables(read_tables(store), folder, kind)


def write_tables(tables: Tables, folder: Path, kind: Format) -> list[Path]:
    """Write rows by table name; empty tables too, so that the reader sees that there was nothing."""
    written = []
    for record in RECORDS:
        written.append(folder / f"{record.table}.{kind}")
        write_table(written[-1], record=record, rows=tables[record.table], kind=kind)
    return written


def write_table(path: Path, *, record: type[Record], rows: list[Row], kind: Format) -> None:
    """Write the rows of one table."""
    _WRITERS[kind](path, record, rows)


def load_tables(source: Path) -> Tables:
    """Read a folder that `export_tables` wrote (one format, or several if they hold different tables).

    Raises:
        DataError: no such folder, no table in it, a column too many or too few, a value of another type.
    """
    tables: Tables = {}
    for record in RECORDS:
        files = [path for kind in Format if (path := source / f"{record.table}.{kind}").is_file()]
        if len(files) > 1:
            raise DataError(f"{source} holds both {files[0].name} and {files[1].name}; keep one of them")
        files += sorted((source / record.table).glob("*.jsonl"))  # parts that `hub` wrote
        rows = [row for file in files for row in _READERS[Format(file.suffix[1:])](file, record)]
        if files:
            tables[record.table] = _distinct([record.from_row(row).to_row() for row in rows])
    if not tables:
        names = ", ".join(record.table for record in RECORDS)
        raise DataError(
            f"{source} holds no vote tables; give a folder with files such as vote.jsonl (tables: {names})"
        )
    return tables


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """Each row once: a copy that was restarted sends what it had sent before."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        text = repr(row)
        if text not in seen:
            seen.add(text)
            kept.append(row)
    return kept


def _brought_up(rows: list[Row], record: type[Record]) -> list[Row]:
    """Rows of schema 1 as the migration of a store makes them: numbered by the clock, the only order they have, with
    session ids that any database takes.
    """
    owner = ("target_kind", "target_id") if record is Flag else ("voter_id",)
    first = () if record is Flag else ("created_at_ms",)
    last: Counter[tuple[str, ...]] = Counter()
    old = [row for row in rows if row.get("sequence") == 0]
    for row in old:  # an export of a store that was brought up has its numbers
        if "session_id" in row:
            row["session_id"] = neutral_session(row["session_id"])
    for row in sorted(old, key=lambda row: tuple(row[name] for name in (*first, *record.key))):
        mine = tuple(row[name] for name in owner)
        last[mine] += 1
        row["sequence"] = last[mine]
    return rows


def import_tables(store: VoteStore, source: Path) -> dict[str, tuple[int, int]]:
    """Add a folder's rows to a store in one transaction; rows that are there already are left as they are.

    Returns:
        For each table how many rows were added and how many were known.

    Raises:
        DataError: the folder cannot be read, or a row differs from the one with the same key.
    """
    tables = load_tables(source)
    records = [
        (record, _brought_up(tables[record.table], record)) for record in RECORDS if record.table in tables
    ]

    def work(connection: sa.Connection) -> dict[str, tuple[int, int]]:
        lock(connection, "import")
        return {record.table: _add_new(connection, record, rows) for record, rows in records}

    return store.write(work)


def _add_new(connection: sa.Connection, record: type[Record], rows: Sequence[Row]) -> tuple[int, int]:
    table = schema.METADATA.tables[record.table]
    columns = [table.c[name] for name in column_types(record)]
    known: dict[tuple[Any, ...], Row] = {}
    for mapping in connection.execute(sa.select(*columns)).mappings():
        known[tuple(mapping[key] for key in record.key)] = dict(mapping)
    fresh = []
    for row in rows:
        there = known.get(tuple(row[key] for key in record.key))
        if there is None:
            fresh.append(row)
        elif there != row:
            odd = next(name for name in row if row[name] != there[name])
            key = "/".join(str(row[name]) for name in record.key)
            raise DataError(
                f"{record.table} {key} is already in the store with another {odd}; nothing was imported"
            )
    append(connection, [record.from_row(row) for row in _parents_first(fresh)])
    return len(fresh), len(rows) - len(fresh)


def _parents_first(rows: Iterable[Row]) -> list[Row]:
    """Undo rows after the votes that they name."""
    return sorted(rows, key=lambda row: row.get("undoes") is not None)


# formats -------------------------------------------------------------------------------------------


def _write_jsonl(path: Path, record: type[Record], rows: Sequence[Row]) -> None:
    names = list(column_types(record))
    lines = (
        json.dumps({name: row[name] for name in names}, ensure_ascii=False, allow_nan=False) for row in rows
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _read_jsonl(path: Path, record: type[Record]) -> list[Row]:
    rows = []
    # only "\n" ends a line: other separators that Unicode knows may stand inside a string
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line:
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path.name} line {number} is not JSON") from error
            rows.append(_checked(row, record, f"{path.name} line {number}"))
    return rows


_NUMBERS = {int: "whole number", float: "number"}
EMPTY = "\\N"  # what PostgreSQL's COPY writes for NULL, so that it differs from an empty text


def _write_csv(path: Path, record: type[Record], rows: Sequence[Row]) -> None:
    names = list(column_types(record))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for row in rows:
            writer.writerow([_to_text(row[name]) for name in names])


def _to_text(value: Any) -> str:
    if value is None:
        return EMPTY
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n").replace("\0", "\\0")
        return f"\\{text}" if text.startswith(STARTS_A_FORMULA) else text  # read back as the letter itself
    return repr(value)


def _from_text(text: str, kind: type) -> Any:
    if text == EMPTY:
        return None
    if kind is not str:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(
                f"{text!r} is not a {_NUMBERS[kind]}; was it changed by a spreadsheet?"
            ) from None
    out, letters = [], iter(text)
    for letter in letters:
        if letter == "\\":
            letter = next(letters, "\\")
            letter = {"r": "\r", "n": "\n", "0": "\0"}.get(letter, letter)
        out.append(letter)
    return "".join(out)


def _read_csv(path: Path, record: type[Record]) -> list[Row]:
    types = column_types(record)
    text, guessed = decoded(path.read_bytes())
    if guessed:
        raise not_utf8(path.name)
    try:  # a spreadsheet saves it again with a byte order mark, semicolons and other line ends
        lines, delimiter = cells(text, record.key, as_it_stands=True)
    except csv.Error as error:
        raise unreadable(path.name, error) from error
    head = lines[0] if lines else []
    missing = set(types) - set(head)
    if len(set(head)) != len(head) or set(head) - set(types) or missing - set(ADDED):
        odd = sorted(set(head) ^ set(types)) or ["a repeated column"]
        raise DataError(f"{path.name} has the wrong columns: {odd[0]!r} is unknown or missing")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(head):
            raise DataError(f"{path.name} line {number} has {len(line)} cells, not {len(head)}")
        try:
            row = {
                name: _cell(cell, types[name][0], delimiter) for name, cell in zip(head, line, strict=True)
            }
        except ValueError as error:
            raise DataError(f"{path.name} line {number}: {error}") from error
        rows.append(_checked(row, record, f"{path.name} line {number}"))
    return rows


def _cell(text: str, kind: type, delimiter: str) -> Any:
    # where semicolons stand between cells, commas stand in numbers
    return _from_text(text.replace(",", ".") if kind is float and delimiter == ";" else text, kind)


def _write_parquet(path: Path, record: type[Record], rows: Sequence[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    fields = [
        pa.field(name, kinds[kind], nullable=null) for name, (kind, null) in column_types(record).items()
    ]
    table = pa.Table.from_pylist(list(rows), schema=pa.schema(fields))
    pq.write_table(table, path, compression="zstd", use_content_defined_chunking=True, write_page_index=True)


def _read_parquet(path: Path, record: type[Record]) -> list[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path, partitioning=None).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path.name} is not a readable Parquet file: {error}") from error
    return [_checked(row, record, f"{path.name} row {number}") for number, row in enumerate(rows, 1)]


def _checked(row: Any, record: type[Record], where: str) -> Row:
    types = column_types(record)
    if isinstance(row, dict) and row.get("schema_version") == 1:  # an export of an earlier version
        row = {name: value for name, value in ADDED.items() if name in types} | row
    if not isinstance(row, dict) or set(row) != set(types):
        odd = sorted(set(row) ^ set(types)) if isinstance(row, dict) else ["(no object)"]
        raise DataError(f"{where} has the wrong columns: {odd[0]!r} is unknown or missing")
    for name, (kind, null) in types.items():
        value = row[name]
        if kind is float and type(value) is int:
            row[name] = value = float(value)
        if not (value is None and null) and type(value) is not kind:
            raise DataError(f"{where}: {name} is {value!r}, not {kind.__name__}{' or empty' if null else ''}")
    return {name: row[name] for name in types}


_WRITERS: dict[Format, Callable[[Path, type[Record], Sequence[Row]], None]] = {
    Format.PARQUET: _write_parquet,
    Format.JSONL: _write_jsonl,
    Format.CSV: _write_csv,
}
_READERS: dict[Format, Callable[[Path, type[Record]], list[Row]]] = {
    Format.PARQUET: _read_parquet,
    Format.JSONL: _read_jsonl,
    Format.CSV: _read_csv,
}
