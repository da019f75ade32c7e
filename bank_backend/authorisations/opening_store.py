"""The table of what TPPs wish for the authorisation of each resource."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, ForeignKey, String, Table, delete, insert, select

from bank_backend.authorisations.opening import Opening
from bank_backend.database import METADATA
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from bank_backend.database import Connection

openings = Table(
    "authorisation_openings",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("resource", String(36), primary_key=True),
    Column("psu", String(64)),
    Column("redirect_preferred", Boolean),
    Column("decoupled_preferred", Boolean),
    Column("return_url", String(2000)),
    Column("nok_return_url", String(2000)),
)


class SqlOpeningStore:
    """Wishes in the bank's database, inside the caller's transaction."""

    def put(self, connection: Connection, opening: Opening) -> None:
        """Write the wishes for a resource over earlier ones."""
        connection.execute(delete(openings).where(*_key(opening.tenant, opening.resource)))
        connection.execute(insert(openings).values(asdict(opening)))

    def find(self, connection: Connection, tenant: TenantId, resource: str) -> Opening | None:
        """Return the wishes for a resource, or None where there were none."""
        row = connection.execute(select(openings).where(*_key(tenant, resource))).first()
        if row is None:
            return None
        return Opening(
            tenant=TenantId(row.tenant),
            resource=row.resource,
            psu=None if row.psu is None else PsuId(row.psu),
            redirect_preferred=row.redirect_preferred,
            decoupled_preferred=row.decoupled_preferred,
            return_url=row.return_url,
            nok_return_url=row.nok_return_url,
        )


def _key(tenant: TenantId, resource: str) -> tuple[ColumnElement[bool], ...]:
    return openings.c.tenant == tenant, openings.c.resource == resource
