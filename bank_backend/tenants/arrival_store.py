"""Asks the database what the bank must know of a tenant to answer one call, once a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, exists, or_, select

from bank_backend.faults.tables import faults
from bank_backend.tenants.arrivals import Arrival, arrival_of
from bank_backend.tenants.tables import tenants
from chassis.sql.single_statements import SingleRead
from chassis.sql.statements import Query

if TYPE_CHECKING:
    from bank_backend.database import Connection, Database
    from psd2.ids import TenantId

_UNSPENT: Final = or_(faults.c.calls.is_(None), faults.c.matched < faults.c.calls)
# Three questions in one: each would cost a transaction of its own.
_ASKED: Final = select(
    tenants.c.personality,
    tenants.c.clock_offset_seconds,
    exists().where(faults.c.tenant == tenants.c.id, _UNSPENT).label("has_faults"),
).where(tenants.c.id == bindparam("tenant"))
_ASKED_WITHIN: Final = Query(_ASKED)


class Arrivals:
    """Asks what must be known of tenants."""

    def __init__(self, database: Database) -> None:
        """Ask `database`, outside of transactions."""
        self._asked = SingleRead(database.engine, _ASKED)

    def of(self, tenant: TenantId) -> Arrival | None:
        """Return what must be known of a tenant now, None for an unknown one."""
        row = self._asked.row(tenant=tenant)
        if row is None:
            return None
        return Arrival(tenant, row["personality"], row["clock_offset_seconds"], bool(row["has_faults"]))


def arrived(tenant: TenantId, connection: Connection) -> Arrival | None:
    """Ask what must be known of a tenant, if it is not known of the call in hand; None for an unknown one."""
    in_hand = arrival_of(tenant)
    if in_hand is not None:
        return in_hand
    row = _ASKED_WITHIN.first(connection, tenant=tenant)
    return None if row is None else Arrival(tenant, row.personality, row.clock_offset_seconds, bool(row.has_faults))
