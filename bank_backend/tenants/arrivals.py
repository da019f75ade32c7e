"""What the bank must know of a tenant to answer one call, asked once as the call arrives: the call is answered by that."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Flask, request
from sqlalchemy import bindparam, exists, or_, select

from bank_backend.calls import calling_tenant
from bank_backend.errors import BankError
from bank_backend.faults.tables import faults
from bank_backend.tenants.tables import tenants
from chassis.single_statements import SingleRead
from chassis.statements import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.database import Connection, Database
    from psd2.ids import TenantId

_PREFIXES: Final = ("/v1/", "/v2/")
_UNSPENT: Final = or_(faults.c.calls.is_(None), faults.c.matched < faults.c.calls)
# Three questions in one: each would cost a transaction of its own.
_ASKED: Final = select(
    tenants.c.personality,
    tenants.c.clock_offset_seconds,
    exists().where(faults.c.tenant == tenants.c.id, _UNSPENT).label("has_faults"),
).where(tenants.c.id == bindparam("tenant"))
_ASKED_WITHIN: Final = Query(_ASKED)


@dataclass(frozen=True, slots=True)
class Arrival:
    """The caller's tenant as it was when the call in hand arrived."""

    tenant: TenantId
    personality: str
    clock_offset_seconds: int
    has_faults: bool


_IN_HAND: Final[ContextVar[Arrival | None]] = ContextVar("arrival", default=None)


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


def note_arrivals(app: Flask, arrivals: Arrivals) -> None:
    """Make `app` ask as each TPP's call arrives, before whatever needs the answer."""

    def arrive() -> None:
        _IN_HAND.set(_arrival(arrivals))

    def leave(_: BaseException | None) -> None:
        _IN_HAND.set(None)

    app.before_request(arrive)
    app.teardown_request(leave)


def arrival_of(tenant: TenantId) -> Arrival | None:
    """Return what was asked for the call in hand; None where there is none, or it is another tenant's."""
    arrival = _IN_HAND.get()
    return arrival if arrival is not None and arrival.tenant == tenant else None


@contextmanager
def answering(arrival: Arrival | None) -> Iterator[None]:
    """Answer an internal call by what was asked for it with `arrived`: it names its tenant wherever it likes."""
    earlier = _IN_HAND.set(arrival)
    try:
        yield
    finally:
        _IN_HAND.reset(earlier)


def arrived(tenant: TenantId, connection: Connection) -> Arrival | None:
    """Ask what must be known of a tenant, if it is not known of the call in hand; None for an unknown one."""
    in_hand = arrival_of(tenant)
    if in_hand is not None:
        return in_hand
    row = _ASKED_WITHIN.first(connection, tenant=tenant)
    return None if row is None else Arrival(tenant, row.personality, row.clock_offset_seconds, bool(row.has_faults))


def _arrival(arrivals: Arrivals) -> Arrival | None:
    if request.url_rule is None or not request.path.startswith(_PREFIXES):
        return None
    try:
        tenant = calling_tenant(request)
    except BankError:
        return None  # the handler says so
    return arrivals.of(tenant)
