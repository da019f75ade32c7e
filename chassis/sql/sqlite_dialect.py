"""How transactions begin on SQLite: those that write take the write lock at once, those that only read take none.

The dialect begins them itself: a listener of the engine's events costs a request that reads more than its statements do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from chassis.sql.checkpoints import Checkpoints

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection

SQLITE_DRIVER: Final = "sqlite+chassis"


class _Beginning(SQLiteDialect_pysqlite):
    supports_statement_cache = True
    begin: ClassVar[str]

    def do_begin(self, dbapi_connection: DBAPIConnection) -> None:
        """Begin a transaction; what the driver raises becomes SQLAlchemy's error, as everywhere."""
        cursor = dbapi_connection.cursor()
        cursor.execute(self.begin)
        cursor.close()


class _Reading(_Beginning):
    supports_statement_cache = True
    begin = "BEGIN"


class SqliteDialect(_Beginning):
    """SQLAlchemy's own, but for how a transaction begins; `reading` is its twin for transactions that only read."""

    supports_statement_cache = True
    begin = "BEGIN IMMEDIATE"

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - handed to SQLAlchemy
        """Take the options of SQLAlchemy's dialect."""
        super().__init__(**options)
        self.reading = _Reading(**options)
        self.checkpoints = Checkpoints()

    def initialize(self, connection: Connection) -> None:
        """Learn what the first connection tells of the database."""
        super().initialize(connection)
        self.reading.initialize(connection)

    def do_commit(self, dbapi_connection: DBAPIConnection) -> None:
        """Commit; one of many puts the journal back."""
        super().do_commit(dbapi_connection)  # type: ignore[no-untyped-call]
        self.checkpoints.note_commit(dbapi_connection)


registry.register("sqlite.chassis", __name__, SqliteDialect.__name__)
