"""The bank's database: one `METADATA` for all tables, reading and writing transactions, `python -m bank_backend.database`.

Tables stand in each domain's `store`; revisions in `migrations/versions`, numbered 0001, 0002, …
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, MetaData, TextClause, text

from bank_backend.config import load_settings
from chassis.settings import SettingsRefused
from chassis.sql.database import (
    EXIT_UNUSABLE,
    database_command,
    for_reading,
    one_at_a_time,
    open_engine,
    require_current,
    writes_alone,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from bank_backend.config import BankSettings

__all__ = ["METADATA", "Connection", "Database", "one_at_a_time", "open_database", "writes_alone"]

PACKAGE = "bank_backend"
_GATE: Final = 7_295_003  # any constant: all replicas must use the same
_SHARED: Final = text("SELECT pg_advisory_xact_lock_shared(:gate)")
_ALONE: Final = text("SELECT pg_advisory_xact_lock(:gate)")
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Database:
    """Hands out transactions. A writing one commits when its block ends and rolls back when the block raises."""

    def __init__(self, engine: Engine) -> None:
        """Work on `engine`."""
        self.engine = engine
        self._reader = for_reading(engine)

    @contextmanager
    def reading(self, within: Connection | None = None) -> Iterator[Connection]:
        """Give a transaction that only reads: it never waits for a writer. `within`: one that is under way, to be read in."""
        if within is not None:
            yield within
            return
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, within: Connection | None = None) -> Iterator[Connection]:
        """Give a transaction that writes: on SQLite one at a time, from its first statement on.

        `within`: one that is under way, and ends where it began.
        """
        if within is not None:
            yield within
            return
        with self.engine.begin() as connection:
            _pass_gate(connection, _SHARED)
            yield connection

    @contextmanager
    def replacing(self) -> Iterator[Connection]:
        """Give a transaction that replaces much of what others write: none of theirs is under way meanwhile."""
        with self.engine.begin() as connection:
            _pass_gate(connection, _ALONE)
            yield connection


def _pass_gate(connection: Connection, statement: TextClause) -> None:
    if not writes_alone(connection):
        connection.execute(statement, {"gate": _GATE})


def open_database(settings: BankSettings) -> Database:
    """Open the migrated database; raises `chassis.sql.database.DatabaseProblem`."""
    engine = open_engine(settings.database_url, threads=settings.threads)
    require_current(engine, PACKAGE)
    return Database(engine)


def main() -> int:
    """Bring the database that the settings name to the newest schema; returns the exit status."""
    try:
        url = load_settings().database_url
    except SettingsRefused as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    return database_command(PACKAGE, url)


if __name__ == "__main__":
    sys.exit(main())
