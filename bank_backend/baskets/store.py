"""The tables of signing baskets and of what is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from bank_backend.authorisations.model import ResourceKind
from bank_backend.baskets.model import BASKET_STATES, Basket, BasketStatus, Member
from bank_backend.database import METADATA, one_at_a_time
from chassis.sql.statements import Query
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select

    from bank_backend.database import Connection

signing_baskets = Table(
    "signing_baskets",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("x_request_id", String(36), nullable=False),
    Column("request_digest", String(64), nullable=False),
    Column("status", String(4), nullable=False),
    Column("psu", String(64)),
    Column("received_at", Float, nullable=False),
    UniqueConstraint("tenant", "x_request_id"),
)
signing_basket_members = Table(
    "signing_basket_members",
    METADATA,
    Column("basket", String(36), ForeignKey("signing_baskets.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("resource", String(36), nullable=False),
    Index("ix_signing_basket_members_resource", "resource"),
)
_UNDECIDED = [status.value for status in BasketStatus if not BASKET_STATES.is_final(status)]


class SqlBasketStore:
    """Baskets in the bank's database, inside the caller's transaction."""

    def lock_grouping(self, connection: Connection, tenant: TenantId) -> None:
        """Let a tenant's groupings go one after the other: of two baskets only one may get a member."""
        one_at_a_time(connection, "grouping", tenant)

    def add(self, connection: Connection, basket: Basket) -> None:
        """Write a new basket with its members."""
        connection.execute(insert(signing_baskets).values(_columns(basket)))
        rows = [
            {"basket": basket.id, "position": position, "kind": member.kind.value, "resource": member.resource}
            for position, member in enumerate(basket.members)
        ]
        connection.execute(insert(signing_basket_members), rows)

    def save(self, connection: Connection, basket: Basket) -> None:
        """Write the basket's new state over its old one; its members stay."""
        statement = update(signing_baskets).where(signing_baskets.c.id == basket.id)
        connection.execute(statement.values(_columns(basket)))

    def find(self, connection: Connection, tenant: TenantId, basket_id: str) -> Basket | None:
        """Return the tenant's basket, or None."""
        return self._one(connection, _of(tenant).where(signing_baskets.c.id == basket_id))

    def find_locked(self, connection: Connection, tenant: TenantId, basket_id: str) -> Basket | None:
        """Return the tenant's basket, locked until the transaction ends, or None."""
        return self._one(connection, _of(tenant).where(signing_baskets.c.id == basket_id).with_for_update())

    def of_request(self, connection: Connection, tenant: TenantId, x_request_id: str) -> Basket | None:
        """Return the basket that a request made, or None."""
        return self._one(connection, _of(tenant).where(signing_baskets.c.x_request_id == x_request_id))

    def undecided_with(self, connection: Connection, tenant: TenantId, resources: Sequence[str]) -> list[Basket]:
        """Return the undecided baskets that hold one of the resources."""
        if len(resources) == 1:
            # The usual question, and a list of a statement's values has to be written into it each time.
            rows = _UNDECIDED_WITH_ONE.all(connection, tenant=tenant, resource=resources[0])
        else:
            rows = connection.execute(_UNDECIDED_WITH, {"tenant": tenant, "resources": list(resources)}).all()
        return [self._basket(connection, row) for row in rows]

    def _one(self, connection: Connection, statement: Select[tuple[object, ...]]) -> Basket | None:
        row = connection.execute(statement).first()
        return None if row is None else self._basket(connection, row)

    def _basket(self, connection: Connection, row: Row[tuple[object, ...]]) -> Basket:
        members = signing_basket_members.c
        found = connection.execute(
            select(members.kind, members.resource).where(members.basket == row.id).order_by(members.position)
        )
        return Basket(
            id=row.id,
            tenant=TenantId(row.tenant),
            x_request_id=row.x_request_id,
            request_digest=row.request_digest,
            members=tuple(Member(ResourceKind(each.kind), each.resource) for each in found),
            status=BasketStatus(row.status),
            psu=None if row.psu is None else PsuId(row.psu),
            received_at=datetime.fromtimestamp(row.received_at, UTC),
        )


def _undecided_with(which: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return select(signing_baskets).where(
        signing_baskets.c.tenant == bindparam("tenant"),
        or_(*(signing_baskets.c.status == status for status in _UNDECIDED)),
        signing_baskets.c.id.in_(select(signing_basket_members.c.basket).where(which)),
    )


# Made once: each start of an authorisation asks.
_UNDECIDED_WITH: Final = _undecided_with(signing_basket_members.c.resource.in_(bindparam("resources", expanding=True)))
_UNDECIDED_WITH_ONE: Final = Query(_undecided_with(signing_basket_members.c.resource == bindparam("resource")))


def _of(tenant: TenantId) -> Select[tuple[object, ...]]:
    return select(signing_baskets).where(signing_baskets.c.tenant == tenant)


def _columns(basket: Basket) -> dict[str, object]:
    return {
        "id": basket.id,
        "tenant": basket.tenant,
        "x_request_id": basket.x_request_id,
        "request_digest": basket.request_digest,
        "status": basket.status.value,
        "psu": basket.psu,
        "received_at": basket.received_at.timestamp(),
    }
