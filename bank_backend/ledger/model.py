"""Double-entry book-keeping, pure: entries, the journal that numbers them, and what an account has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from bank_backend.ledger.particulars import Particulars
    from psd2.ids import AccountId, TenantId


class LedgerError(Exception):
    """A movement that the ledger refuses."""


class InsufficientFunds(LedgerError):
    """The debtor's available amount is smaller than the movement."""

    def __init__(self, *, needed: Money, available: Money) -> None:
        """Tell what was needed and what there is."""
        super().__init__(f"{needed} are needed, {available} are available")
        self.needed = needed
        self.available = available


class UnbalancedEntry(LedgerError):
    """An entry whose postings don't sum to zero in every currency: it is never written."""


class UnknownAccount(LedgerError):
    """The tenant has no such account."""


class SameAccount(LedgerError):
    """Debtor and creditor are one account."""


class InvalidAmount(LedgerError):
    """A movement of nothing or less."""


class UnknownHold(LedgerError):
    """No open hold of this id: it never was, or it has been released or settled."""


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
    """One movement of money, booked. `lines` are (account, signed minor units) and sum to zero in every currency."""

    id: str
    tenant: TenantId
    at: datetime
    booking_date: date
    value_date: date
    details: Details
    lines: tuple[tuple[AccountId, Money], ...]


@dataclass(frozen=True, slots=True)
class Position:
    """Where an account's book stands: how many postings it has and what they sum to."""

    number: int
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookAccount:
    """An account as the ledger sees it, locked: its book, what holds reserve of it, how far it may go below zero."""

    id: AccountId
    iban: str
    owner_name: str
    currency: str
    position: Position
    held_minor: int
    # None: no limit, for the bank's own settlement accounts.
    overdraft_minor: int | None

    @property
    def available(self) -> Money | None:
        """What can be spent now, the credit line included; None without limit."""
        if self.overdraft_minor is None:
            return None
        return Money(self.position.balance_minor + self.overdraft_minor - self.held_minor, self.currency)

    def require_funds(self, amount: Money) -> None:
        """Raise `InsufficientFunds` unless `amount` can be spent, `CurrencyMismatch` for another currency."""
        available = Money(amount.minor, self.currency) if self.available is None else self.available
        if available < amount:
            raise InsufficientFunds(needed=amount, available=available)


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
        before = self.positions.get(account_id, Position(0, 0))
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
    sums: Counter[str] = Counter()
    for _, amount in entry.lines:
        sums[amount.currency] += amount.minor
    unbalanced = {currency: minor for currency, minor in sums.items() if minor}
    if unbalanced or len(entry.lines) < 2:  # noqa: PLR2004 - a movement has two sides
        msg = f"entry {entry.id} does not balance: {unbalanced or 'it has one side only'}"
        raise UnbalancedEntry(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balances:
    """What an account has (BG IG §14.18).

    `closing_booked` is the book at the end of the day before `today`; `interim_booked` the book now; `interim_available`
    what can be spent now (less holds, with the credit line); `expected` the book with everything pending.
    """

    today: date
    closing_booked: Money
    interim_booked: Money
    interim_available: Money
    expected: Money
    credit_limit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a look through the whole ledger found; each list is empty when the books are right."""

    entries: int
    postings: int
    unbalanced_entries: Sequence[str]
    drifting_accounts: Sequence[str]
    overdrawn_accounts: Sequence[str]

    @property
    def is_right(self) -> bool:
        """Whether money is conserved, balances are what postings sum to, and no account is below its limit."""
        return not (self.unbalanced_entries or self.drifting_accounts or self.overdrawn_accounts)
