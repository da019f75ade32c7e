"""A card account's invoices: what has been spent by its billing day is invoiced that day and paid later (BG IG §14.21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from psd2.money import Money

if TYPE_CHECKING:
    from bank_backend.accounts.model import Account
    from bank_backend.ledger.model import Balances

# An invoice is paid from the holder's account this long after its billing day, in the morning.
PAYMENT_TERM: Final = timedelta(days=10)
_PAYMENT_TIME: Final = time(6, 0)
# ISO 20022 bank transaction code of that payment, on both accounts: payments, customer card transactions, others.
INVOICE_PAYMENT: Final = "PMNT-CCRD-OTHR"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardBalances:
    """What a card account has: its book, negative while something is owed, and what of it is invoiced and not paid yet."""

    book: Balances
    invoiced_on: date
    invoiced_minor: int

    @property
    def invoiced(self) -> Money:
        """Invoiced entries that are not paid yet: `closingBooked` of a card account."""
        return Money(self.invoiced_minor, self.book.interim_booked.currency)

    @property
    def not_invoiced(self) -> Money:
        """Booked entries that no invoice holds yet."""
        return self.book.interim_booked - self.invoiced


def billing_day_of(account: Account) -> int:
    """Return the day of the month; raises `ValueError` for an account without cards."""
    if account.billing_day is None:
        msg = f"account {account.id} is no card account"
        raise ValueError(msg)
    return account.billing_day


def last_billing_day(today: date, account: Account) -> date:
    """Return the newest billing day that is over: what is booked by its end is invoiced."""
    this_month = today.replace(day=billing_day_of(account))
    if this_month < today:
        return this_month
    return (today.replace(day=1) - timedelta(days=1)).replace(day=billing_day_of(account))


def next_payment(now: datetime, account: Account) -> datetime:
    """Return when the next invoice is paid, after `now`."""
    billed = last_billing_day(now.date(), account)
    due = payment_of(billed)
    while due <= now:
        billed = _month_after(billed)
        due = payment_of(billed)
    return due


def payment_of(billed: date) -> datetime:
    """Return when the invoice of this billing day is paid."""
    return datetime.combine(billed + PAYMENT_TERM, _PAYMENT_TIME, tzinfo=UTC)


def _month_after(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=day.day)
