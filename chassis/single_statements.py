"""Transactions of one statement: SQLite runs them by itself, without the layers that cost ten times what its work does.

The statement and its types stay SQLAlchemy's, and so do pool and errors. On PostgreSQL, where the server's answer is
waited for anyway, all of it is SQLAlchemy's.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError

from chassis.database import for_reading
from chassis.sqlite_dialect import SqliteDialect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Engine, Select
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import UpdateBase

    _Process = Callable[[Any], Any]
    _Ran = tuple[Sequence[tuple[Any, ...]], Sequence[str], int]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement as SQLite reads it: its text, and for each place the parameter and what makes it SQLite's."""

    text: str
    places: tuple[tuple[str, _Process | None], ...]
    constants: Mapping[str, Any]

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        named = {**self.constants, **parameters} if self.constants else parameters
        return [named[name] if process is None else process(named[name]) for name, process in self.places]


class _SqliteStatement:
    """A statement that an SQLite connection outside of any transaction runs: it begins one and commits it by itself."""

    def __init__(self, engine: Engine, statement: Select[Any] | UpdateBase) -> None:
        self._pool = engine
        self._statement = statement
        self._prepared: dict[tuple[str, ...], _Prepared] = {}

    def run(self, parameters: Mapping[str, Any]) -> _Ran:
        """Return the rows with their columns' names, and how many rows were written."""
        prepared = self._prepared_for(tuple(parameters))
        connection = self._pool.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute(prepared.text, prepared.values(parameters))
                rows = cursor.fetchall()  # to the end, where SQLite lets go of what it read
            finally:
                cursor.close()
            return rows, [column[0] for column in cursor.description or ()], cursor.rowcount
        except sqlite3.Error as error:
            dialect = self._pool.dialect
            raise DBAPIError.instance(
                prepared.text, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect
            ) from error
        finally:
            connection.close()

    def _prepared_for(self, names: tuple[str, ...]) -> _Prepared:
        prepared = self._prepared.get(names)
        if prepared is None:
            compiled = self._statement.compile(dialect=self._pool.dialect, column_keys=list(names))
            prepared = self._prepared[names] = _prepared(compiled, self._pool.dialect)
        return prepared


class SingleRead:
    """A query by key, in a transaction of its own."""

    def __init__(self, engine: Engine, query: Select[Any]) -> None:
        self._engine = for_reading(engine)
        self._query = query
        self._on_sqlite = _SqliteStatement(engine, query) if isinstance(engine.dialect, SqliteDialect) else None
        self._readers = _readers(query, engine.dialect) if self._on_sqlite is not None else {}

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
        self._on_sqlite = _SqliteStatement(engine, statement) if isinstance(engine.dialect, SqliteDialect) else None

    def rows_written(self, parameters: Mapping[str, Any]) -> int:
        """Run it; returns how many rows it wrote."""
        if self._on_sqlite is not None:
            return self._on_sqlite.run(parameters)[2]
        with self._engine.begin() as connection:
            return connection.execute(self._statement, parameters).rowcount


def _prepared(compiled: SQLCompiler, dialect: Dialect) -> _Prepared:
    if compiled.post_compile_params or compiled.literal_execute_params or compiled.insert_prefetch or compiled.update_prefetch:
        msg = f"this statement takes SQLAlchemy to run it: {compiled}"
        raise TypeError(msg)
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    places = tuple(
        (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup or ()
    )
    return _Prepared(str(compiled), places, constants)


def _readers(query: Select[Any], dialect: Dialect) -> dict[str, _Process]:
    """Return what makes values of what SQLite gave, for those columns that need it."""
    types = {str(column.key): column.type.dialect_impl(dialect) for column in query.selected_columns}
    readers = {name: type_.result_processor(dialect, None) for name, type_ in types.items()}
    return {name: read for name, read in readers.items() if read is not None}
