"""Payments and the books agree: what was executed has its one entry, and a payment's entry is of one execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import String, and_, cast, func, or_, select

from bank_backend.ledger.reconciliation import Finding
from bank_backend.ledger.tables import entries, hold_ends, holds
from bank_backend.payments.model import BOOKED, TransactionStatus
from bank_backend.payments.store import executions, payments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bank_backend.database import Connection

# An entry's origin is a payment's id, a colon, and which of its executions it is, or that it is the common debit of some.
_ID_CHARACTERS: Final = 36
_PART: Final = ":"
_BATCH: Final = "batch"
_BOOKED: Final = tuple(sorted(status.value for status in BOOKED))
_SETTLED: Final = (*_BOOKED, TransactionStatus.PART.value)


def payment_findings(connection: Connection) -> Iterator[Finding]:
    """Find whatever payments and books say differently."""
    for rule in _RULES:
        yield from rule(connection)


def _executions_without_entry(connection: Connection) -> Iterator[Finding]:
    """Find executions that are said to be booked and have no entry of their own."""
    own = and_(
        entries.c.id == executions.c.entry,
        entries.c.tenant == executions.c.tenant,
        entries.c.origin == executions.c.payment + _PART + cast(executions.c.number, String),
    )
    statement = (
        select(executions.c.payment, executions.c.number, executions.c.status)
        .outerjoin(entries, own)
        .where(executions.c.status.in_(_BOOKED), entries.c.id.is_(None))
        .order_by(executions.c.payment, executions.c.number)
    )
    for row in connection.execute(statement):
        yield Finding("execution-booked", row.payment, f"execution {row.number} is {row.status}, and has no entry of its own")


def _entries_without_execution(connection: Connection) -> Iterator[Finding]:
    """Find entries that name an execution which is not there, which isn't booked, or which names another entry."""
    origin = entries.c.origin
    part = func.substr(origin, _ID_CHARACTERS + 2)
    named = and_(
        executions.c.tenant == entries.c.tenant,
        executions.c.payment == func.substr(origin, 1, _ID_CHARACTERS),
        executions.c.status.in_(_BOOKED),
        or_(
            func.substr(part, 1, len(_BATCH)) == _BATCH,
            and_(cast(executions.c.number, String) == part, executions.c.entry == entries.c.id),
        ),
    )
    statement = (
        select(entries.c.id, origin)
        .where(func.substr(origin, _ID_CHARACTERS + 1, 1) == _PART, ~select(executions.c.payment).where(named).exists())
        .order_by(entries.c.id)
    )
    for row in connection.execute(statement):
        yield Finding("entry-of-execution", row.id, f"booked, and no execution {row.origin} is")


def _settled_without_execution(connection: Connection) -> Iterator[Finding]:
    """Find payments that are settled, wholly or in part, of which nothing was executed."""
    executed = executions.c.payment == payments.c.id, executions.c.status.in_(_BOOKED)
    statement = (
        select(payments.c.id, payments.c.status)
        .where(payments.c.status.in_(_SETTLED), ~select(executions.c.number).where(*executed).exists())
        .order_by(payments.c.id)
    )
    for row in connection.execute(statement):
        yield Finding("payment-executed", row.id, f"payment is {row.status}, and nothing of it was executed")


def _promises_without_hold(connection: Connection) -> Iterator[Finding]:
    """Find executions whose funds are said to be held and are not."""
    still_open = and_(holds.c.id == executions.c.hold, hold_ends.c.hold_id.is_(None))
    held = select(holds.c.id).outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id).where(still_open)
    statement = (
        select(executions.c.payment, executions.c.number)
        .where(executions.c.hold.is_not(None), ~held.exists())
        .order_by(executions.c.payment, executions.c.number)
    )
    for row in connection.execute(statement):
        yield Finding("promise-held", row.payment, f"the funds of execution {row.number} are not held any more")


_RULES: Final[Sequence[Callable[[Connection], Iterator[Finding]]]] = (
    _executions_without_entry,
    _entries_without_execution,
    _settled_without_execution,
    _promises_without_hold,
)
