"""Reading, changing and deleting rows in bulk, past SQLAlchemy's work for each (writing new ones: `bank_backend.bulk_rows`).

A row is a tuple of what JSON can say, whatever the engine (dates as text, JSON columns as their text), but for bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import JSON, BigInteger, Boolean, Date, DateTime, Float, Integer, LargeBinary, Text, cast, select

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Column, ColumnElement
    from sqlalchemy.types import TypeEngine

    from bank_backend.database import Connection
    from bank_backend.snapshots.ownership import OwnedTable

Value: TypeAlias = str | int | float | bool | bytes | None
Row: TypeAlias = tuple[Value, ...]

_AS_TEXT: Final = (Date, DateTime, JSON)
_POSTGRESQL_TYPES: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Boolean, "boolean"),
    (Float, "double precision"),
    (LargeBinary, "bytea"),
    (Date, "date"),
    (DateTime, "timestamp"),
    (JSON, "json"),
)


def read_rows(connection: Connection, owned: OwnedTable, tenant: str) -> list[Row]:
    """Return the tenant's rows of a table, in the order of their primary key."""
    statement = (
        select(*(_readable(connection, column) for column in owned.columns))
        .where(owned.condition)
        .order_by(*owned.table.primary_key.columns)
    )
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
    result = connection.exec_driver_sql(str(compiled), _parameters(connection, compiled.params, tenant))
    return list(result.cursor.fetchall())


def delete_rows(connection: Connection, owned: OwnedTable, keys: Sequence[Row]) -> None:
    """Delete rows by their primary keys."""
    if not keys:
        return
    columns = [owned.table.c[name] for name in owned.key]
    if connection.dialect.name == "postgresql":
        arrays = ", ".join(f"%s::{_postgresql_type(column)}[]" for column in columns)
        names = [f"k{number}" for number in range(len(columns))]
        matches = " AND ".join(f't."{column.name}" = {name}' for column, name in zip(columns, names, strict=True))
        statement = f'DELETE FROM "{owned.name}" t USING unnest({arrays}) AS gone({", ".join(names)}) WHERE {matches}'  # noqa: S608
        connection.exec_driver_sql(statement, tuple(list(values) for values in zip(*keys, strict=True)))
        return
    matches = " AND ".join(f'"{column.name}" = ?' for column in columns)
    connection.exec_driver_sql(f'DELETE FROM "{owned.name}" WHERE {matches}', list(keys))  # noqa: S608 - from the metadata


def update_rows(connection: Connection, owned: OwnedTable, rows: Iterable[Row]) -> None:
    """Give rows, found by their primary keys, the values that they have here."""
    positions = {column.name: place for place, column in enumerate(owned.columns)}
    changed = [column for column in owned.columns if column.name not in owned.key]
    order = [positions[column.name] for column in changed] + [positions[name] for name in owned.key]
    values = [tuple(row[place] for place in order) for row in rows]
    if not values or not changed:
        return
    is_postgresql = connection.dialect.name == "postgresql"
    sets = ", ".join(f'"{column.name}" = {_mark(column, is_postgresql=is_postgresql)}' for column in changed)
    matches = " AND ".join(f'"{name}" = {_mark(owned.table.c[name], is_postgresql=is_postgresql)}' for name in owned.key)
    connection.exec_driver_sql(f'UPDATE "{owned.name}" SET {sets} WHERE {matches}', values)  # noqa: S608 - from the metadata


def _readable(connection: Connection, column: Column[object]) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql" and isinstance(column.type, _AS_TEXT):
        return cast(column, Text)
    return column


def _parameters(connection: Connection, names: Iterable[str], tenant: str) -> dict[str, str] | tuple[str, ...]:
    # The tenant is the only parameter, however often it stands there.
    if connection.dialect.paramstyle == "pyformat":
        return dict.fromkeys(names, tenant)
    return tuple(tenant for _ in names)


def _mark(column: Column[object], *, is_postgresql: bool) -> str:
    return f"%s::{_postgresql_type(column)}" if is_postgresql else "?"


def _postgresql_type(column: Column[object]) -> str:
    return next((name for kind, name in _POSTGRESQL_TYPES if isinstance(column.type, kind)), "text")
