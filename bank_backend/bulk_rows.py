"""Many rows at once: written past SQLAlchemy's work for each: COPY on PostgreSQL, a prepared statement on SQLite."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import JSON, Date, DateTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
    values = list(map(itemgetter(*(column.name for column in named)), rows))
    converters = [(place, _converter(column)) for place, column in enumerate(named)]
    needed = [(place, convert) for place, convert in converters if convert is not None]
    left_out = [column for column in table.columns if column.name not in rows[0]]
    usual = [(column, getattr(column.default, "arg", None)) for column in left_out if _has_plain_default(column)]
    extra = tuple(value for _, value in usual)
    return [*named, *(column for column, _ in usual)], [_converted(row, needed) + extra for row in values]


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


def _converted(row: tuple[object, ...], needed: Sequence[tuple[int, Callable[[Any], object]]]) -> tuple[object, ...]:
    given = [(place, convert) for place, convert in needed if row[place] is not None]
    if not given:
        return row
    values = list(row)
    for place, convert in given:
        values[place] = convert(values[place])
    return tuple(values)


def _converter(column: Column[Any]) -> Callable[[Any], object] | None:
    if isinstance(column.type, JSON):
        return lambda value: orjson.dumps(value).decode()
    return str if isinstance(column.type, (Date, DateTime)) else None


def _has_plain_default(column: Column[Any]) -> bool:
    return column.default is not None and column.default.is_scalar and column.server_default is None
