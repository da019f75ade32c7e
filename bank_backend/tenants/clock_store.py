"""How far each tenant's clock is ahead, in the bank's database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, update

from bank_backend.tenants.arrivals import arrival_of
from bank_backend.tenants.tables import tenants

if TYPE_CHECKING:
    from bank_backend.database import Connection, Database
    from psd2.ids import TenantId

# Built once: every request asks.
_OFFSET: Final = select(tenants.c.clock_offset_seconds).where(tenants.c.id == bindparam("tenant"))


class SqlOffsets:
    """Implements `bank_backend.tenants.clock.Offsets`."""

    def __init__(self, database: Database) -> None:
        """Read `database` where the caller has no transaction of its own."""
        self._database = database

    def offset(self, tenant: TenantId, connection: Connection | None = None) -> timedelta:
        """Return how far the tenant's clock is ahead; zero for an unknown tenant."""
        arrival = arrival_of(tenant)
        if arrival is not None:
            return timedelta(seconds=arrival.clock_offset_seconds)
        if connection is not None:
            return _offset(connection, tenant)
        with self._database.reading() as reading:
            return _offset(reading, tenant)

    def move(self, connection: Connection, tenant: TenantId, by: timedelta) -> None:
        """Put the tenant's clock forward by whole seconds, in one step that no other one overwrites."""
        ahead = tenants.c.clock_offset_seconds + int(by.total_seconds())
        connection.execute(update(tenants).where(tenants.c.id == tenant).values(clock_offset_seconds=ahead))


def _offset(connection: Connection, tenant: TenantId) -> timedelta:
    return timedelta(seconds=connection.execute(_OFFSET, {"tenant": tenant}).scalar() or 0)
