"""Personalities in the bank's database: a name beside each tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select, update

from bank_backend.tenants.arrivals import arrival_of
from bank_backend.tenants.tables import tenants

if TYPE_CHECKING:
    from bank_backend.database import Connection, Database
    from psd2.ids import TenantId

# Asked with each request: built once.
_NAME: Final = select(tenants.c.personality).where(tenants.c.id == bindparam("tenant"))


class SqlPersonalityStore:
    """Personalities in the bank's database."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    def name_of(self, tenant: TenantId, connection: Connection | None) -> str | None:
        """Return the name of the tenant's personality, None without such a tenant."""
        arrival = arrival_of(tenant)
        if arrival is not None:
            return arrival.personality
        if connection is not None:
            return connection.execute(_NAME, {"tenant": tenant}).scalar()
        with self._database.reading() as reading:
            return reading.execute(_NAME, {"tenant": tenant}).scalar()

    def put(self, tenant: TenantId, name: str) -> bool:
        """Keep the name; False without such a tenant."""
        with self._database.writing() as connection:
            changed = connection.execute(update(tenants).where(tenants.c.id == tenant).values(personality=name))
            return changed.rowcount == 1
