"""The order in which a PSU's consents of any kind are listed, in SQL (`bank_backend.consents.listing`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, literal, select, tuple_

from bank_backend.consents.listing import OPEN

if TYPE_CHECKING:
    from sqlalchemy import Select, Table

    from bank_backend.consents.listing import ConsentPlace
    from psd2.ids import PsuId, TenantId


def listed(table: Table, tenant: TenantId, psu: PsuId, *, after: ConsentPlace | None, limit: int) -> Select[Any]:
    """Select so many of the table's consents that this PSU has signed, open ones first, then the newest, behind a place."""
    order = case((table.c.status.in_(OPEN), 0), else_=1), -table.c.received_at, table.c.id
    statement = select(table).where(table.c.tenant == tenant, table.c.psu == psu)
    if after is not None:
        is_ended, received_at, identifier = after.order
        place = literal(int(is_ended)), literal(received_at), literal(identifier)
        statement = statement.where(tuple_(*order) > tuple_(*place))
    return statement.order_by(*order).limit(limit)
