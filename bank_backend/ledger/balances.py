"""What accounts have, and whether the books are right, asked of the database in as few questions as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import ScalarSelect, and_, bindparam, func, select

from bank_backend.accounts.store import accounts
from bank_backend.ledger.model import Balances, Reconciliation
from bank_backend.ledger.tables import entries, hold_ends, holds, postings
from psd2.ids import AccountId
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Row

    from bank_backend.database import Connection
    from psd2.ids import TenantId


def _booked() -> ColumnElement[int]:
    newest = (
        select(postings.c.balance_minor)
        .where(postings.c.account_id == accounts.c.id)
        .order_by(postings.c.number.desc())
        .limit(1)
        .correlate(accounts)
        .scalar_subquery()
    )
    return func.coalesce(newest, 0)


def _booked_today() -> ColumnElement[int]:
    since = (
        select(func.sum(postings.c.amount_minor))
        .where(postings.c.account_id == accounts.c.id, postings.c.booking_date >= bindparam("today"))
        .correlate(accounts)
        .scalar_subquery()
    )
    return func.coalesce(since, 0)


def _pending(which: ColumnElement[bool]) -> ColumnElement[int]:
    still_open = and_(holds.c.account_id == accounts.c.id, hold_ends.c.hold_id.is_(None), which)
    pending: ScalarSelect[int] = (
        select(func.sum(holds.c.amount_minor))
        .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
        .where(still_open)
        .correlate(accounts)
        .scalar_subquery()
    )
    return func.coalesce(pending, 0)


# Built once: putting such a statement together takes longer than running it.
_BALANCES: Final = select(
    accounts.c.id,
    accounts.c.currency,
    func.coalesce(accounts.c.overdraft_minor, 0).label("overdraft"),
    _booked().label("booked"),
    _booked_today().label("booked_today"),
    _pending(holds.c.amount_minor < 0).label("held"),
    _pending(holds.c.amount_minor > 0).label("awaited"),
).where(accounts.c.tenant == bindparam("tenant"), accounts.c.id.in_(bindparam("accounts", expanding=True)))


def read_balances(
    connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
) -> dict[AccountId, Balances]:
    """Return what each account has; unknown accounts are left out."""
    values = {"tenant": tenant, "accounts": account_ids, "today": today}
    return {AccountId(row.id): _balances(row, today) for row in connection.execute(_BALANCES, values)}


def _balances(row: Row[tuple[object, ...]], today: date) -> Balances:
    def money(minor: int) -> Money:
        # PostgreSQL sums integers to decimals.
        return Money(int(minor), row.currency)

    return Balances(
        today=today,
        closing_booked=money(row.booked - row.booked_today),
        interim_booked=money(row.booked),
        interim_available=money(row.booked + row.overdraft + row.held),
        expected=money(row.booked + row.held + row.awaited),
        credit_limit=money(row.overdraft),
    )


def reconcile(connection: Connection) -> Reconciliation:
    """Look through the whole ledger: entries balanced, balances as postings sum, no account below its limit."""
    return Reconciliation(
        entries=connection.execute(select(func.count()).select_from(entries)).scalar_one(),
        postings=connection.execute(select(func.count()).select_from(postings)).scalar_one(),
        unbalanced_entries=_unbalanced_entries(connection),
        drifting_accounts=_drifting_accounts(connection),
        overdrawn_accounts=_overdrawn_accounts(connection),
    )


def _unbalanced_entries(connection: Connection) -> list[str]:
    # An entry without postings is as wrong as one whose postings don't sum to zero.
    lines = entries.outerjoin(postings, postings.c.entry_id == entries.c.id)
    statement = (
        select(entries.c.id)
        .select_from(lines)
        .group_by(entries.c.id, postings.c.currency)
        .having(func.coalesce(func.sum(postings.c.amount_minor), 1) != 0)
    )
    return sorted(set(connection.execute(statement).scalars()))


def _drifting_accounts(connection: Connection) -> list[str]:
    """Return accounts with a balance other than the postings up to it sum to, or with a gap in their numbers."""
    running = select(
        postings.c.account_id,
        postings.c.number,
        postings.c.balance_minor,
        func.sum(postings.c.amount_minor).over(partition_by=postings.c.account_id, order_by=postings.c.number).label("total"),
        func.row_number().over(partition_by=postings.c.account_id, order_by=postings.c.number).label("place"),
    ).subquery()
    statement = (
        select(running.c.account_id)
        .where((running.c.total != running.c.balance_minor) | (running.c.place != running.c.number))
        .distinct()
    )
    return sorted(connection.execute(statement).scalars())


def _overdrawn_accounts(connection: Connection) -> list[str]:
    available = _booked() + accounts.c.overdraft_minor + _pending(holds.c.amount_minor < 0)
    # An account without limit has NULL here, which is not below zero.
    return sorted(connection.execute(select(accounts.c.id).where(available < 0)).scalars())
