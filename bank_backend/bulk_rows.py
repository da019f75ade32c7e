"""Many rows at once, past SQLAlchemy's work for each: COPY on PostgreSQL, a prepared statement on SQLite."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from itertools import repeat
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import JSON, Date, DateTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Column, Table

    from bank_backend.database import Connection


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Have no garbage looked for: among hundreds of thousands of new objects that takes as long as making them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def write_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows that all name the same columns; the others get what the table's own default says."""
    if rows:
        columns, tuples = as_tuples(table, rows)
        insert_tuples(connection, table, columns, tuples)


def as_tuples(table: Table, rows: Sequence[Mapping[str, object]]) -> tuple[Sequence[Column[Any]], Sequence[tuple[Any, ...]]]:
    """Return columns and values of rows that all name the same, as either driver takes them: dates and JSON as their text."""
    named = [column for column in table.columns if column.name in rows[0]]
    values = [_texts(column, [row[column.name] for row in rows]) for column in named]
    left_out = [column for column in table.columns if column.name not in rows[0] and _has_plain_default(column)]
    usual = [repeat(getattr(column.default, "arg", None)) for column in left_out]
    return [*named, *left_out], list(zip(*values, *usual, strict=False))


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[Column[Any]], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Write rows, each with a value for each of the columns, as the driver takes them."""
    if not rows:
        return
    names = ", ".join(f'"{column.name}"' for column in columns)
    if connection.dialect.name == "postgresql":
        with connection.connection.cursor().copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" for _ in columns)
    connection.exec_driver_sql(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(rows))  # noqa: S608 - from the metadata


def _texts(column: Column[Any], values: list[object]) -> list[object]:
    """Return dates and JSON as their text."""
    if isinstance(column.type, JSON):
        return [None if value is None else orjson.dumps(value).decode() for value in values]
    if isinstance(column.type, (Date, DateTime)):
        return [None if value is None else str(value) for value in values]
    return values


def _has_plain_default(column: Column[Any]) -> bool:
    return column.default is not None and column.default.is_scalar and column.server_default is None
