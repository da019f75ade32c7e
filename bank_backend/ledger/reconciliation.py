"""Whether the books are right: every rule of the ledger asked of all its rows, for all tenants or for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, func, or_, select

from bank_backend.accounts.store import SETTLEMENT, accounts
from bank_backend.ledger.balances import booked_balance, pending_total
from bank_backend.ledger.exchange import Exchange
from bank_backend.ledger.own_accounts import OwnAccount
from bank_backend.ledger.tables import entries, hold_ends, holds, postings
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Row, Select

    from bank_backend.database import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: which rule is broken, by which row, and how."""

    rule: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a look through the whole ledger found; no findings when the books are right."""

    entries: int
    postings: int
    holds: int
    findings: Sequence[Finding]

    @property
    def is_right(self) -> bool:
        """Whether every rule holds."""
        return not self.findings


def reconcile(connection: Connection) -> Reconciliation:
    """Look through the whole ledger, in a transaction that only reads: all rules see one state of it."""
    return Reconciliation(
        entries=_count(connection, select(func.count()).select_from(entries)),
        postings=_count(connection, select(func.count()).select_from(postings)),
        holds=_count(connection, select(func.count()).select_from(holds)),
        findings=[finding for rule in _RULES for finding in rule(connection)],
    )


def _count(connection: Connection, statement: Select[int]) -> int:
    return connection.execute(statement).scalar_one()


def _unbalanced(connection: Connection) -> Iterator[Finding]:
    # An entry without postings is as wrong as one whose postings don't sum to zero.
    total = func.sum(postings.c.amount_minor)
    statement = (
        select(entries.c.id, postings.c.currency, total.label("total"))
        .select_from(entries.outerjoin(postings, postings.c.entry_id == entries.c.id))
        .group_by(entries.c.id, postings.c.currency)
        .having(func.coalesce(total, 1) != 0)
        .order_by(entries.c.id)
    )
    for row in connection.execute(statement):
        what = "has no postings" if row.total is None else f"is {Money(int(row.total), row.currency)} from balanced"
        yield Finding("entry-balanced", row.id, f"entry {what}")


def _strayed(connection: Connection) -> Iterator[Finding]:
    """Find postings that are of another tenant or currency than their account or entry."""
    statement = (
        select(postings.c.entry_id, postings.c.account_id)
        .join(entries, entries.c.id == postings.c.entry_id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(
            or_(
                postings.c.tenant != entries.c.tenant,
                postings.c.tenant != accounts.c.tenant,
                postings.c.currency != accounts.c.currency,
            )
        )
    )
    for row in connection.execute(statement):
        yield Finding("posting-at-home", row.entry_id, f"posting on account {row.account_id} of another tenant or currency")


def _drifting(connection: Connection) -> Iterator[Finding]:
    """Find accounts with a balance other than the postings up to it sum to, or with a gap in their numbers."""
    running = select(
        postings.c.account_id,
        postings.c.number,
        postings.c.balance_minor,
        func.sum(postings.c.amount_minor).over(partition_by=postings.c.account_id, order_by=postings.c.number).label("total"),
        func.row_number().over(partition_by=postings.c.account_id, order_by=postings.c.number).label("place"),
    ).subquery()
    statement = (
        select(running.c.account_id, func.min(running.c.number).label("number"))
        .where((running.c.total != running.c.balance_minor) | (running.c.place != running.c.number))
        .group_by(running.c.account_id)
        .order_by(running.c.account_id)
    )
    for row in connection.execute(statement):
        yield Finding("balances-carried", row.account_id, f"from posting {row.number} on, numbers or balances don't follow")


def _overdrawn(connection: Connection) -> Iterator[Finding]:
    available = booked_balance() + accounts.c.overdraft_minor + pending_total(holds.c.amount_minor < 0)
    # An account without limit has NULL here, which is not below zero.
    statement = select(accounts.c.id, accounts.c.currency, available.label("available")).where(available < 0)
    for row in connection.execute(statement.order_by(accounts.c.id)):
        yield Finding("within-limit", row.id, f"account is {Money(-int(row.available), row.currency)} below its limit")


def _wrongly_ended_holds(connection: Connection) -> Iterator[Finding]:
    """Find holds that were settled by an entry that isn't there, or that took nothing from their account."""
    took = (
        select(postings.c.number)
        .where(postings.c.entry_id == hold_ends.c.entry_id, postings.c.account_id == holds.c.account_id)
        .exists()
    )
    statement = (
        select(holds.c.id, hold_ends.c.entry_id)
        .join(hold_ends, hold_ends.c.hold_id == holds.c.id)
        .where(hold_ends.c.entry_id.is_not(None), ~took)
        .order_by(holds.c.id)
    )
    for row in connection.execute(statement):
        yield Finding("hold-settled", row.id, f"hold settled by entry {row.entry_id}, which didn't move its account")


