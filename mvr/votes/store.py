"""VoteStore: every battle, vote, judgment, flag and consent, in SQLite or PostgreSQL.

>>> import tempfile, pathlib
>>> store = VoteStore.open(pathlib.Path(tempfile.mkdtemp()) / "votes.sqlite")
>>> store.add(Consent(voter_id="v", session_id="s", version="1", text_sha256="0"))
>>> [consent.decision for consent in store.rows(Consent)]
['given']
>>> store.close()
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from mvr.config.settings import canonical_json
from mvr.errors import NotSaved, VoteRefused
from mvr.lines import first_line
from mvr.votes import schema
from mvr.votes.engine import create_engine, opening_lock, parse_url
from mvr.votes.migrations.upgrade import upgrade
from mvr.votes.record import hashed
from mvr.votes.records import Consent, Flag, Record, Vote
from mvr.votes.writer import PooledWriter, QueuedWriter, Work, Writer

logger = logging.getLogger(__name__)
R = TypeVar("R", bound=Record)
T = TypeVar("T")
WITHDRAWN = "withdrawn"
FORGOTTEN = "-"  # version of the consent that "forget me" withdraws: every one


class VoteStore:
    """One database. Safe to share between threads; several processes may open the same one.

    A method that writes returns after the commit. If it raises, nothing of it was written.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.sqlite = url.get_backend_name() == "sqlite"
        self._engine = create_engine(url)
        try:
            self._open()
        except BaseException:
            self._engine.dispose()
            raise
        self._writer: Writer = QueuedWriter(self._engine) if self.sqlite else PooledWriter(self._engine)
        self._close_lock = threading.Lock()

    @classmethod
    def open(cls, url: str | Path | None = None) -> VoteStore:
        """Open (and create or migrate) the database of a URL or SQLite path; None is the user's own file.

        Raises:
            UsageError: a URL that names neither a SQLite file nor PostgreSQL.
            NotSaved: the database cannot be reached, is damaged, or the disk is full.
            DataError: it was made by a newer version of this program.
        """
        return cls(parse_url(url))

    def close(self) -> None:
        """Finish queued writes and let the database go."""
        with self._close_lock:
            self._writer.close()
            self._engine.dispose()

    def __enter__(self) -> VoteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # writing ----------------------------------------------------------------------------------------------

    def write(self, work: Work[T]) -> T:
        """Run `work` in one transaction; returns what it returned, after the commit.

        Raises:
            NotSaved: the database refused (full disk, lost connection); nothing was written.
            VoteRefused: the row is there already.
        """
        with _told_plainly():
            return self._writer.run(work)

    def add(self, *records: Record) -> None:
        """Append records of any kind in one transaction."""
        self.write(lambda connection: append(connection, records))

    def cast(self, vote: Vote) -> Vote:
        """Append a vote, chained to the voter's previous one; returns it as it was stored.

        Raises:
            VoteRefused: this battle has such a vote already (or, of an undo, the vote was taken back before).
        """
        return self.write(lambda connection: append_vote(connection, vote))

    def forget(self, voter_id: str, session_id: str = "") -> int:
        """Withdraw a voter: from now on none of their rows counts or is exported, and no login leads to them.

        The rows stay as tombstones until the operator runs `purge`. Returns how many votes were withdrawn.
        """

        def work(connection: sa.Connection) -> int:
            flag = Flag(target_kind="voter", target_id=voter_id, rule_id=WITHDRAWN)
            consent = Consent(
                voter_id=voter_id,
                session_id=session_id,
                version=FORGOTTEN,
                text_sha256="-",
                decision="withdrawn",
            )
            append(connection, [flag, consent])
            connection.execute(sa.delete(schema.LOGIN).where(schema.LOGIN.c.voter_id == voter_id))
            votes = sa.select(sa.func.count()).where(schema.VOTE.c.voter_id == voter_id)
            return int(connection.execute(votes).scalar_one())

        return self.write(work)

    def purge(self) -> int:
        """Delete every row of withdrawn voters for good, except the flags that say they withdrew.

        Returns how many rows went. This is the one way in which rows of votes ever leave the store.
        """

        def work(connection: sa.Connection) -> int:
            flag = schema.FLAG.c
            gone = sa.select(flag.target_id).where(flag.target_kind == "voter", flag.rule_id == WITHDRAWN)
            battles = sa.select(schema.BATTLE.c.battle_id).where(schema.BATTLE.c.voter_id.in_(gone))
            kept = schema.JUDGMENT.c.battle_id.in_(battles) & schema.JUDGMENT.c.voter_id.not_in(gone)
            connection.execute(sa.update(schema.JUDGMENT).where(kept).values(battle_id=None))
            connection.execute(sa.delete(schema.SERVED).where(schema.SERVED.c.battle_id.in_(battles)))
            count = 0
            undos = schema.VOTE.c.kind == "undo"
            for table, more in (
                (schema.JUDGMENT, sa.true()),
                (schema.VOTE, undos),
                (schema.VOTE, sa.true()),
                (schema.BATTLE, sa.true()),
                (schema.CONSENT, sa.true()),
                (schema.PARTICIPANT, sa.true()),
            ):
                count += connection.execute(sa.delete(table).where(table.c.voter_id.in_(gone), more)).rowcount
            return count

        return self.write(work)

    def voter_of_account(self, account_mac: str, fresh_voter_id: str) -> str:
        """The voter of a signed-in account; `fresh_voter_id` when the account votes for the first time."""

        def work(connection: sa.Connection) -> str:
            lock(connection, f"login:{account_mac}")
            query = sa.select(schema.LOGIN.c.voter_id).where(schema.LOGIN.c.account_mac == account_mac)
            known = connection.execute(query).scalar()
            if known is None:
                connection.execute(
                    sa.insert(schema.LOGIN).values(account_mac=account_mac, voter_id=fresh_voter_id)
                )
            return known or fresh_voter_id

        return self.write(work)

    def account_of(self, voter_id: str) -> str | None:
        """The keyed hash of this voter's account, if they signed in."""
        query = sa.select(schema.LOGIN.c.account_mac).where(schema.LOGIN.c.voter_id == voter_id)
        return self.read(lambda connection: connection.execute(query).scalar())

    # reading ----------------------------------------------------------------------------------------------

    def read(self, work: Work[T]) -> T:
        """Run `work` in a transaction that only reads; it never waits for a writer."""
        with (
            _told_plainly(),
            self._engine.connect().execution_options(reading=True) as connection,
        ):
            return work(connection)

    def rows(self, record: type[R], /, **equals: Any) -> list[R]:
        """All records of one kind whose columns have the given values, ordered by primary key."""
        return self.read(lambda connection: select(connection, record, **equals))

    def counted(self, **equals: Any) -> list[dict[str, Any]]:
        """Rows of the view of votes that count, in the order of their ids. See `schema.COUNTED_VOTE_SQL`."""
        view = sa.table(schema.COUNTED_VOTE, *(sa.column(name) for name in ("vote_id", *equals)))
        query = sa.select(sa.text("*")).select_from(view).order_by(view.c.vote_id)
        for name, value in equals.items():
            query = query.where(view.c[name] == value)
        return self.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def count(self, kind: type[Record]) -> int:
        """How many rows of one kind there are."""
        query = sa.select(sa.func.count()).select_from(schema.METADATA.tables[kind.table])
        return int(self.read(lambda connection: connection.execute(query).scalar_one()))

    def excluded(self, target_kind: str) -> dict[str, set[str]]:
        """Targets of one kind that flags exclude now, by rule."""
        newest: dict[tuple[str, str], str] = {}
        for flag in sorted(self.rows(Flag, target_kind=target_kind), key=lambda flag: flag.sequence):
            newest[flag.target_id, flag.rule_id] = flag.verdict
        by_rule: dict[str, set[str]] = {}
        for (target, rule), verdict in newest.items():
            if verdict == "exclude":
                by_rule.setdefault(rule, set()).add(target)
        return by_rule

    def _open(self) -> None:
        with _told_plainly():
            if self.sqlite:
                with opening_lock(self.url), self._engine.begin() as connection:
                    upgrade(connection)
                return
            with self._engine.begin() as connection:
                lock(connection, "migrate")
                upgrade(connection)


