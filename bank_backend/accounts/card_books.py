"""What card accounts owe, asked of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import bindparam, func, select

from bank_backend.accounts.invoices import INVOICE_PAYMENT
from bank_backend.ledger.tables import entries, postings

if TYPE_CHECKING:
    from datetime import date

    from bank_backend.accounts.model import Account
    from bank_backend.database import Connection


class CardBooks(Protocol):
    """The part of the books that is about invoices."""

    def owed(self, connection: Connection, account: Account, billed_on: date) -> int:
        """Return what is invoiced by the end of a day and not paid since, in minor units: negative while it is owed."""


_OF_ACCOUNT: Final = (
    postings.c.tenant == bindparam("tenant"),
    postings.c.account_id == bindparam("account"),
)
_BOOK_AT_END: Final = (
    select(postings.c.balance_minor)
    .where(*_OF_ACCOUNT, postings.c.booking_date <= bindparam("day"))
    .order_by(postings.c.booking_date.desc(), postings.c.number.desc())
    .limit(1)
)
_PAID_SINCE: Final = (
    select(func.coalesce(func.sum(postings.c.amount_minor), 0))
    .join(entries, entries.c.id == postings.c.entry_id)
    .where(*_OF_ACCOUNT, postings.c.booking_date > bindparam("day"), entries.c.code == INVOICE_PAYMENT)
)


class SqlCardBooks:
    """Asked in SQL, inside the caller's transaction."""

    def owed(self, connection: Connection, account: Account, billed_on: date) -> int:
        """Return what is invoiced by the end of a day and not paid since, in minor units: negative while it is owed."""
        values = {"tenant": account.tenant, "account": account.id, "day": billed_on}
        book = connection.execute(_BOOK_AT_END, values).scalar() or 0
        return min(0, book + int(connection.execute(_PAID_SINCE, values).scalar_one()))
