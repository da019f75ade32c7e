"""Which rows belong to a tenant, told by the tables themselves: no list that a new table could be missing from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, UniqueConstraint, bindparam, select

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column, ColumnElement, ForeignKey, MetaData, Table

# A tenant's, and yet not part of its state: what was kept of it, and the record of what was done to it.
KEPT: Final = frozenset({"snapshots", "replacements", "notifications"})
# Nobody's: the tenants themselves (`TENANT_STATE`), and the guard, which is always empty.
NOBODYS: Final = frozenset({"tenants", "replacement_guard"})
# Columns of `tenants` that the register decides; the others are state, and come back with a snapshot.
REGISTERED: Final = frozenset({"id", "name", "country", "roles", "redirect_uris", "created_at"})
# The ledger's: triggers refuse UPDATE, so that a row that differs is deleted and written anew.
APPEND_ONLY: Final = frozenset({"entries", "postings", "holds", "hold_ends"})
TENANT: Final = "tenant"


class UnownedTable(RuntimeError):
    """A table that belongs to nobody: neither has it a tenant, nor does it refer to a table that has one."""


@dataclass(frozen=True, slots=True)
class OwnedTable:
    """A table with the condition that finds a tenant's rows (bound parameter `tenant`), and the columns that make its state.

    A number that only counts rows up is left out of `columns`: another tenant may have taken it meanwhile.
    """

    table: Table
    condition: ColumnElement[bool]
    columns: tuple[Column[object], ...]
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.name)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(str(column.name) for column in self.columns)

    @property
    def is_append_only(self) -> bool:
        """Whether its rows can't be changed."""
        return self.name in APPEND_ONLY


def owned_tables(metadata: MetaData) -> tuple[OwnedTable, ...]:
    """Return the tables of a tenant's state, those referred to first; raises `UnownedTable`."""
    conditions: dict[str, ColumnElement[bool]] = {}
    owned = []
    for table in metadata.sorted_tables:
        if table.name not in NOBODYS | KEPT:
            conditions[table.name] = _condition(table, conditions)
            owned.append(OwnedTable(table, conditions[table.name], _columns(table), _key(table)))
    return tuple(owned)


def state_columns(tenants: Table) -> tuple[Column[object], ...]:
    """Return the columns of `tenants` that belong to a tenant's state."""
    return tuple(column for column in tenants.columns if column.name not in REGISTERED)


def _condition(table: Table, conditions: Mapping[str, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Find rows along an index: by the tenant, or by a reference to what is the tenant's."""
    if TENANT in table.columns and _leads_an_index(table, TENANT):
        return table.c[TENANT] == bindparam(TENANT)
    for reference in sorted(table.foreign_keys, key=lambda one: one.parent.name):
        target = reference.column.table.name
        if target in conditions and _leads_an_index(table, reference.parent.name):
            return reference.parent.in_(select(reference.column).where(conditions[target]))
    if TENANT in table.columns:
        return table.c[TENANT] == bindparam(TENANT)
    return _by_any_reference(table, conditions)


def _by_any_reference(table: Table, conditions: Mapping[str, ColumnElement[bool]]) -> ColumnElement[bool]:
    found: list[ForeignKey] = [one for one in table.foreign_keys if one.column.table.name in conditions]
    if not found:
        msg = (
            f"table {table.name} has no column `tenant` and refers to no table that has one: whose rows are they? "
            "Snapshots, restores and resets would leave them behind"
        )
        raise UnownedTable(msg)
    return found[0].parent.in_(select(found[0].column).where(conditions[found[0].column.table.name]))


def _leads_an_index(table: Table, column: str) -> bool:
    indexes = [tuple(index.columns) for index in table.indexes]
    constraints = [tuple(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    return any(each and each[0].name == column for each in (tuple(table.primary_key.columns), *indexes, *constraints))


def _columns(table: Table) -> tuple[Column[object], ...]:
    counter = _counter(table)
    return tuple(column for column in table.columns if column.name != counter)


def _key(table: Table) -> tuple[str, ...]:
    """Return the names of the primary key; empty where it is a mere counter, so that a row is known by all that it says."""
    return () if _counter(table) else tuple(str(column.name) for column in table.primary_key.columns)


def _counter(table: Table) -> str | None:
    key = list(table.primary_key.columns)
    is_counter = len(key) == 1 and isinstance(key[0].type, Integer) and not key[0].foreign_keys
    return key[0].name if is_counter else None
