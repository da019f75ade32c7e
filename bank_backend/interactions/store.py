"""The table of interactions."""

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

from bank_backend.authorisations.model import ResourceKind
from bank_backend.database import METADATA, one_at_a_time
from bank_backend.interactions.model import Interaction, InteractionStatus, Step
from chassis.sql.statements import Change, Query
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

interactions = Table(
    "interactions",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("resource", String(36), nullable=False),
    Column("authorisation", String(36), ForeignKey("authorisations.id"), nullable=False),
    Column("client_id", String(200), nullable=False),
    Column("client_name", String(140), nullable=False),
    Column("return_url", String(2000), nullable=False),
    Column("nok_return_url", String(2000)),
    Column("status", String(12), nullable=False),
    Column("step", String(12), nullable=False),
    Column("login_failures", Integer, nullable=False),
    Column("psu", String(64)),
    Column("session", String(64)),
    Column("accounts", JSON(none_as_null=True)),
    Column("headless", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("decided_at", Float),
    Index("ix_interactions_resource", "tenant", "kind", "resource", "status"),
)


_ADD: Final = Change(insert(interactions))
_SAVE: Final = Change(
    update(interactions).where(
        interactions.c.id == bindparam("wanted"), interactions.c.status == InteractionStatus.PENDING.value
    )
)
_OF_ID: Final = select(interactions).where(interactions.c.id == bindparam("wanted"))
_FIND: Final = Query(_OF_ID)
_FIND_LOCKED: Final = Query(_OF_ID.with_for_update())
_PENDING_OF: Final = Query(
    select(interactions).where(
        interactions.c.tenant == bindparam("tenant"),
        interactions.c.kind == bindparam("kind"),
        interactions.c.resource == bindparam("resource"),
        interactions.c.status == InteractionStatus.PENDING.value,
    )
)


class SqlInteractionStore:
    """Interactions in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, interaction: Interaction) -> None:
        """Write a new interaction."""
        _ADD.run(connection, _begun(interaction) | _state(interaction))

    def save(self, connection: Connection, interaction: Interaction) -> bool:
        """Write the new state over the old one unless somebody has decided meanwhile; tell whether it was written."""
        return _SAVE.run(connection, _state(interaction) | {"wanted": interaction.id}) == 1

    def find(self, connection: Connection, interaction_id: str) -> Interaction | None:
        """Return the interaction, or None."""
        row = _FIND.first(connection, wanted=interaction_id)
        return None if row is None else _interaction(row)

    def find_locked(self, connection: Connection, interaction_id: str) -> Interaction | None:
        """Return the interaction, locked until the transaction ends, or None."""
        row = _FIND_LOCKED.first(connection, wanted=interaction_id)
        return None if row is None else _interaction(row)

    def open_of(self, connection: Connection, authorisation: str, *, locked: bool) -> Interaction | None:
        """Return the visit that works on an authorisation and has not ended, or None; `locked` until the transaction ends."""
        statement = select(interactions).where(
            interactions.c.authorisation == authorisation, interactions.c.status == InteractionStatus.PENDING.value
        )
        row = connection.execute(statement.with_for_update() if locked else statement).first()
        return None if row is None else _interaction(row)

    def pending_of(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Interaction]:
        """Return the visits to a resource that have not ended; one caller at a time for a resource."""
        # Of two visits that begin together the second must see the first, or both would stay open (PostgreSQL).
        one_at_a_time(connection, "visits", tenant, kind.value, resource)
        found = _PENDING_OF.all(connection, tenant=tenant, kind=kind.value, resource=resource)
        return [_interaction(row) for row in found]


def _begun(interaction: Interaction) -> dict[str, object]:
    """Return what never changes."""
    return {
        "id": interaction.id,
        "tenant": interaction.tenant,
        "kind": interaction.kind.value,
        "resource": interaction.resource,
        "authorisation": interaction.authorisation,
        "client_id": interaction.client_id,
        "client_name": interaction.client_name,
        "created_at": interaction.created_at.timestamp(),
    }


def _state(interaction: Interaction) -> dict[str, object]:
    return {
        "return_url": interaction.return_url,
        "nok_return_url": interaction.nok_return_url,
        "status": interaction.status.value,
        "step": interaction.step.value,
        "login_failures": interaction.login_failures,
        "psu": interaction.psu,
        "session": interaction.session,
        "accounts": None if interaction.accounts is None else list(interaction.accounts),
        "headless": interaction.headless,
        "expires_at": interaction.expires_at.timestamp(),
        "decided_at": None if interaction.decided_at is None else interaction.decided_at.timestamp(),
    }


def _interaction(row: Row[tuple[object, ...]]) -> Interaction:
    return Interaction(
        id=row.id,
        tenant=TenantId(row.tenant),
        kind=ResourceKind(row.kind),
        resource=row.resource,
        authorisation=row.authorisation,
        client_id=row.client_id,
        client_name=row.client_name,
        return_url=row.return_url,
        nok_return_url=row.nok_return_url,
        status=InteractionStatus(row.status),
        step=Step(row.step),
        login_failures=row.login_failures,
        psu=None if row.psu is None else PsuId(row.psu),
        session=row.session,
        accounts=None if row.accounts is None else tuple(row.accounts),
        headless=row.headless,
        created_at=datetime.fromtimestamp(row.created_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
        decided_at=None if row.decided_at is None else datetime.fromtimestamp(row.decided_at, UTC),
    )
