"""Bring a database to the newest schema with Alembic, inside one transaction."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from mvr.errors import DataError


def scripts() -> ScriptDirectory:
    """The migrations of this package, in their order."""
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(__file__).parent))
    return ScriptDirectory.from_config(config)


def upgrade(connection: sa.Connection) -> None:
    """Run what is missing; a database that is up to date is only read.

    Raises:
        DataError: the database was made by a newer version of this program.
    """
    directory = scripts()
    known = {script.revision for script in directory.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current == directory.get_current_head():
        return
    if current is not None and current not in known:
        raise DataError(
            f"the vote store has schema {current}, newer than this program; install the newer version"
        )
    config = Config()
    config.set_main_option("path_separator", "os")
    head = directory.get_current_head() or "base"

    def steps(revision: object, _context: object) -> object:
        return directory._upgrade_revs(head, revision)  # type: ignore[arg-type]

    with EnvironmentContext(config, directory, fn=steps, destination_rev=head) as environment:
        environment.configure(connection=connection, transactional_ddl=True, fn=steps)
        environment.run_migrations()
