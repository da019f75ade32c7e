"""The schedule in the bank's database: an index by tenant and due moment finds what is due without looking at the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bank_backend.database import METADATA, one_at_a_time
from bank_backend.schedule.model import ScheduledTask
from bank_backend.tenants.tables import tenants
from chassis.sql.database import is_first_in_line
from chassis.sql.statements import Change
from psd2.ids import TenantId

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from bank_backend.database import Connection

_MOST_TENANTS: Final = 500

scheduled_tasks = Table(
    "scheduled_tasks",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("resource", String(80), primary_key=True),
    # The tenant's time; `retry_at` is the real one.
    Column("due_at", Float, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Float, nullable=False),
    Column("error", String(300), nullable=False),
    Index("ix_scheduled_tasks_due", "tenant", "due_at", "retry_at"),
)

_ADD: Final = {
    "postgresql": Change(postgresql.insert(scheduled_tasks).on_conflict_do_nothing()),
    "sqlite": Change(sqlite.insert(scheduled_tasks).on_conflict_do_nothing()),
}
_REMOVE_ALL: Final = Change(
    delete(scheduled_tasks).where(
        scheduled_tasks.c.tenant == bindparam("tenant"),
        scheduled_tasks.c.kind == bindparam("kind"),
        scheduled_tasks.c.resource == bindparam("resource"),
    )
)
_DUE: Final = scheduled_tasks.select().where(
    scheduled_tasks.c.tenant == bindparam("tenant"),
    scheduled_tasks.c.due_at <= bindparam("now"),
    scheduled_tasks.c.retry_at <= bindparam("real_now"),
)
_NEXT_DUE: Final = _DUE.order_by(scheduled_tasks.c.due_at, scheduled_tasks.c.kind, scheduled_tasks.c.resource).limit(1)
# Each tenant is a look into the index at its own time: no task is read that isn't due.
_TENANTS_WITH_DUE: Final = (
    select(tenants.c.id)
    .where(
        select(scheduled_tasks.c.kind)
        .where(
            scheduled_tasks.c.tenant == tenants.c.id,
            scheduled_tasks.c.due_at <= bindparam("real_now", type_=Float) + tenants.c.clock_offset_seconds,
            scheduled_tasks.c.retry_at <= bindparam("real_now", type_=Float),
        )
        .exists()
    )
    .limit(_MOST_TENANTS)
)


class SqlScheduleStore:
    """Tasks in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, task: ScheduledTask) -> None:
        """Write a task, unless it is there already."""
        _ADD[connection.dialect.name].run(connection, row_of_task(task))

    def remove_all(self, connection: Connection, tenant: TenantId, kind: str, resource: str) -> None:
        """Remove every task of this kind for a resource."""
        _REMOVE_ALL.run(connection, {"tenant": tenant, "kind": kind, "resource": resource})

    def remove(self, connection: Connection, task: ScheduledTask) -> None:
        """Remove a task."""
        connection.execute(delete(scheduled_tasks).where(_is(task)))

    def take_turn(self, connection: Connection, tenant: TenantId, *, waits: bool) -> bool:
        """Be the only one to do this tenant's tasks until the transaction ends; False where that would mean waiting."""
        if not waits:
            return is_first_in_line(connection, "schedule", tenant)
        one_at_a_time(connection, "schedule", tenant)
        return True

    def next_due(self, connection: Connection, tenant: TenantId, *, now: datetime, real_now: datetime) -> ScheduledTask | None:
        """Return the first task that is due by the tenant's time and doesn't rest after a failure, or None."""
        values = {"tenant": tenant, "now": now.timestamp(), "real_now": real_now.timestamp()}
        row = connection.execute(_NEXT_DUE, values).first()
        return None if row is None else _task(row)

    def tenants_with_due(self, connection: Connection, *, real_now: datetime) -> list[TenantId]:
        """Return the tenants that have something due by their own clocks."""
        found = connection.execute(_TENANTS_WITH_DUE, {"real_now": real_now.timestamp()})
        return [TenantId(tenant) for tenant in found.scalars()]

    def note_failure(self, connection: Connection, task: ScheduledTask, *, retry_at: datetime, error: str) -> int:
        """Record that a task has failed once more and when it is tried again; returns how often it has by now."""
        values = {"failures": scheduled_tasks.c.failures + 1, "retry_at": retry_at.timestamp(), "error": error}
        connection.execute(update(scheduled_tasks).where(_is(task)).values(values))
        return connection.execute(select(scheduled_tasks.c.failures).where(_is(task))).scalar() or 0

    def of_tenant(self, connection: Connection, tenant: TenantId, *, limit: int) -> list[ScheduledTask]:
        """Return a tenant's tasks, the next one first."""
        statement = (
            scheduled_tasks.select()
            .where(scheduled_tasks.c.tenant == tenant)
            .order_by(scheduled_tasks.c.due_at, scheduled_tasks.c.kind, scheduled_tasks.c.resource)
            .limit(limit)
        )
        return [_task(row) for row in connection.execute(statement)]


def row_of_task(task: ScheduledTask) -> dict[str, object]:
    """Return the row of a task that has not been tried yet."""
    return {
        "tenant": task.tenant,
        "kind": task.kind,
        "resource": task.resource,
        "due_at": task.due.timestamp(),
        "failures": 0,
        "retry_at": 0.0,
        "error": "",
    }


def _of(tenant: TenantId, kind: str, resource: str) -> ColumnElement[bool]:
    columns = scheduled_tasks.c
    return (columns.tenant == tenant) & (columns.kind == kind) & (columns.resource == resource)


def _is(task: ScheduledTask) -> ColumnElement[bool]:
    return _of(task.tenant, task.kind, task.resource) & (scheduled_tasks.c.due_at == task.due.timestamp())


def _task(row: Row[*tuple[Any, ...]]) -> ScheduledTask:
    return ScheduledTask(
        tenant=TenantId(row.tenant),
        kind=row.kind,
        resource=row.resource,
        due=datetime.fromtimestamp(row.due_at, UTC),
        failures=row.failures,
        retry_at=datetime.fromtimestamp(row.retry_at, UTC) if row.failures else None,
        error=row.error,
    )