def append(connection: sa.Connection, records: Iterable[Record]) -> None:
    """Insert records inside the caller's transaction, parents before children, numbered where they are not yet."""
    by_kind: dict[type[Record], list[dict[str, Any]]] = {}
    for record in records:
        by_kind.setdefault(type(record), []).append(record.to_row())
    for kind, rows in by_kind.items():
        _number(connection, schema.METADATA.tables[kind.table], rows)
    order = [table.name for table in schema.METADATA.sorted_tables]
    for kind in sorted(by_kind, key=lambda kind: order.index(kind.table)):
        connection.execute(sa.insert(schema.METADATA.tables[kind.table]), by_kind[kind])


def _number(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Give each row the next number of its owner: the voter, or of a flag the target."""
    fresh = [row for row in rows if row.get("sequence") == 0]
    columns = ("target_kind", "target_id") if table is schema.FLAG else ("voter_id",)
    owners = sorted(
        {tuple(row[name] for name in columns) for row in fresh}
    )  # one order, so that two never wait
    for owner in owners:
        lock(connection, ":".join(("voter" if len(owner) == 1 else "flag", *owner)))
        same = [table.c[name] == value for name, value in zip(columns, owner, strict=True)]
        newest = connection.execute(sa.select(sa.func.max(table.c.sequence)).where(*same)).scalar() or 0
        mine = (row for row in fresh if tuple(row[name] for name in columns) == owner)
        for number, row in enumerate(mine, newest + 1):
            row["sequence"] = number


def append_vote(connection: sa.Connection, vote: Vote) -> Vote:
    """Insert a vote inside the caller's transaction, with the hash of the voter's previous row."""
    lock(connection, f"voter:{vote.voter_id}")
    columns = schema.VOTE.c
    newest = sa.select(schema.VOTE).where(columns.voter_id == vote.voter_id)
    newest = newest.order_by(columns.sequence.desc(), columns.vote_id.desc()).limit(1)
    previous = connection.execute(newest).mappings().first()
    chained = dataclasses.replace(
        vote,
        prev_hash=row_hash(dict(previous)) if previous else "",
        sequence=previous["sequence"] + 1 if previous else 1,
    )
    append(connection, [chained])
    return chained


def row_hash(row: dict[str, Any]) -> str:
    """SHA-256 over all columns that a row was stored with, the previous hash among them."""
    return hashlib.sha256(canonical_json(hashed(row)).encode()).hexdigest()


def select(connection: sa.Connection, record: type[R], /, **equals: Any) -> list[R]:
    """Records inside the caller's transaction whose columns have the given values, ordered by primary key."""
    table = schema.METADATA.tables[record.table]
    query = sa.select(table).order_by(*(table.c[name] for name in record.key))
    for name, value in equals.items():
        column = table.c[name]
        query = query.where(
            column.in_(value)
            if isinstance(value, Sequence) and not isinstance(value, str)
            else column == value
        )
    return [record.from_row(dict(row)) for row in connection.execute(query).mappings()]


def lock(connection: sa.Connection, name: str) -> None:
    """Hold others off until the transaction ends. SQLite's writer has the whole file already."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise VoteRefused("this battle was already voted on; nothing was counted again") from error
    except sa.exc.DBAPIError as error:
        reason = first_line(error.orig or error)
        if not isinstance(
            error.orig, sqlite3.Error
        ):  # a server's words name hosts and users: for the operator only
            logger.warning("the vote store could not be used: %s", reason)
            reason = "the database did not answer as it should"
        raise NotSaved(
            f"the vote store could not be used ({reason}); nothing was saved, try again"
        ) from error
