"""What this server sent of the media of a battle's sides: the measure of hearing that no browser can bend.

One row per answer, added while a battle is open and read when it is voted on. It survives a reload and a restart, other
servers on the same store read it, and no export holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from mvr.votes import schema
from mvr.votes.ids import new_id


@dataclass(frozen=True, kw_only=True)
class Served:
    """Bytes of one side that went out in one answer.

    Attributes:
        side: "left" or "right".
        of_bytes: how many bytes of that file the required listening time takes.
        begun_at_ms: when the answer began, on the server's clock.
    """

    battle_id: str
    side: str
    first_byte: int
    end_byte: int
    of_bytes: int
    begun_at_ms: int


def append_served(connection: sa.Connection, rows: Sequence[Served]) -> None:
    """Add rows inside the caller's transaction."""
    connection.execute(sa.insert(schema.SERVED), [vars(row) | {"served_id": new_id()} for row in rows])


def served_of(connection: sa.Connection, battle_id: str) -> list[Served]:
    """What was sent of a battle so far, inside the caller's transaction."""
    table = schema.SERVED
    query = sa.select(*(table.c[name] for name in Served.__dataclass_fields__))
    query = query.where(table.c.battle_id == battle_id).order_by(table.c.served_id)
    return [Served(**row) for row in connection.execute(query).mappings()]


def covered_bytes(rows: Sequence[Served]) -> int:
    """How many different bytes these answers hold together.

    >>> row = Served(battle_id="b", side="left", first_byte=0, end_byte=10, of_bytes=9, begun_at_ms=0)
    >>> covered_bytes([row, Served(**(vars(row) | {"first_byte": 5, "end_byte": 12}))])
    12
    """
    total, at = 0, 0
    for row in sorted(rows, key=lambda row: row.first_byte):
        total += max(0, row.end_byte - max(at, row.first_byte))
        at = max(at, row.end_byte)
    return total
