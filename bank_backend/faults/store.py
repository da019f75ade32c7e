"""Faults in the bank's database, inside the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from bank_backend.faults.model import Effect, Fault, FaultKind
from bank_backend.faults.tables import faults

if TYPE_CHECKING:
    from sqlalchemy import Row

    from bank_backend.database import Connection
    from bank_backend.faults.model import NewFault
    from psd2.ids import TenantId

_UNSPENT: Final = or_(faults.c.calls.is_(None), faults.c.matched < faults.c.calls)
_OF_TENANT: Final = select(faults).where(faults.c.tenant == bindparam("tenant")).order_by(faults.c.position)
# Built once: every call of a TPP asks.
_STANDING: Final = _OF_TENANT.where(_UNSPENT)
# One statement, so that of several processes none counts a call that another has counted.
_COUNTED: Final = (
    update(faults)
    .where(faults.c.id == bindparam("fault"), _UNSPENT)
    .values(matched=faults.c.matched + 1)
    .returning(faults.c.matched)
)


class SqlFaultStore:
    """Implements `bank_backend.faults.service.FaultStore`."""

    def all(self, connection: Connection, tenant: TenantId) -> list[Fault]:
        """Return the tenant's faults in the order in which they were set."""
        return [_fault(row) for row in connection.execute(_OF_TENANT, {"tenant": tenant})]

    def standing(self, connection: Connection, tenant: TenantId) -> list[Fault]:
        """Return those that are not spent."""
        return [_fault(row) for row in connection.execute(_STANDING, {"tenant": tenant})]

    def add(self, connection: Connection, tenant: TenantId, fault_id: str, fault: NewFault, *, at: datetime) -> Fault:
        """Set a fault, after all others."""
        newest = connection.execute(select(func.max(faults.c.position)).where(faults.c.tenant == tenant)).scalar()
        values = {
            "id": fault_id,
            "tenant": tenant,
            "position": (newest or 0) + 1,
            "created_at": at.timestamp(),
            "method": fault.method,
            "path": fault.path,
            "kind": fault.kind.value,
            "effect": fault.effect.as_json(),
            "rate": fault.rate,
            "calls": fault.calls,
            "matched": 0,
            "struck": 0,
        }
        connection.execute(insert(faults).values(values))
        return next(one for one in self.all(connection, tenant) if one.id == fault_id)

    def count(self, connection: Connection, fault_id: str) -> int | None:
        """Count a matching call and return its number; None where the fault was spent or cleared meanwhile."""
        return connection.execute(_COUNTED, {"fault": fault_id}).scalar_one_or_none()

    def note_strike(self, connection: Connection, fault_id: str) -> None:
        """Count a strike."""
        connection.execute(update(faults).where(faults.c.id == fault_id).values(struck=faults.c.struck + 1))

    def remove(self, connection: Connection, tenant: TenantId, fault_id: str | None) -> int:
        """Clear one fault, or all (None); returns how many."""
        statement = delete(faults).where(faults.c.tenant == tenant)
        if fault_id is not None:
            statement = statement.where(faults.c.id == fault_id)
        return connection.execute(statement).rowcount


def _fault(row: Row[tuple[object, ...]]) -> Fault:
    return Fault(
        id=row.id,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        method=row.method,
        path=row.path,
        kind=FaultKind(row.kind),
        effect=Effect.from_json(row.effect),
        rate=row.rate,
        calls=row.calls,
        matched=row.matched,
        struck=row.struck,
    )
