"""A tenant's whole state, and what is told of one that was kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bank_backend.errors import FieldsInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

MOST_SNAPSHOTS: Final = 20
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of one table; each has a value for each of `columns`."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]

    def values(self, column: str) -> list[object]:
        """Return what stands in one column."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]


@dataclass(frozen=True, slots=True)
class TenantState:
    """Everything that belongs to a tenant: its own values (seed, password, personality, …) and its rows by table."""

    values: Mapping[str, object]
    tables: Mapping[str, TableRows]

    @property
    def size(self) -> int:
        """How many rows it has."""
        return sum(len(table.rows) for table in self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is told of a snapshot. `tenant_time` is what the tenant's clock showed; a restore brings it back."""

    name: str
    taken_at: datetime
    tenant_time: datetime
    rows: int
    bytes: int


class ReplacementKind(StrEnum):
    """Why a tenant's rows were replaced."""

    RESTORE = "restore"
    RESET = "reset"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a replacement came to: rows removed and written (those that were right already stayed), and the tenant's time."""

    removed: int
    written: int
    tenant_time: datetime


def require_name(name: str) -> str:
    """Return the name of a snapshot; raises `FieldsInvalid`."""
    if not _NAME.fullmatch(name):
        reason = (
            "is no name of a snapshot: write up to 64 letters, digits, points, hyphens and underscores, a letter or digit first"
        )
        raise FieldsInvalid({"name": reason})
    return name
