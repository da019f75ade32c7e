"""Double-entry book-keeping, pure: entries, the journal that numbers them, and what an account has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.refusals import (
    BlockedAccount,
    ClosedAccount,
    InsufficientFunds,
    LimitExceeded,
    LimitPeriod,
    Side,
    UnbalancedEntry,
)
from psd2.money import Money

if TYPE_CHECKING:
    from datetime import date, datetime

    from bank_backend.ledger.exchange import Exchange
    from bank_backend.ledger.particulars import Particulars
    from psd2.ids import AccountId, TenantId


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a movement, as the other side's statement names it; `iban` is empty where there is none (cards)."""

    name: str
    iban: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a statement says about a movement. `code` is an ISO 20022 bank transaction code such as `PMNT-ICDT-ESCT`."""

    debtor: Party
    creditor: Party
    remittance: str
    code: str
    end_to_end_id: str = ""
    mandate_id: str = ""
    creditor_id: str = ""
    particulars: Particulars | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One movement of money, booked. `lines` are (account, signed amount) and sum to zero in every currency.

    `origin` is what it executes, `exchange` the rate where it crosses currencies, `charge_of` the entry that it is the fee of.
    """

    id: str
    tenant: TenantId
    at: datetime
    booking_date: date
    value_date: date
    details: Details
    lines: tuple[tuple[AccountId, Money], ...]
    origin: str | None = None
    exchange: Exchange | None = None
    charge_of: str | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where an account's book stands: how many postings it has and what they sum to."""

    number: int
    balance_minor: int


_EMPTY: Final = Position(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAccount:
    """An account as the ledger sees it, locked: its book, what holds reserve of it, how far it may go below zero."""

    id: AccountId
    iban: str
    owner_name: str
    currency: str
    position: Position
    held_minor: int
    # None: no limit, for the bank's own accounts.
    overdraft_minor: int | None
    is_blocked: bool = False
    is_closed: bool = False
    # Of what it may send at once, and on one day; None: any amount.
    transfer_limit_minor: int | None = None
    daily_limit_minor: int | None = None

    def require_usable(self, side: Side) -> None:
        """Raise `ClosedAccount` or `BlockedAccount` where nothing can be booked."""
        if self.is_closed:
            raise ClosedAccount(side)
        if self.is_blocked:
            raise BlockedAccount(side)

    def require_funds(self, amount: Money, *, freed_minor: int = 0) -> None:
        """Raise `InsufficientFunds` unless `amount` can be spent, once holds of `freed_minor` have ended."""
        if self.overdraft_minor is None:
            return
        minor = self.position.balance_minor + self.overdraft_minor - self.held_minor + freed_minor
        available = Money(minor, self.currency)
        if available < amount:
            raise InsufficientFunds(needed=amount, available=available)

    def require_sendable(self, amount: Money) -> None:
        """Raise `LimitExceeded` for more than may be sent at once."""
        self._require_within(self.transfer_limit_minor, amount, LimitPeriod.TRANSFER)

    def require_sendable_today(self, total: Money) -> None:
        """Raise `LimitExceeded` where a day's transfers come to more than may be sent on one."""
        self._require_within(self.daily_limit_minor, total, LimitPeriod.DAY)

    def _require_within(self, limit_minor: int | None, amount: Money, period: LimitPeriod) -> None:
        if limit_minor is not None and Money(limit_minor, self.currency) < amount:
            raise LimitExceeded(limit=Money(limit_minor, self.currency), period=period)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A pending movement: a negative `amount` is reserved of what is available, a positive one is only expected."""

    id: str
    tenant: TenantId
    account_id: AccountId
    amount: Money
    at: datetime
    value_date: date
    details: Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One line of an entry in an account's book: numbered without gaps, with the balance after it."""

    account_id: AccountId
    number: int
    entry_id: str
    tenant: TenantId
    amount: Money
    balance_minor: int
    booking_date: date
    value_date: date


@dataclass(slots=True)
class Journal:
    """Numbers entries and carries balances forward; the only way to make postings."""

    positions: dict[AccountId, Position]
    entries: list[Entry] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)

    def post(self, entry: Entry) -> None:
        """Add an entry; raises `UnbalancedEntry`."""
        require_balanced(entry)
        self.entries.append(entry)
        self.postings.extend(self._posting(entry, account_id, amount) for account_id, amount in entry.lines)

    def _posting(self, entry: Entry, account_id: AccountId, amount: Money) -> Posting:
        before = self.positions.get(account_id, _EMPTY)
        after = Position(before.number + 1, before.balance_minor + amount.minor)
        self.positions[account_id] = after
        return Posting(
            account_id=account_id,
            number=after.number,
            entry_id=entry.id,
            tenant=entry.tenant,
            amount=amount,
            balance_minor=after.balance_minor,
            booking_date=entry.booking_date,
            value_date=entry.value_date,
        )


def require_balanced(entry: Entry) -> None:
    """Raise `UnbalancedEntry` unless the lines sum to zero in every currency."""
    sums: dict[str, int] = {}
    for _, amount in entry.lines:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    unbalanced = {currency: minor for currency, minor in sums.items() if minor}
    if unbalanced or len(entry.lines) < 2:  # noqa: PLR2004 - a movement has two sides
        msg = f"entry {entry.id} does not balance: {unbalanced or 'it has one side only'}"
        raise UnbalancedEntry(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What an account has (BG IG 1.3.8 §14.21).

    `closing_booked` is the book at the end of the day before `today`, and so `opening_booked` at its beginning;
    `interim_booked` the book now; `interim_available` what can be spent now (less holds, with the credit line);
    `forward_available` the same on `forward_date`, the next business day, with the credits expected by then; `expected` the
    book with everything pending.
    """

    today: date
    forward_date: date
    closing_booked: Money
    interim_booked: Money
    interim_available: Money
    forward_available: Money
    expected: Money
    credit_limit: Money

    @property
    def opening_booked(self) -> Money:
        """The book at the beginning of today: always what the day before closed with."""
        return self.closing_booked
