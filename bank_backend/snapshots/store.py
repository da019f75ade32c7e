"""Snapshots in the bank's database, inside the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from bank_backend.snapshots.model import Snapshot
from bank_backend.snapshots.tables import snapshots
from bank_backend.tenants.tables import tenants

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy import Row

    from bank_backend.database import Connection
    from psd2.ids import TenantId

_TOLD: Final = select(
    snapshots.c.name,
    snapshots.c.taken_at,
    snapshots.c.tenant_time,
    snapshots.c.rows,
    func.length(snapshots.c.content).label("bytes"),
)


class SqlSnapshotStore:
    """Implements `bank_backend.snapshots.service.SnapshotStore`."""

    def all(self, connection: Connection, tenant: TenantId) -> list[Snapshot]:
        """Return the tenant's snapshots, the oldest first."""
        statement = _TOLD.where(snapshots.c.tenant == tenant).order_by(snapshots.c.taken_at, snapshots.c.name)
        return [_snapshot(row) for row in connection.execute(statement)]

    def add(self, connection: Connection, tenant: TenantId, snapshot: Snapshot, content: bytes) -> None:
        """Keep a snapshot."""
        connection.execute(
            insert(snapshots).values(
                tenant=tenant,
                name=snapshot.name,
                taken_at=snapshot.taken_at.timestamp(),
                tenant_time=snapshot.tenant_time.timestamp(),
                rows=snapshot.rows,
                content=content,
            )
        )

    def content(self, connection: Connection, tenant: TenantId, name: str) -> bytes | None:
        """Return what was kept under a name, or None."""
        statement = select(snapshots.c.content).where(snapshots.c.tenant == tenant, snapshots.c.name == name)
        return connection.execute(statement).scalar_one_or_none()

    def remove(self, connection: Connection, tenant: TenantId, name: str) -> bool:
        """Forget a snapshot; False where there is none of this name."""
        statement = delete(snapshots).where(snapshots.c.tenant == tenant, snapshots.c.name == name)
        return connection.execute(statement).rowcount > 0

    def set_clock(self, connection: Connection, tenant: TenantId, ahead: timedelta) -> None:
        """Put the tenant's clock to so far ahead of the real time, which may be behind it."""
        seconds = int(ahead.total_seconds())
        connection.execute(update(tenants).where(tenants.c.id == tenant).values(clock_offset_seconds=seconds))


def _snapshot(row: Row[*tuple[Any, ...]]) -> Snapshot:
    return Snapshot(
        name=row.name,
        taken_at=datetime.fromtimestamp(row.taken_at, UTC),
        tenant_time=datetime.fromtimestamp(row.tenant_time, UTC),
        rows=row.rows,
        bytes=row.bytes,
    )
