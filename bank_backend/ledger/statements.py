"""An account's statement, page by page: newest first, and new movements don't shift the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bank_backend.ledger.exchange import rate_text
from bank_backend.ledger.refusals import LedgerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.database import Connection
    from psd2.ids import AccountId, TenantId

PAGE_LINES = 100
# More pending movements than anybody has; a limit all the same.
MOST_PENDING = 500


class StatementLine(NamedTuple):
    """One movement as its account sees it. `number` and `balance_minor` are None while it is pending.

    A tuple rather than a dataclass: a page holds a hundred of them and each read makes them anew.
    """

    transaction_id: str
    number: int | None
    amount_minor: int
    currency: str
    balance_minor: int | None
    booking_date: date | None
    value_date: date
    debtor_name: str
    debtor_iban: str
    creditor_name: str
    creditor_iban: str
    remittance: str
    code: str
    end_to_end_id: str
    mandate_id: str
    creditor_id: str
    # The exchange it was made at (BG IG 1.3.8 §14.29, `unitCurrency` being the source's); None where nothing was exchanged.
    source_currency: str | None = None
    target_currency: str | None = None
    exchange_rate_e8: int | None = None
    quotation_date: date | None = None
    contract: str | None = None

    @property
    def exchange_rate(self) -> str | None:
        """How many units of the target currency one unit of the source currency bought: `1.0845`."""
        return None if self.exchange_rate_e8 is None else rate_text(self.exchange_rate_e8)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a statement: the movement with this booking date and number. It stays where it is for ever."""

    booking_date: date
    number: int

    def __str__(self) -> str:
        """Write it as links do: `2026-10-01.123`."""
        return f"{self.booking_date.isoformat()}.{self.number}"


class UnknownPlace(LedgerError):
    """A place where the account has no movement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementQuery:
    """Which booked movements: a period (both days included), those after a number, those older than a place."""

    since: date
    until: date
    after_number: int = 0
    older_than: Place | None = None


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Up to a page of movements, newest first; `older_than` is where the next page begins, None after the last."""

    lines: Sequence[StatementLine]
    older_than: Place | None


class StatementStore(Protocol):
    """Where movements are read. Every question names the tenant and the account."""

    def booked(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, *, limit: int
    ) -> Sequence[StatementLine]:
        """Return movements, newest first."""

    def pending(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, *, since: date, until: date, limit: int
    ) -> Sequence[StatementLine]:
        """Return what is pending, newest first, entered in this period."""

    def one(self, connection: Connection, tenant: TenantId, account_id: AccountId, transaction_id: str) -> StatementLine | None:
        """Return one movement, booked or pending, or None."""

    def has(self, connection: Connection, tenant: TenantId, account_id: AccountId, place: Place) -> bool:
        """Whether the account has a movement at this place."""

    def newest_number(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> int:
        """Return the number of the newest booked movement; 0 where there is none."""


class Statements:
    """Statements of every tenant's accounts."""

    def __init__(self, store: StatementStore) -> None:
        """Read `store`."""
        self._store = store

    def page(self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery) -> StatementPage:
        """Return a page of booked movements; raises `UnknownPlace` for a place that no page led to."""
        if query.older_than is not None and not self._store.has(connection, tenant, account_id, query.older_than):
            raise UnknownPlace(str(query.older_than))
        # One more than a page tells whether another follows, without counting them.
        lines = self._store.booked(connection, tenant, account_id, query, limit=PAGE_LINES + 1)
        shown = lines[:PAGE_LINES]
        return StatementPage(shown, older_than=_place(shown[-1]) if len(lines) > PAGE_LINES else None)

    def pending(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, *, since: date, until: date
    ) -> Sequence[StatementLine]:
        """Return what is pending, newest first, entered in this period (both days included)."""
        return self._store.pending(connection, tenant, account_id, since=since, until=until, limit=MOST_PENDING)

    def one(self, connection: Connection, tenant: TenantId, account_id: AccountId, transaction_id: str) -> StatementLine | None:
        """Return one movement of this account, booked or pending, or None."""
        return self._store.one(connection, tenant, account_id, transaction_id)

    def newest_number(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> int:
        """Return the number of the newest booked movement; 0 where there is none."""
        return self._store.newest_number(connection, tenant, account_id)


def _place(line: StatementLine) -> Place | None:
    return None if line.booking_date is None or line.number is None else Place(line.booking_date, line.number)