def _own(purpose: OwnAccount) -> ColumnElement[bool]:
    return and_(accounts.c.kind == SETTLEMENT, accounts.c.product == purpose.value)


def _wrong_exchanges(connection: Connection) -> Iterator[Finding]:
    """Find entries that cross currencies and whose amounts don't follow from the rate that is kept with them."""
    statement = (
        select(
            entries.c.id,
            entries.c.source_currency,
            entries.c.target_currency,
            entries.c.exchange_rate_e8,
            entries.c.quotation_date,
            entries.c.contract,
            func.sum(case((postings.c.amount_minor > 0, postings.c.amount_minor), else_=0)).label("taken"),
            func.sum(case((postings.c.amount_minor < 0, -postings.c.amount_minor), else_=0)).label("given"),
            func.min(case((postings.c.amount_minor > 0, postings.c.currency))).label("taken_currency"),
            func.min(case((postings.c.amount_minor < 0, postings.c.currency))).label("given_currency"),
            func.count().label("sides"),
        )
        .join(postings, postings.c.entry_id == entries.c.id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(_own(OwnAccount.EXCHANGE))
        .group_by(entries.c.id)
        .order_by(entries.c.id)
    )
    for row in connection.execute(statement):
        if not _follows_its_rate(row):
            yield Finding("exchange-at-rate", row.id, "the amounts don't follow from the rate that is kept with them")


def _follows_its_rate(row: Row[*tuple[Any, ...]]) -> bool:
    exchanged = (row.taken_currency, row.given_currency)
    if row.sides != 2 or row.exchange_rate_e8 is None or exchanged != (row.source_currency, row.target_currency):  # noqa: PLR2004 - taken and given
        return False
    exchange = Exchange(
        source_currency=row.source_currency,
        target_currency=row.target_currency,
        rate_e8=row.exchange_rate_e8,
        quotation_date=row.quotation_date,
        contract=row.contract,
    )
    taken, given = Money(int(row.taken), row.source_currency), Money(int(row.given), row.target_currency)
    # Which of the two the order named, the books don't say: the other one was reckoned from it.
    return exchange.bought(taken) == given or exchange.cost(given) == taken


def _currencies_mixed(connection: Connection) -> Iterator[Finding]:
    """Find entries in several currencies that don't go through the bank's exchange accounts.

    Of what was brought in (no order made it) nobody knows the bank's side: there the outside has exchanged, which takes the
    one currency and gives the other.
    """
    through = func.sum(case((_own(OwnAccount.EXCHANGE), 1), else_=0))
    outside = func.sum(case((_own(OwnAccount.SETTLEMENT), 1), else_=0))
    currencies = func.count(postings.c.currency.distinct())
    is_ordered = func.count(entries.c.origin) > 0
    statement = (
        select(postings.c.entry_id)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .join(entries, entries.c.id == postings.c.entry_id)
        .group_by(postings.c.entry_id)
        .having(currencies > 1, through == 0, or_(is_ordered, outside < currencies))
        .order_by(postings.c.entry_id)
    )
    for row in connection.execute(statement):
        yield Finding("exchange-through-bank", row.entry_id, "crosses currencies without the bank's exchange accounts")


def _wrong_fees(connection: Connection) -> Iterator[Finding]:
    """Find fees of what isn't there, of another's entry, or that didn't become the bank's income; and fees given back."""
    charged = entries.alias("charged")
    income = (
        select(postings.c.number)
        .join(accounts, accounts.c.id == postings.c.account_id)
        .where(postings.c.entry_id == entries.c.id, _own(OwnAccount.FEES), postings.c.amount_minor > 0)
        .exists()
    )
    statement = (
        select(entries.c.id)
        .outerjoin(charged, and_(charged.c.id == entries.c.charge_of, charged.c.tenant == entries.c.tenant))
        .where(entries.c.charge_of.is_not(None), or_(charged.c.id.is_(None), charged.c.charge_of.is_not(None), ~income))
        .order_by(entries.c.id)
    )
    for row in connection.execute(statement):
        yield Finding("fee-of-transfer", row.id, "fee of no transfer, or one that the bank has not got")


def _unempty_transits(connection: Connection) -> Iterator[Finding]:
    statement = select(accounts.c.id, booked_balance().label("rest")).where(_own(OwnAccount.TRANSIT), booked_balance() != 0)
    for row in connection.execute(statement.order_by(accounts.c.id)):
        yield Finding("batch-spread", row.id, "the debit of a batch is not what its payees were credited")


_RULES: Final[Sequence[Callable[[Connection], Iterator[Finding]]]] = (
    _unbalanced,
    _strayed,
    _drifting,
    _overdrawn,
    _wrongly_ended_holds,
    _currencies_mixed,
    _wrong_exchanges,
    _wrong_fees,
    _unempty_transits,
)
