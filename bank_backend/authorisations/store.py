"""The table of authorisation sub-resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Row, String, Table, insert, select, update

from bank_backend.authorisations.model import Authorisation, ResourceKind, ScaStatus
from bank_backend.database import METADATA
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

authorisations = Table(
    "authorisations",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("resource", String(36), nullable=False),
    Column("status", String(24), nullable=False),
    Column("psu", String(64)),
    Column("headless", Boolean, nullable=False, default=False),
    Column("started_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("ix_authorisations_resource", "tenant", "kind", "resource", "started_at"),
)


class SqlAuthorisationStore:
    """Authorisations in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write a new authorisation."""
        connection.execute(insert(authorisations).values(_columns(authorisation)))

    def save(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write the authorisation's new state over its old one."""
        statement = update(authorisations).where(authorisations.c.id == authorisation.id)
        connection.execute(statement.values(_columns(authorisation)))

    def of_resource(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Authorisation]:
        """Return all authorisations of a resource, oldest first."""
        statement = (
            select(authorisations)
            .where(
                authorisations.c.tenant == tenant,
                authorisations.c.kind == kind.value,
                authorisations.c.resource == resource,
            )
            .order_by(authorisations.c.started_at, authorisations.c.id)
        )
        return [_authorisation(row) for row in connection.execute(statement)]

    def by_id(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, or None. The bank's own steps use it: a TPP's questions name tenant and resource."""
        row = connection.execute(select(authorisations).where(authorisations.c.id == authorisation_id)).first()
        return None if row is None else _authorisation(row)


def _columns(authorisation: Authorisation) -> dict[str, object]:
    return {
        "id": authorisation.id,
        "tenant": authorisation.tenant,
        "kind": authorisation.kind.value,
        "resource": authorisation.resource,
        "status": authorisation.status.value,
        "psu": authorisation.psu,
        "headless": authorisation.headless,
        "started_at": authorisation.started_at.timestamp(),
        "expires_at": authorisation.expires_at.timestamp(),
    }


def _authorisation(row: Row[tuple[object, ...]]) -> Authorisation:
    return Authorisation(
        id=row.id,
        tenant=TenantId(row.tenant),
        kind=ResourceKind(row.kind),
        resource=row.resource,
        status=ScaStatus(row.status),
        psu=None if row.psu is None else PsuId(row.psu),
        headless=row.headless,
        started_at=datetime.fromtimestamp(row.started_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
    )
