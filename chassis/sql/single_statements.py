"""Transactions of one statement: SQLite runs them by itself, without the layers that cost ten times what its work does.

The statement and its types stay SQLAlchemy's, and so do pool and errors. On PostgreSQL, where the server's answer is
waited for anyway, all of it is SQLAlchemy's.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, cast

from chassis.sql.database import for_reading
from chassis.sql.sqlite_dialect import SqliteDialect
from chassis.sql.statements import Prepared, column_readers, prepared_for_sqlite, told_by_sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Engine, Select
    from sqlalchemy.sql.dml import UpdateBase

    _Ran = tuple[Sequence[tuple[Any, ...]], Sequence[str], int]


class _SqliteStatement:
    """A statement that an SQLite connection outside of any transaction runs: it begins one and commits it by itself."""

    def __init__(self, engine: Engine, dialect: SqliteDialect, statement: Select[Any] | UpdateBase) -> None:
        self._pool = engine
        self._checkpoints = dialect.checkpoints
        self._statement = statement
        self._prepared: dict[tuple[str, ...], Prepared] = {}

    def run(self, parameters: Mapping[str, Any]) -> _Ran:
        """Return the rows with their columns' names, and how many rows were written."""
        prepared = self._prepared_for(parameters)
        connection = self._pool.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(prepared.text, prepared.values(parameters))
                rows = cursor.fetchall()  # to the end, where SQLite lets go of what it read
            finally:
                cursor.close()
            if cursor.rowcount > 0:
                self._checkpoints.note_commit(connection)
            return rows, [column[0] for column in cursor.description or ()], cursor.rowcount
        except sqlite3.Error as error:
            raise told_by_sqlalchemy(error, prepared.text, self._pool.dialect) from error
        finally:
            connection.close()

    def _prepared_for(self, parameters: Mapping[str, Any]) -> Prepared:
        names = tuple(parameters)
        prepared = self._prepared.get(names)
        if prepared is None:
            prepared = self._prepared[names] = prepared_for_sqlite(self._statement, self._pool.dialect, parameters)
        return prepared


class SingleRead:
    """A query by key, in a transaction of its own."""

    def __init__(self, engine: Engine, query: Select[Any]) -> None:
        self._engine = for_reading(engine)
        self._query = query
        self._on_sqlite = _on_sqlite(engine, query)
        readers = column_readers(query, engine.dialect) if self._on_sqlite is not None else {}
        self._readers = {name: read for name, read in readers.items() if read is not None}

    def row(self, **parameters: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - whatever the columns hold
        """Return the row by its columns' names, None where there is none."""
        if self._on_sqlite is not None:
            return self._row(self._on_sqlite.run(parameters))
        with self._engine.connect() as connection:
            row = connection.execute(self._query, parameters).one_or_none()
        # Its type says that a column may be the key, too: `_mapping` is public in SQLAlchemy.
        return None if row is None else cast("Mapping[str, Any]", row._mapping)  # noqa: SLF001

    def _row(self, found: _Ran) -> Mapping[str, Any] | None:
        rows, names, _ = found
        if not rows:
            return None
        (only,) = rows
        row = dict(zip(names, only, strict=True))
        for name, read in self._readers.items():
            row[name] = read(row[name])
        return row


class SingleWrite:
    """A statement that changes rows, in a transaction of its own: committed when it is over."""

    def __init__(self, engine: Engine, statement: UpdateBase) -> None:
        self._engine = engine
        self._statement = statement.execution_options(preserve_rowcount=True)
        self._on_sqlite = _on_sqlite(engine, statement)

    def rows_written(self, parameters: Mapping[str, Any]) -> int:
        """Run it; returns how many rows it wrote."""
        if self._on_sqlite is not None:
            return self._on_sqlite.run(parameters)[2]
        with self._engine.begin() as connection:
            return connection.execute(self._statement, parameters).rowcount


def _on_sqlite(engine: Engine, statement: Select[Any] | UpdateBase) -> _SqliteStatement | None:
    dialect = engine.dialect
    return _SqliteStatement(engine, dialect, statement) if isinstance(dialect, SqliteDialect) else None
