"""Lists of transactions: pages in JSON, whole statements for camt and MT94x (BG IG 1.3.8 §6.5.4, §6.5.5, §6.6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bank_backend.accounts.merging import collection_page
from bank_backend.accounts.model import AccessKind, Account, AccountKind, Period
from bank_backend.accounts.transaction_parameters import EARLIEST, NO_PAGE, period_of, require_offered
from bank_backend.errors import FormatError, ParameterNotSupported, PathResourceUnknown, PeriodInvalid
from bank_backend.ledger.statements import StatementQuery, UnknownPlace
from bank_backend.personalities.model import Service
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bank_backend.accounts.information import AccountInformation, AccountView, Entrance
    from bank_backend.accounts.merging import ReportPage
    from bank_backend.accounts.model import TransactionsQuery
    from bank_backend.accounts.report_store import ReportMarks
    from bank_backend.accounts.standing_orders import StandingOrder, StandingOrders
    from bank_backend.calls import TppCall
    from bank_backend.database import Database
    from bank_backend.ledger.statements import StatementLine, Statements
    from bank_backend.personalities.model import Personality

# A statement in camt or MT94x has no pages: with more movements than this it is fetched as a download.
MOST_AT_ONCE: Final = 1_000
# The most that any report holds: some 25 MB of camt.
MOST_IN_ALL: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionReport:
    """What a TPP is told of an account's transactions; a part that was not asked for is None."""

    view: AccountView
    query: TransactionsQuery
    period: Period
    today: date
    after_number: int | None
    booked: ReportPage | None
    pending: Sequence[StatementLine] | None
    information: Sequence[StandingOrder] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatement:
    """All movements of one account in a period, oldest first, between what it had before and what it had then.

    Both balances are None where the consent grants none.
    """

    account: Account
    owner_name: str
    since: date
    until: date
    opening: Money | None
    closing: Money | None
    booked: Sequence[StatementLine]
    pending: Sequence[StatementLine]

    @property
    def sequence(self) -> int:
        """The statement's number: the day of its year."""
        return self.until.timetuple().tm_yday


@dataclass(frozen=True, slots=True)
class Scope:
    """What a statement is to hold: how many movements that is, and the newest of them that is in it."""

    view: AccountView
    period: Period
    after_number: int
    newest_number: int
    size: int

    @property
    def is_open_ended(self) -> bool:
        """Whether no first day was named: what is asked for is what is new."""
        return self.after_number > 0 or self.period.since <= EARLIEST

    def since(self, booked: Sequence[StatementLine]) -> date:
        """Return the first day of a statement of these movements."""
        if not self.is_open_ended:
            return self.period.since
        return (booked[0].booking_date if booked else None) or self.period.until


