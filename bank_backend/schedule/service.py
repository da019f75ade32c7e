"""The schedule as the bank's domains fill it: a task is there from the transaction that wants it to the one that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.schedule.model import ScheduledTask, TaskKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Connection
    from psd2.ids import TenantId

MOST_SHOWN = 500


class ScheduleStore(Protocol):
    """Where tasks are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, task: ScheduledTask) -> None:
        """Write a task, unless it is there already."""

    def remove_all(self, connection: Connection, tenant: TenantId, kind: str, resource: str) -> None:
        """Remove every task of this kind for a resource."""

    def of_tenant(self, connection: Connection, tenant: TenantId, *, limit: int) -> Sequence[ScheduledTask]:
        """Return a tenant's tasks, the next one first."""


class Schedule:
    """What is to be done, of every tenant."""

    def __init__(self, store: ScheduleStore) -> None:
        """Keep tasks in `store`."""
        self._store = store

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have something done at a moment of the tenant's time; what is past is due at once. Twice the same is once."""
        self._store.add(connection, ScheduledTask(tenant=tenant, kind=kind.value, resource=resource, due=due))

    def cancel(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str) -> None:
        """Have it not done, at none of its moments."""
        self._store.remove_all(connection, tenant, kind.value, resource)

    def upcoming(self, connection: Connection, tenant: TenantId) -> Sequence[ScheduledTask]:
        """Return what a tenant has before it, the next task first; overdue ones tell how often they failed and why."""
        return self._store.of_tenant(connection, tenant, limit=MOST_SHOWN)
