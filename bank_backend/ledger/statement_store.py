"""Statements in SQL: keyset pages along one index. The statements are built once, so a read pays for its rows only."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Date, Integer, bindparam, literal, select, tuple_

from bank_backend.ledger.statements import StatementLine
from bank_backend.ledger.tables import entries, hold_ends, holds, postings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Table

    from bank_backend.database import Connection
    from bank_backend.ledger.statements import Place, StatementQuery
    from psd2.ids import AccountId, TenantId

_NEWEST_FIRST: Final = (postings.c.booking_date.desc(), postings.c.number.desc())


_DETAILS: Final = slice(StatementLine._fields.index("debtor_name"), StatementLine._fields.index("source_currency"))
_EXCHANGE: Final = StatementLine._fields[StatementLine._fields.index("source_currency") :]


def _details(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in StatementLine._fields[_DETAILS]]


_BOOKED: Final = (
    select(
        postings.c.entry_id,
        postings.c.number,
        postings.c.amount_minor,
        postings.c.currency,
        postings.c.balance_minor,
        postings.c.booking_date,
        postings.c.value_date,
        *_details(entries),
        *[entries.c[name] for name in _EXCHANGE],
    )
    .join(entries, entries.c.id == postings.c.entry_id)
    .where(postings.c.tenant == bindparam("tenant"), postings.c.account_id == bindparam("account"))
)
_IN_PERIOD: Final = _BOOKED.where(
    postings.c.booking_date.between(bindparam("since"), bindparam("until")), postings.c.number > bindparam("after_number")
).limit(bindparam("most", type_=Integer))
_FIRST_PAGE: Final = _IN_PERIOD.order_by(*_NEWEST_FIRST)
_PLACE: Final = tuple_(bindparam("place_date", type_=Date), bindparam("place_number", type_=Integer))
_NEXT_PAGE: Final = _IN_PERIOD.where(tuple_(postings.c.booking_date, postings.c.number) < _PLACE).order_by(*_NEWEST_FIRST)
_ONE_BOOKED: Final = _BOOKED.where(postings.c.entry_id == bindparam("id"))

_PENDING: Final = (
    select(
        holds.c.id,
        literal(None),
        holds.c.amount_minor,
        holds.c.currency,
        literal(None),
        literal(None),
        holds.c.value_date,
        *_details(holds),
        # What is pending has not been exchanged yet.
        *[literal(None) for _ in _EXCHANGE],
    )
    .outerjoin(hold_ends, hold_ends.c.hold_id == holds.c.id)
    .where(holds.c.tenant == bindparam("tenant"), holds.c.account_id == bindparam("account"), hold_ends.c.hold_id.is_(None))
)
_ALL_PENDING: Final = (
    _PENDING.where(holds.c.at >= bindparam("since"), holds.c.at < bindparam("until"))
    .order_by(holds.c.at.desc(), holds.c.id)
    .limit(bindparam("most", type_=Integer))
)
_ONE_PENDING: Final = _PENDING.where(holds.c.id == bindparam("id"))
_NUMBERS: Final = select(postings.c.number).where(
    postings.c.tenant == bindparam("tenant"), postings.c.account_id == bindparam("account")
)
_AT_PLACE: Final = _NUMBERS.where(
    postings.c.booking_date == bindparam("place_date"), postings.c.number == bindparam("place_number")
)
_NEWEST_NUMBER: Final = _NUMBERS.order_by(postings.c.number.desc()).limit(1)


class SqlStatementStore:
    """Statements from the bank's database."""

    def booked(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, *, limit: int
    ) -> Sequence[StatementLine]:
        """Return movements, newest first."""
        values = {
            "tenant": tenant,
            "account": account_id,
            "since": query.since,
            "until": query.until,
            "after_number": query.after_number,
            "most": limit,
        }
        statement = _FIRST_PAGE
        if query.older_than is not None:
            statement = _NEXT_PAGE
            values |= {"place_date": query.older_than.booking_date, "place_number": query.older_than.number}
        return [StatementLine._make(row) for row in connection.execute(statement, values).all()]

    def pending(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, *, since: date, until: date, limit: int
    ) -> Sequence[StatementLine]:
        """Return what is pending, newest first, entered in this period."""
        values = {
            "tenant": tenant,
            "account": account_id,
            "since": _midnight(since),
            "until": _midnight(until + timedelta(days=1)),
            "most": limit,
        }
        return [StatementLine._make(row) for row in connection.execute(_ALL_PENDING, values).all()]

    def one(self, connection: Connection, tenant: TenantId, account_id: AccountId, transaction_id: str) -> StatementLine | None:
        """Return one movement, booked or pending, or None."""
        values = {"tenant": tenant, "account": account_id, "id": transaction_id}
        for statement in (_ONE_BOOKED, _ONE_PENDING):
            row = connection.execute(statement, values).first()
            if row is not None:
                return StatementLine._make(row)
        return None

    def has(self, connection: Connection, tenant: TenantId, account_id: AccountId, place: Place) -> bool:
        """Whether the account has a movement at this place."""
        values = {"tenant": tenant, "account": account_id, "place_date": place.booking_date, "place_number": place.number}
        return connection.execute(_AT_PLACE, values).first() is not None

    def newest_number(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> int:
        """Return the number of the newest booked movement; 0 where there is none."""
        return connection.execute(_NEWEST_NUMBER, {"tenant": tenant, "account": account_id}).scalar() or 0


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), tzinfo=UTC).timestamp()