class AccountReports:
    """Answers what is asked of transactions."""

    def __init__(
        self,
        *,
        information: AccountInformation,
        statements: Statements,
        marks: ReportMarks,
        standing_orders: StandingOrders,
        database: Database,
    ) -> None:
        """Let calls in as `information` does, then read the others."""
        self._information = information
        self._statements = statements
        self._marks = marks
        self._standing_orders = standing_orders
        self._database = database

    def transactions(
        self,
        call: TppCall,
        kind: AccountKind,
        account_id: str,
        query: TransactionsQuery,
        *,
        consent_id: str,
        personality: Personality,
    ) -> TransactionReport:
        """Return a page of transactions; raises what `AccountAccess` raises, `ResourceUnknown`, each parameter's refusal."""
        require_offered(query, personality)
        page = None if query.page is None else str(query.page)
        entering = self._information.entered(call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id, page=page)
        with entering as entrance:
            view = self._information.view(entrance, kind, account_id)
            if query.with_balance and view.rights.balances:
                view = self._information.with_balances(entrance, view)
            report = self._report(entrance, view, query, personality)
            told = self._told(entrance, report, personality)
        if told is not None:
            with self._database.writing() as connection:
                self._marks.advance(connection, entrance.granted.tenant, entrance.granted.psu, view.account.id, told)
        return report

    def transaction(
        self, call: TppCall, account_id: str, transaction_id: str, *, consent_id: str
    ) -> tuple[AccountView, StatementLine]:
        """Return one transaction; raises what `AccountAccess` raises, `ResourceUnknown`, `PathResourceUnknown`."""
        # Counted for itself, like a page: who has read the list may look closer at each of its movements.
        entering = self._information.entered(
            call, AccessKind.TRANSACTIONS, account_id, consent_id=consent_id, page=transaction_id
        )
        with entering as entrance:
            view = self._information.view(entrance, AccountKind.PAYMENT, account_id)
            for member in view.members:
                line = self._statements.one(entrance.connection, entrance.granted.tenant, member.id, transaction_id)
                if line is not None:
                    return view, line
            text = f"transaction {transaction_id[:40]!r} is none of this account's: take a transactionId from its list"
            raise PathResourceUnknown(text, path="transactionId")

    def scope(self, entrance: Entrance, view: AccountView, query: TransactionsQuery, personality: Personality) -> Scope:
        """Return what a statement by this query holds; raises each parameter's refusal."""
        require_offered(query, personality)
        if query.page is not None:
            raise FormatError("a statement in this format has no pages: leave page out", path="page")
        period = period_of(query, today=entrance.today, personality=personality)
        after = self._after_number(entrance, view, query) or 0
        newest = max(self._newest(entrance, member) for member in view.members)
        asked = StatementQuery(since=period.since, until=period.until, after_number=after, newest_number=newest)
        sizes = (
            self._statements.count(entrance.connection, member.tenant, member.id, asked, MOST_IN_ALL + 1)
            for member in view.members
        )
        size = sum(sizes) if query.booking_status.has_booked else 0
        if size > MOST_IN_ALL:
            text = f"the period holds more than {MOST_IN_ALL} movements: ask for a shorter one"
            raise PeriodInvalid(text, path="dateFrom")
        return Scope(view, period, after, newest, size)

    def statements(self, entrance: Entrance, scope: Scope, query: TransactionsQuery) -> list[AccountStatement]:
        """Return the statement of each account that is asked about: several for a collection."""
        return [self._statement(entrance, scope, member, query) for member in scope.view.members]

    def _statement(self, entrance: Entrance, scope: Scope, account: Account, query: TransactionsQuery) -> AccountStatement:
        connection, period, status = entrance.connection, scope.period, query.booking_status
        asked = StatementQuery(
            since=period.since, until=period.until, after_number=scope.after_number, newest_number=scope.newest_number
        )
        booked = list(self._statements.whole(connection, account.tenant, account.id, asked)) if status.has_booked else []
        pending = self._pending_of(entrance, account, period) if status.has_pending else ()
        opening, closing = self._balances(entrance, scope, account, booked if status.has_booked else None)
        return AccountStatement(
            account=account,
            owner_name=account.owner_name if scope.view.rights.owner_name else "",
            since=scope.since(booked),
            until=period.until,
            opening=opening,
            closing=closing,
            booked=booked,
            pending=pending,
        )

    def _balances(
        self, entrance: Entrance, scope: Scope, account: Account, booked: Sequence[StatementLine] | None
    ) -> tuple[Money, Money] | tuple[None, None]:
        """Return the book before and after the statement's movements; None: it lists none that are booked."""
        if not scope.view.rights.balances:
            return None, None
        after = scope.period.until + timedelta(days=1)
        opening = _opening(booked or ())
        if opening is None:
            # Where nothing is new, the book stands where it stood.
            first_day = after if scope.is_open_ended else scope.period.since
            opening = self._statements.balance_before(entrance.connection, account.tenant, account.id, first_day)
        if booked is None:
            closing = self._statements.balance_before(entrance.connection, account.tenant, account.id, after)
        else:
            closing = opening + sum(line.amount_minor for line in booked)
        return Money(opening, account.currency), Money(closing, account.currency)

    def _report(
        self, entrance: Entrance, view: AccountView, query: TransactionsQuery, personality: Personality
    ) -> TransactionReport:
        period = period_of(query, today=entrance.today, personality=personality)
        after = self._after_number(entrance, view, query)
        status, is_first = query.booking_status, query.page is None
        return TransactionReport(
            view=view,
            query=query,
            period=period,
            today=entrance.today,
            after_number=after,
            booked=self._booked(entrance, view, query, period, after) if status.has_booked else None,
            # With the first page only: it belongs to the list, not to each of its pages.
            pending=self._pending(entrance, view, period) if status.has_pending and is_first else None,
            information=self._orders(entrance, view) if status.has_information and is_first else None,
        )

    def _after_number(self, entrance: Entrance, view: AccountView, query: TransactionsQuery) -> int | None:
        """Return from where on a delta is asked for; raises where the account has no such movement."""
        if not (query.is_delta or query.is_after_entry):
            return None
        if len(view.members) > 1:
            name = "deltaList" if query.is_delta else "entryReferenceFrom"
            text = "each currency of this account counts its entries for itself: ask one of its sub-accounts for what is new"
            raise ParameterNotSupported(text, path=name)
        granted, account = entrance.granted, view.account
        if query.is_delta:
            return self._marks.standing(entrance.connection, granted.tenant, granted.psu, account.id)
        if query.after_entry is not None:
            return self._number_of(entrance, account, query.after_entry)
        newest = self._newest(entrance, account)
        if query.after_number is not None and query.after_number > newest:
            text = f"entryReferenceFrom {query.after_number} is none of this account's: its newest is {newest}"
            raise FormatError(text, path="entryReferenceFrom")
        return query.after_number

    def _number_of(self, entrance: Entrance, account: Account, entry: str) -> int:
        line = self._statements.one(entrance.connection, account.tenant, account.id, entry)
        if line is None or line.number is None:
            text = "entryReferenceFrom names no booked transaction of this card account: write the cardTransactionId of one"
            raise FormatError(text, path="entryReferenceFrom")
        return line.number

    def _booked(
        self, entrance: Entrance, view: AccountView, query: TransactionsQuery, period: Period, after: int | None
    ) -> ReportPage:
        try:
            return collection_page(self._statements, entrance.connection, view.members, _asked(period, after), page=query.page)
        except UnknownPlace:
            # A made-up place could show the newest movements without their being counted as read.
            raise FormatError(NO_PAGE, path="page") from None

    def _pending(self, entrance: Entrance, view: AccountView, period: Period) -> Sequence[StatementLine]:
        return [line for member in view.members for line in self._pending_of(entrance, member, period)]

    def _pending_of(self, entrance: Entrance, account: Account, period: Period) -> Sequence[StatementLine]:
        return self._statements.pending(entrance.connection, account.tenant, account.id, since=period.since, until=period.until)

    def _orders(self, entrance: Entrance, view: AccountView) -> list[StandingOrder]:
        connection, tenant = entrance.connection, entrance.granted.tenant
        return [one for member in view.members for one in self._standing_orders.of_account(connection, tenant, member.id)]

    def _newest(self, entrance: Entrance, account: Account) -> int:
        return self._statements.newest_number(entrance.connection, account.tenant, account.id)

    def _told(self, entrance: Entrance, report: TransactionReport, personality: Personality) -> int | None:
        """Return the number up to which this TPP has been told of the account, where that has changed (`deltaList`)."""
        page, granted, account = report.booked, entrance.granted, report.view.account
        is_newest = page is not None and report.query.page is None and report.period.until == entrance.today
        if not is_newest or page is None or not page.lines or len(report.view.members) > 1:
            return None
        if not personality.offers(Service.DELTA_LISTS):
            return None
        newest = page.lines[0].number or 0
        standing = self._marks.standing(entrance.connection, granted.tenant, granted.psu, account.id)
        return newest if newest > standing else None


def _asked(period: Period, after: int | None) -> StatementQuery:
    return StatementQuery(since=period.since, until=period.until, after_number=after or 0)


def _opening(booked: Sequence[StatementLine]) -> int | None:
    """Return the book before the first movement, which says what it was after it."""
    if not booked or booked[0].balance_minor is None:
        return None
    return booked[0].balance_minor - booked[0].amount_minor
