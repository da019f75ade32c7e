"""Statements that are made once and run in the caller's transaction: on SQLite past the layers that cost more than its work.

The statement and its types stay SQLAlchemy's, and so do transactions and errors. On PostgreSQL, where the server's answer is
waited for anyway, all of it is SQLAlchemy's. `chassis.sql.single_statements` has transactions of one statement.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Select
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import UpdateBase

    Process = Callable[[Any], Any]

_SQLITE: Final = "sqlite"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as SQLite reads it: its text, and for each place the parameter and what makes it SQLite's."""

    text: str
    places: tuple[tuple[str, Process | None], ...]
    constants: Mapping[str, Any]

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return what stands in the places; raises `KeyError` for a parameter that is missing."""
        named = {**self.constants, **parameters} if self.constants else parameters
        return [named[name] if process is None else process(named[name]) for name, process in self.places]

    def run(self, connection: sqlite3.Connection, parameters: Mapping[str, Any], dialect: Dialect) -> sqlite3.Cursor:
        """Run it; raises SQLAlchemy's errors, which tell nothing of the parameters."""
        try:
            return connection.execute(self.text, self.values(parameters))
        except sqlite3.Error as error:
            raise told_by_sqlalchemy(error, self.text, dialect) from error

    def rows(self, connection: sqlite3.Connection, parameters: Mapping[str, Any], dialect: Dialect) -> list[tuple[Any, ...]]:
        """Run it and return the rows; what fails on the way to the last of them is SQLAlchemy's error, too."""
        try:
            return connection.execute(self.text, self.values(parameters)).fetchall()
        except sqlite3.Error as error:
            raise told_by_sqlalchemy(error, self.text, dialect) from error


class Query:
    """Reads rows, whose columns are attributes."""

    def __init__(self, statement: Select[Any]) -> None:
        """Read what `statement` says; its values are parameters."""
        self._statement = statement
        self._prepared: Prepared | None = None
        self._row: Callable[[Sequence[Any]], Any] = tuple
        self._readers: Sequence[tuple[int, Process]] = ()

    def all(self, connection: Connection, **parameters: object) -> Sequence[Any]:
        """Return the rows."""
        if connection.dialect.name != _SQLITE:
            return connection.execute(self._statement, parameters).all()
        prepared = self._prepared or self._prepare(connection.dialect, parameters)
        return [self._read(row) for row in prepared.rows(_begun(connection), parameters, connection.dialect)]

    def first(self, connection: Connection, **parameters: object) -> Any:  # noqa: ANN401 - a row, or None
        """Return the first row, None where there is none."""
        if connection.dialect.name != _SQLITE:
            return connection.execute(self._statement, parameters).first()
        prepared = self._prepared or self._prepare(connection.dialect, parameters)
        found = prepared.run(_begun(connection), parameters, connection.dialect)
        row = found.fetchone()
        found.close()
        return None if row is None else self._read(row)

    def _read(self, found: Sequence[Any]) -> Any:  # noqa: ANN401 - a row
        if not self._readers:
            return self._row(found)
        values = list(found)
        for place, read in self._readers:
            values[place] = read(values[place])
        return self._row(values)

    def _prepare(self, dialect: Dialect, parameters: Mapping[str, Any]) -> Prepared:
        readers = column_readers(self._statement, dialect)
        # `prepared` last: who finds it finds all of it.
        row: Any = namedtuple("Row", list(readers))  # type: ignore[misc]  # noqa: PYI024 - its fields are the statement's
        self._row = row._make
        self._readers = [(place, read) for place, read in enumerate(readers.values()) if read is not None]
        self._prepared = prepared_for_sqlite(self._statement, dialect, parameters)
        return self._prepared


class Change:
    """Writes rows."""

    def __init__(self, statement: UpdateBase) -> None:
        """Do what `statement` says; its values are parameters."""
        self._statement = statement.execution_options(preserve_rowcount=True)
        self._prepared: dict[tuple[str, ...], Prepared] = {}

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Do it; returns how many rows it wrote."""
        if connection.dialect.name != _SQLITE:
            return connection.execute(self._statement, parameters).rowcount
        names = tuple(parameters)
        prepared = self._prepared.get(names)
        if prepared is None:
            prepared = self._prepared[names] = prepared_for_sqlite(self._statement, connection.dialect, parameters)
        return prepared.run(_begun(connection), parameters, connection.dialect).rowcount


def _begun(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection, in the transaction that SQLAlchemy begins with the first statement."""
    if not connection.in_transaction():
        connection.begin()
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def told_by_sqlalchemy(error: sqlite3.Error, text: str, dialect: Dialect) -> BaseException:
    """Return SQLAlchemy's error for one of SQLite's."""
    return DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True, dialect=dialect)


def prepared_for_sqlite(statement: Select[Any] | UpdateBase, dialect: Dialect, names: Mapping[str, Any]) -> Prepared:
    """Return a statement for parameters of these names; raises `TypeError` for one that changes with its values."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    _require_lasting(compiled)
    constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    places = tuple(
        (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in compiled.positiontup or ()
    )
    return Prepared(str(compiled), places, constants)


def _require_lasting(compiled: SQLCompiler) -> None:
    if compiled.post_compile_params or compiled.literal_execute_params or compiled.insert_prefetch or compiled.update_prefetch:
        msg = f"this statement takes SQLAlchemy to run it: {compiled}"
        raise TypeError(msg)


def column_readers(query: Select[Any], dialect: Dialect) -> dict[str, Process | None]:
    """Return, by column, what makes values of what SQLite gave; None where nothing needs to."""
    types = {str(column.key): column.type.dialect_impl(dialect) for column in query.selected_columns}
    return {name: type_.result_processor(dialect, None) for name, type_ in types.items()}
