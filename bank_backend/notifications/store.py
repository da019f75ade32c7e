"""The tables of lean push: who watches what, and the outbox that is written in the transaction of each change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from bank_backend.authorisations.model import ResourceKind
from bank_backend.database import METADATA, one_at_a_time
from bank_backend.notifications.model import MOST_KEPT, Content, Notification, State, Watch
from chassis.sql.statements import Query
from psd2.ids import TenantId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from bank_backend.database import Connection

notification_watches = Table(
    "notification_watches",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("resource", String(36), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("path", String(200), nullable=False),
    Column("uri", String(2000), nullable=False),
    Column("content", String(40), nullable=False),
    Column("refusal", String(400)),
)
notifications = Table(
    "notifications",
    METADATA,
    # Counts up: the order in which a resource's notifications are sent.
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("request_id", String(36), nullable=False, unique=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("resource", String(36), nullable=False),
    Column("uri", String(2000), nullable=False),
    Column("body", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_at", Float, nullable=False),
    # Until then a process is at it; one that was killed lets go by this alone.
    Column("leased_until", Float, nullable=False),
    Column("outcome", String(400)),
    Index("ix_notifications_due", "state", "next_at"),
    Index("ix_notifications_resource", "tenant", "resource", "state", "number"),
    Index("ix_notifications_tenant", "tenant", "state", "number"),
)


# Whatever changes a status asks.
_OF: Final = Query(
    select(notification_watches).where(
        notification_watches.c.tenant == bindparam("tenant"), notification_watches.c.resource == bindparam("resource")
    )
)


class SqlWatchStore:
    """Who wants to be told of which resource."""

    def put(self, connection: Connection, watch: Watch) -> None:
        """Write a watch; a request that is repeated writes the same again."""
        one_at_a_time(connection, "notification_watches", watch.tenant, watch.resource)
        connection.execute(delete(notification_watches).where(*_key(watch.tenant, watch.resource)))
        values = {
            "tenant": watch.tenant,
            "resource": watch.resource,
            "kind": watch.kind.value,
            "path": watch.path,
            "uri": watch.uri,
            "content": ",".join(sorted(watch.content)),
            "refusal": watch.refusal,
        }
        connection.execute(insert(notification_watches).values(values))

    def of(self, connection: Connection, tenant: TenantId, resource: str) -> Watch | None:
        """Return who watches a resource, or None."""
        row = _OF.first(connection, tenant=tenant, resource=resource)
        return None if row is None else _watch(row)

    def refused(self, connection: Connection, tenant: TenantId) -> list[Watch]:
        """Return the watches whose address is none that may be called."""
        statement = select(notification_watches).where(
            notification_watches.c.tenant == tenant, notification_watches.c.refusal.is_not(None)
        )
        return [_watch(row) for row in connection.execute(statement.limit(MOST_KEPT))]


class SqlOutbox:
    """Notifications on their way, and the last that were delivered or given up."""

    def add(self, connection: Connection, notification: Mapping[str, object]) -> None:
        """Write a notification in the transaction of the change that it tells of."""
        connection.execute(insert(notifications).values(leased_until=0.0, attempts=0, **notification))

    def waiting(self, connection: Connection, tenant: TenantId) -> int:
        """Return how many wait to be sent to a tenant."""
        statement = select(func.count()).where(notifications.c.tenant == tenant, notifications.c.state == State.WAITING.value)
        return int(connection.execute(statement).scalar_one())

    def newest(self, connection: Connection, tenant: TenantId) -> list[Notification]:
        """Return a tenant's last notifications, newest first."""
        statement = select(notifications).where(notifications.c.tenant == tenant).order_by(notifications.c.number.desc())
        return [_notification(row) for row in connection.execute(statement.limit(MOST_KEPT))]

    def due_tenants(self, connection: Connection, now: float) -> list[TenantId]:
        """Return the tenants for whom something is to be sent."""
        statement = select(notifications.c.tenant).where(*_due(now)).distinct()
        return [TenantId(row.tenant) for row in connection.execute(statement)]

    def due(self, connection: Connection, tenant: TenantId, now: float, *, most: int) -> list[Notification]:
        """Return what is to be sent to a tenant: of each resource the oldest only, so that their order is kept."""
        earlier = notifications.alias()
        is_behind = exists().where(
            earlier.c.tenant == tenant,
            earlier.c.resource == notifications.c.resource,
            earlier.c.state == State.WAITING.value,
            earlier.c.number < notifications.c.number,
        )
        statement = select(notifications).where(notifications.c.tenant == tenant, *_due(now), ~is_behind)
        return [_notification(row) for row in connection.execute(statement.order_by(notifications.c.number).limit(most))]

    def lease(self, connection: Connection, number: int, *, now: float, until: float) -> bool:
        """Take a notification to send it; tell whether nobody else has."""
        statement = update(notifications).where(notifications.c.number == number, *_due(now)).values(leased_until=until)
        return connection.execute(statement).rowcount == 1

    def settle(self, connection: Connection, number: int, changes: Mapping[str, object]) -> None:
        """Write what became of a try."""
        statement = update(notifications).where(notifications.c.number == number)
        connection.execute(statement.values(leased_until=0.0, **changes))

    def forget_old(self, connection: Connection, tenant: TenantId) -> None:
        """Delete what was settled long ago."""
        is_settled = notifications.c.tenant == tenant, notifications.c.state != State.WAITING.value
        numbers = select(notifications.c.number).where(*is_settled).order_by(notifications.c.number.desc())
        oldest_kept = numbers.offset(MOST_KEPT).limit(1).scalar_subquery()
        connection.execute(delete(notifications).where(*is_settled, notifications.c.number <= oldest_kept))


def _key(tenant: TenantId, resource: str) -> tuple[ColumnElement[bool], ...]:
    return notification_watches.c.tenant == tenant, notification_watches.c.resource == resource


def _due(now: float) -> tuple[ColumnElement[bool], ...]:
    return (
        notifications.c.state == State.WAITING.value,
        notifications.c.next_at <= now,
        notifications.c.leased_until <= now,
    )


def _watch(row: Row[tuple[object, ...]]) -> Watch:
    return Watch(
        tenant=TenantId(row.tenant),
        kind=ResourceKind(row.kind),
        resource=row.resource,
        path=row.path,
        uri=row.uri,
        content=frozenset(Content(each) for each in row.content.split(",")),
        refusal=row.refusal,
    )


def _notification(row: Row[tuple[object, ...]]) -> Notification:
    return Notification(
        number=row.number,
        request_id=row.request_id,
        tenant=TenantId(row.tenant),
        resource=row.resource,
        uri=row.uri,
        body=row.body,
        state=State(row.state),
        attempts=row.attempts,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        next_at=datetime.fromtimestamp(row.next_at, UTC),
        outcome=row.outcome,
    )
