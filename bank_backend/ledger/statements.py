"""An account's statement, page by page: newest first, and new movements don't shift the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bank_backend.ledger.exchange import Exchange
from bank_backend.ledger.particulars import Particulars, particulars_from_json
from bank_backend.ledger.refusals import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from bank_backend.database import Connection
    from psd2.ids import AccountId, TenantId

PAGE_LINES = 100
# The largest number that a movement can have.
LARGEST_NUMBER = 2**31 - 1
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
    # When it happened, in seconds of the epoch: a card purchase is booked on a later day.
    at: float = 0.0
    particulars: Mapping[str, Any] | None = None

    @property
    def details(self) -> Particulars | None:
        """What only some movements tell, such as a card purchase's merchant; None for most."""
        return particulars_from_json(self.particulars)

    @property
    def is_batch(self) -> bool:
        """Whether it is several payments in one sum: without reading the rest of its details, for each line of a list."""
        return self.particulars is not None and "batch_size" in self.particulars

    @property
    def exchange(self) -> Exchange | None:
        """What it was exchanged at; None for most."""
        source, target, rate, day = self.source_currency, self.target_currency, self.exchange_rate_e8, self.quotation_date
        if source is None or target is None or rate is None or day is None:
            return None
        contract = self.contract or ""
        return Exchange(source_currency=source, target_currency=target, rate_e8=rate, quotation_date=day, contract=contract)


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
    """Which booked movements: of a period (both days included), numbered from after `after_number` to `newest_number`.

    At most one of the rest: those older than a place, those newer than one, or from the list's oldest end. With an
    `after_number` the period says nothing: whoever asks what is new names no days.
    """

    since: date
    until: date
    after_number: int = 0
    newest_number: int = LARGEST_NUMBER
    older_than: Place | None = None
    newer_than: Place | None = None
    is_last: bool = False

    def holds(self, place: Place) -> bool:
        """Whether a page of this list can begin at the place."""
        if self.after_number:
            return place.number > self.after_number
        return self.since <= place.booking_date <= self.until

    @property
    def is_from_oldest(self) -> bool:
        """Whether the movements that are asked for are the oldest of their range."""
        return self.is_last or self.newer_than is not None


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Up to a page of movements, newest first.

    `older_than` is where the next page begins, None after the oldest movement; `newer_than` where the one before ends, None
    before the newest.
    """

    lines: Sequence[StatementLine]
    older_than: Place | None
    newer_than: Place | None = None


class StatementStore(Protocol):
    """Where movements are read. Every question names the tenant and the account."""

    def booked(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, *, limit: int
    ) -> Sequence[StatementLine]:
        """Return movements from the end of the range that is asked for: the newest first, or the oldest first."""

    def whole(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery
    ) -> Iterator[StatementLine]:
        """Yield all movements of a period, the oldest first, a few at a time."""

    def count(self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, most: int) -> int:
        """Return how many movements a period has, counting no further than `most`."""

    def balance_before(self, connection: Connection, tenant: TenantId, account_id: AccountId, day: date) -> int:
        """Return the book in minor units at the beginning of a day."""

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
        place = query.older_than or query.newer_than
        if place is not None and not (query.holds(place) and self._store.has(connection, tenant, account_id, place)):
            raise UnknownPlace(str(place))
        # One more than a page tells whether another follows, without counting them.
        return page_of(self._store.booked(connection, tenant, account_id, query, limit=PAGE_LINES + 1), query)

    def lines(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, *, limit: int
    ) -> Sequence[StatementLine]:
        """Return movements from the end of the range that is asked for; the place is taken as it is."""
        return self._store.booked(connection, tenant, account_id, query, limit=limit)

    def whole(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery
    ) -> Iterator[StatementLine]:
        """Yield all movements of a period, the oldest first, a few at a time."""
        return self._store.whole(connection, tenant, account_id, query)

    def count(self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, most: int) -> int:
        """Return how many movements a period has, counting no further than `most`."""
        return self._store.count(connection, tenant, account_id, query, most)

    def has(self, connection: Connection, tenant: TenantId, account_id: AccountId, place: Place) -> bool:
        """Whether the account has a movement at this place."""
        return self._store.has(connection, tenant, account_id, place)

    def balance_before(self, connection: Connection, tenant: TenantId, account_id: AccountId, day: date) -> int:
        """Return the book in minor units at the beginning of a day."""
        return self._store.balance_before(connection, tenant, account_id, day)

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


def page_of(found: Sequence[StatementLine], query: StatementQuery) -> StatementPage:
    """Return a page of the first movements found; one more than a page means that there are more on that side."""
    shown, has_more = found[:PAGE_LINES], len(found) > PAGE_LINES
    if not query.is_from_oldest:
        older = place_of(shown[-1]) if has_more else None
        return StatementPage(shown, older, place_of(shown[0]) if query.older_than and shown else None)
    newest_first = shown[::-1]
    newer = place_of(newest_first[0]) if has_more else None
    return StatementPage(newest_first, place_of(newest_first[-1]) if query.newer_than and newest_first else None, newer)


def place_of(line: StatementLine) -> Place | None:
    """Return where a movement stands; None while it is pending."""
    return None if line.booking_date is None or line.number is None else Place(line.booking_date, line.number)
