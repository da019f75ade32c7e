"""Rows brought into a table's shape of today: an older version of the bank wrote them, or somebody named a few values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
from sqlalchemy import JSON, Boolean, Float, Integer

from bank_backend.snapshots.errors import SnapshotOutdated

if TYPE_CHECKING:
    from sqlalchemy import Column

    from bank_backend.snapshots.model import TableRows
    from bank_backend.snapshots.ownership import OwnedTable
    from bank_backend.snapshots.rows import Row, Value

_FALSE: Final = frozenset({"0", "false"})


def fitted(owned: OwnedTable, found: TableRows | None) -> list[Row]:
    """Return rows with a value for each of the table's columns; raises `SnapshotOutdated` where one can't be made up."""
    if found is None or not found.rows:
        return []
    if found.columns == owned.names:
        return list(found.rows)  # type: ignore[arg-type] # read from JSON: what the rows hold is what was written
    places = {name: place for place, name in enumerate(found.columns)}
    makers = [(places.get(column.name), column) for column in owned.columns]
    return [tuple(row[place] if place is not None else default_of(column) for place, column in makers) for row in found.rows]  # type: ignore[misc]


def raw_value(value: object, column: Column[object]) -> Value:
    """Return a Python value as `snapshots.rows` reads and writes it."""
    if value is None or isinstance(value, (str, int, float, bytes)):
        return value
    if isinstance(column.type, JSON):
        return orjson.dumps(value).decode()
    return str(value)  # a date


def default_of(column: Column[object]) -> Value:
    """Return what a column has where nothing is said; raises `SnapshotOutdated` where it must have something."""
    if column.default is not None and column.default.is_scalar:
        return raw_value(column.default.arg, column)  # type: ignore[attr-defined] # a scalar default has it
    if column.server_default is not None:
        return _read(str(getattr(column.server_default, "arg", "")), column)
    if column.nullable:
        return None
    msg = f"it says nothing of {column.table.name}.{column.name}, which came later: take a new one after a reset or an import"
    raise SnapshotOutdated(msg)


def _read(text: str, column: Column[object]) -> Value:
    text = text.strip("'")
    if isinstance(column.type, Boolean):
        return text.lower() not in _FALSE
    if isinstance(column.type, Integer):
        return int(text)
    return float(text) if isinstance(column.type, Float) else text
