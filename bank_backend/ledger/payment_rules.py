"""Payments and the books agree: what is settled has its entry, and an entry of a payment is of one that has been approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, or_, select

from bank_backend.ledger.reconciliation import Finding
from bank_backend.ledger.tables import entries
from bank_backend.payments.store import payments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bank_backend.database import Connection

# An entry's origin is a payment's id, alone or followed by `:` and which of the payment's transfers it is.
_ID_CHARACTERS: Final = 36
_PART: Final = ":"
# BG IG 1.3.8 §14.13: settled on the debtor's account, or on the creditor's too.
_SETTLED: Final = ("ACSC", "ACCC")
_UNAPPROVED: Final = ("RCVD", "PATC")


def settled_without_entry(connection: Connection) -> Iterator[Finding]:
    """Find settled payments with no entry of theirs in the books."""
    origin = entries.c.origin
    has_entry = (
        select(entries.c.id)
        .where(
            entries.c.tenant == payments.c.tenant,
            # A range, which the index of origins answers: `;` follows `:`.
            or_(origin == payments.c.id, and_(origin > payments.c.id + _PART, origin < payments.c.id + ";")),
        )
        .exists()
    )
    statement = select(payments.c.id, payments.c.status).where(payments.c.status.in_(_SETTLED), ~has_entry)
    for row in connection.execute(statement.order_by(payments.c.id)):
        yield Finding("payment-booked", row.id, f"payment is {row.status}, and nothing of it is booked")


def entries_without_payment(connection: Connection) -> Iterator[Finding]:
    """Find entries of payments that are not there, that nobody has approved, or that were to move nothing."""
    origin = entries.c.origin
    is_payments = (func.length(origin) == _ID_CHARACTERS) | (func.substr(origin, _ID_CHARACTERS + 1, 1) == _PART)
    whole = func.length(origin) == _ID_CHARACTERS
    statement = (
        select(entries.c.id, origin, payments.c.status)
        .outerjoin(
            payments, and_(payments.c.tenant == entries.c.tenant, payments.c.id == func.substr(origin, 1, _ID_CHARACTERS))
        )
        .where(
            is_payments,
            or_(
                payments.c.id.is_(None),
                payments.c.status.in_(_UNAPPROVED),
                whole & payments.c.status.not_in(_SETTLED),
            ),
        )
        .order_by(entries.c.id)
    )
    for row in connection.execute(statement):
        whose = f"its payment {row.origin} is {row.status}" if row.status else f"there is no payment {row.origin}"
        yield Finding("entry-of-payment", row.id, f"booked, and {whose}")
