"""What accounts have, asked of the database in one question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import ScalarSelect, and_, bindparam, func, select

from bank_backend.accounts.store import accounts
from bank_backend.ledger.calendar import next_business_day
from bank_backend.ledger.model import Balances
from bank_backend.ledger.tables import hold_ends, holds, postings
from psd2.ids import AccountId
from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Row

    from bank_backend.database import Connection
    from psd2.ids import TenantId


def booked_balance() -> ColumnElement[int]:
    """Return, for the row of `accounts` it stands beside, what is booked."""
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


def pending_total(which: ColumnElement[bool]) -> ColumnElement[int]:
    """Return, for the row of `accounts` it stands beside, the sum of its open holds of this kind."""
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
_OF_TENANT: Final = select(
    accounts.c.id,
    accounts.c.currency,
    func.coalesce(accounts.c.overdraft_minor, 0).label("overdraft"),
    booked_balance().label("booked"),
    _booked_today().label("booked_today"),
    pending_total(holds.c.amount_minor < 0).label("held"),
    pending_total(holds.c.amount_minor > 0).label("awaited"),
    pending_total(and_(holds.c.amount_minor > 0, holds.c.value_date <= bindparam("forward_date"))).label("awaited_soon"),
).where(accounts.c.tenant == bindparam("tenant"))
_BALANCES: Final = _OF_TENANT.where(accounts.c.id.in_(bindparam("accounts", expanding=True)))
# The usual question: a list of values has to be written into its statement each time.
_BALANCES_OF_ONE: Final = _OF_TENANT.where(accounts.c.id == bindparam("account"))


def read_balances(
    connection: Connection, tenant: TenantId, account_ids: Sequence[AccountId], today: date
) -> dict[AccountId, Balances]:
    """Return what each account has; unknown accounts are left out."""
    forward_date = next_business_day(today)
    values: dict[str, object] = {"tenant": tenant, "today": today, "forward_date": forward_date}
    if len(account_ids) == 1:
        rows = connection.execute(_BALANCES_OF_ONE, values | {"account": account_ids[0]})
    else:
        rows = connection.execute(_BALANCES, values | {"accounts": account_ids})
    return {AccountId(row.id): _balances(row, today, forward_date) for row in rows}


def _balances(row: Row[tuple[object, ...]], today: date, forward_date: date) -> Balances:
    def money(minor: int) -> Money:
        # PostgreSQL sums integers to decimals.
        return Money(int(minor), row.currency)

    return Balances(
        today=today,
        forward_date=forward_date,
        closing_booked=money(row.booked - row.booked_today),
        interim_booked=money(row.booked),
        interim_available=money(row.booked + row.overdraft + row.held),
        forward_available=money(row.booked + row.overdraft + row.held + row.awaited_soon),
        expected=money(row.booked + row.held + row.awaited),
        credit_limit=money(row.overdraft),
    )
