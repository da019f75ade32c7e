"""The table of authorisation sub-resources."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from bank_backend.authorisations.model import SCA_STATES, Authorisation, ResourceKind, ScaStatus
from bank_backend.database import METADATA, one_at_a_time, writes_alone
from bank_backend.personalities.model import ScaApproach
from chassis.sql.statements import Change, Query
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

authorisations = Table(
    "authorisations",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("resource", String(36), nullable=False),
    Column("status", String(24), nullable=False),
    Column("psu", String(64)),
    Column("headless", Boolean, nullable=False, default=False),
    Column("started_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("approach", String(12), nullable=False),
    Column("method", String(36)),
    Column("return_url", String(2000)),
    Column("nok_return_url", String(2000)),
    Column("failures", Integer, nullable=False),
    Column("accounts", JSON(none_as_null=True)),
    Column("confirmation_code", String(64)),
    Column("binding_message", String(100)),
    Index("ix_authorisations_resource", "tenant", "kind", "resource", "started_at"),
    Index("ix_authorisations_psu", "tenant", "psu", "status"),
)
_OPEN = [status.value for status in ScaStatus if not SCA_STATES.is_final(status)]
# What waits for a PSU in its bank app.
WAITING: Final = (
    authorisations.c.tenant == bindparam("tenant"),
    authorisations.c.psu == bindparam("psu"),
    authorisations.c.status.in_(_OPEN),
    authorisations.c.approach == ScaApproach.DECOUPLED.value,
    authorisations.c.expires_at > bindparam("now"),
)


_ADD: Final = Change(insert(authorisations))
_SAVE: Final = Change(update(authorisations).where(authorisations.c.id == bindparam("wanted")))
_OF_ID: Final = select(authorisations).where(authorisations.c.id == bindparam("wanted"))
_FIND: Final = Query(_OF_ID)
_FIND_LOCKED: Final = Query(_OF_ID.with_for_update())
_OF_RESOURCE: Final = Query(
    select(authorisations)
    .where(
        authorisations.c.tenant == bindparam("tenant"),
        authorisations.c.kind == bindparam("kind"),
        authorisations.c.resource == bindparam("resource"),
    )
    .order_by(authorisations.c.started_at, authorisations.c.id)
)


class SqlAuthorisationStore:
    """Authorisations in the bank's database, inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Let the transactions that decide on one resource go one after the other; before any row is locked."""
        # Of two signatories that sign together the second must see the first, or neither would be the last (PostgreSQL).
        one_at_a_time(connection, "authorisations", tenant, kind.value, resource)

    def lock_resource_of(self, connection: Connection, authorisation_id: str) -> None:
        """Do the same for the resource of an authorisation, if there is one."""
        found = None if writes_alone(connection) else self.by_id(connection, authorisation_id)
        if found is not None:
            self.lock(connection, found.tenant, found.kind, found.resource)

    def add(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write a new authorisation."""
        _ADD.run(connection, _begun(authorisation) | _state(authorisation))

    def save(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write the authorisation's new state over its old one."""
        _SAVE.run(connection, _state(authorisation) | {"wanted": authorisation.id})

    def of_resource(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Authorisation]:
        """Return all authorisations of a resource, oldest first."""
        found = _OF_RESOURCE.all(connection, tenant=tenant, kind=kind.value, resource=resource)
        return [_authorisation(row) for row in found]

    def open_of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, now: datetime, most: int | None
    ) -> list[Authorisation]:
        """Return what waits for a PSU in its bank app now, oldest first, and no more than `most` (None: all)."""
        statement = select(authorisations).where(*WAITING).order_by(authorisations.c.started_at, authorisations.c.id)
        values = {"tenant": tenant, "psu": psu, "now": now.timestamp()}
        return [_authorisation(row) for row in connection.execute(statement.limit(most), values)]

    def by_id(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, or None. The bank's own steps use it: a TPP's questions name tenant and resource."""
        row = _FIND.first(connection, wanted=authorisation_id)
        return None if row is None else _authorisation(row)

    def by_id_locked(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, locked until the transaction ends, or None."""
        row = _FIND_LOCKED.first(connection, wanted=authorisation_id)
        return None if row is None else _authorisation(row)


def _begun(authorisation: Authorisation) -> dict[str, object]:
    """Return what never changes."""
    return {
        "id": authorisation.id,
        "tenant": authorisation.tenant,
        "kind": authorisation.kind.value,
        "resource": authorisation.resource,
        "started_at": authorisation.started_at.timestamp(),
    }


def _state(authorisation: Authorisation) -> dict[str, object]:
    return {
        "status": authorisation.status.value,
        "psu": authorisation.psu,
        "headless": authorisation.headless,
        "expires_at": authorisation.expires_at.timestamp(),
        "approach": authorisation.approach.value,
        "method": authorisation.method,
        "return_url": authorisation.return_url,
        "nok_return_url": authorisation.nok_return_url,
        "failures": authorisation.failures,
        "accounts": None if authorisation.accounts is None else list(authorisation.accounts),
        "confirmation_code": authorisation.confirmation_code,
        "binding_message": authorisation.binding_message,
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
        approach=ScaApproach(row.approach),
        method=row.method,
        return_url=row.return_url,
        nok_return_url=row.nok_return_url,
        failures=row.failures,
        accounts=None if row.accounts is None else tuple(row.accounts),
        confirmation_code=row.confirmation_code,
        binding_message=row.binding_message,
    )
