"""Databases for the store's tests: a SQLite file each, and one real PostgreSQL server for the marked ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mvr.votes.records import Battle, Consent, Side, Vote
from mvr.votes.store import VoteStore


def _binary(name: str) -> str:
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = str(places[0]) if places else shutil.which(name)
    assert found, f"{name} is not installed: install PostgreSQL (Debian: postgresql) or leave out -m postgres"
    return found


def _as_server_user(command: list[str]) -> None:
    """PostgreSQL refuses to run as root, so root starts it as the user that Debian made for it."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, timeout=120, cwd="/")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A cluster of its own in a temporary folder, reached by a socket in that folder only."""
    folder = Path(tempfile.mkdtemp(prefix="mvr-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    try:
        _as_server_user([_binary("initdb"), "-D", str(data), "-U", "mvr", "-A", "trust", "--no-sync"])
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c max_connections=200"
        log = ["-l", str(folder / "log"), "-w", "-o", options]
        _as_server_user([_binary("pg_ctl"), "-D", str(data), *log, "start"])
        try:
            yield str(folder)
        finally:
            _as_server_user([_binary("pg_ctl"), "-D", str(data), "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty database."""
    name = f"votes_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(host=postgres_server, user="mvr", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://mvr@/{name}?host={postgres_server}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'votes.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest) -> str:
    """The same tests on both kinds of database."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def store(url: str) -> Iterator[VoteStore]:
    with VoteStore.open(url) as store:
        yield store


def side(system: str, item: str, **changes) -> Side:
    return Side(system_id=system, system_version="1", item_id=item, item_group_id=f"group-{item}", **changes)


@pytest.fixture
def make_battle():
    def make(voter: str = "anna", **changes) -> Battle:
        values = {
            "voter_id": voter,
            "session_id": "s",
            "direction": "v2m",
            "query_id": "video-1",
            "query_group_id": "source-1",
            "left": side("cca", "t1"),
            "right": side("mvbind", "t2"),
            "pool_version": "1",
            "pool_size": 40,
            "policy_id": "uniform-v1",
            "pair_prob": 1.0,
            "seed": 7,
            "ui_version": "1",
        }
        return Battle(**(values | changes))

    return make


@pytest.fixture
def make_vote():
    def make(battle: Battle, outcome: str = "left", **changes) -> Vote:
        values = {
            "battle_id": battle.battle_id,
            "voter_id": battle.voter_id,
            "session_id": "s",
            "consent_version": "1",
            "outcome": outcome,
            "listen_left_ms": 6000,
            "listen_right_ms": 6000,
        }
        return Vote(**(values | changes))

    return make


@pytest.fixture
def consent():
    def make(voter: str = "anna", **changes) -> Consent:
        return Consent(
            **({"voter_id": voter, "session_id": "s", "version": "1", "text_sha256": "0"} | changes)
        )

    return make
