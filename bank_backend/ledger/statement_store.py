"""Statements in SQL: keyset pages along one index. The statements are built once, so a read pays for its rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Date, Integer, bindparam, func, literal, select, tuple_

from bank_backend.ledger.statements import StatementLine
from bank_backend.ledger.tables import entries, hold_ends, holds, postings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Select, Table

    from bank_backend.database import Connection
    from bank_backend.ledger.statements import Place, StatementQuery
    from psd2.ids import AccountId, TenantId

_FIELDS: Final = StatementLine._fields
_DETAILS: Final = slice(_FIELDS.index("debtor_name"), _FIELDS.index("source_currency"))
_EXCHANGE: Final = _FIELDS[_FIELDS.index("source_currency") : _FIELDS.index("at")]


def _details(table: Table) -> list[ColumnElement[str]]:
    return [table.c[name] for name in _FIELDS[_DETAILS]]


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
        entries.c.at,
        entries.c.particulars,
    )
    .join(entries, entries.c.id == postings.c.entry_id)
    .where(postings.c.tenant == bindparam("tenant"), postings.c.account_id == bindparam("account"))
)
_MOST: Final = bindparam("most", type_=Integer)
_PLACE_NUMBER: Final = bindparam("place_number", type_=Integer)
_PLACE: Final = tuple_(bindparam("place_date", type_=Date), _PLACE_NUMBER)
_HERE: Final = tuple_(postings.c.booking_date, postings.c.number)
_NEWEST_FIRST: Final = (postings.c.booking_date.desc(), postings.c.number.desc())
_OLDEST_FIRST: Final = (postings.c.booking_date, postings.c.number)
_SINCE: Final = postings.c.booking_date >= bindparam("since")
_UNTIL: Final = postings.c.booking_date <= bindparam("until")
_NOT_NEWER: Final = postings.c.number <= bindparam("newest_number")
# What is new is found by number alone: along the index of days, all that is old would be looked at too.
_IS_NEW: Final = (postings.c.number > bindparam("after_number"), _NOT_NEWER)


@dataclass(frozen=True, slots=True)
class _Pages:
    """The four ways into a list, built once: its newest end, its oldest, and both ways from a place."""

    newest: Select[Any]
    oldest: Select[Any]
    older: Select[Any]
    newer: Select[Any]

    def of(self, query: StatementQuery) -> Select[Any]:
        if query.older_than is not None:
            return self.older
        if query.newer_than is not None:
            return self.newer
        return self.oldest if query.is_last else self.newest


def _newest_first(*chosen: ColumnElement[bool]) -> Select[Any]:
    return _BOOKED.where(*chosen).order_by(*_NEWEST_FIRST).limit(_MOST)


def _oldest_first(*chosen: ColumnElement[bool]) -> Select[Any]:
    return _BOOKED.where(*chosen).order_by(*_OLDEST_FIRST).limit(_MOST)


# From a place on, the period's other end is left out: of two bounds on one side, a database may take the wrong one for its
# way along the index, and read everything from there to the place.
_BY_DAY: Final = _Pages(
    newest=_newest_first(_SINCE, _UNTIL, _NOT_NEWER),
    oldest=_oldest_first(_SINCE, _UNTIL, _NOT_NEWER),
    older=_newest_first(_SINCE, _NOT_NEWER, _HERE < _PLACE),
    newer=_oldest_first(_UNTIL, _NOT_NEWER, _HERE > _PLACE),
)
_NUMBER: Final = postings.c.number
_BY_NUMBER: Final = _Pages(
    newest=_BOOKED.where(*_IS_NEW).order_by(_NUMBER.desc()).limit(_MOST),
    oldest=_BOOKED.where(*_IS_NEW).order_by(_NUMBER).limit(_MOST),
    older=_BOOKED.where(*_IS_NEW, _NUMBER < _PLACE_NUMBER).order_by(_NUMBER.desc()).limit(_MOST),
    newer=_BOOKED.where(*_IS_NEW, _NUMBER > _PLACE_NUMBER).order_by(_NUMBER).limit(_MOST),
)
_WHOLE: Final = _BOOKED.where(_SINCE, _UNTIL, *_IS_NEW).order_by(*_OLDEST_FIRST)
_COUNT: Final = select(func.count()).select_from(
    select(postings.c.number)
    .where(postings.c.tenant == bindparam("tenant"), postings.c.account_id == bindparam("account"), _SINCE, _UNTIL, *_IS_NEW)
    .limit(_MOST)
    .subquery()
)
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
        holds.c.at,
        holds.c.particulars,
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


_BALANCE_BEFORE: Final = (
    select(postings.c.balance_minor)
    .where(
        postings.c.tenant == bindparam("tenant"),
        postings.c.account_id == bindparam("account"),
        postings.c.booking_date < bindparam("day"),
    )
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)
_AT_A_TIME: Final = 500


class SqlStatementStore:
    """Statements from the bank's database."""

    def booked(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, *, limit: int
    ) -> Sequence[StatementLine]:
        """Return movements from the end of the range that is asked for: the newest first, or the oldest first."""
        pages = _BY_NUMBER if query.after_number else _BY_DAY
        values = _values(tenant, account_id, query) | {"most": limit}
        return [StatementLine._make(row) for row in connection.execute(pages.of(query), values).all()]

    def whole(
        self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery
    ) -> Iterator[StatementLine]:
        """Yield all movements of a period, the oldest first, a few at a time."""
        options = {"yield_per": _AT_A_TIME}
        rows = connection.execute(_WHOLE, _values(tenant, account_id, query), execution_options=options)
        return (StatementLine._make(row) for row in rows)

    def count(self, connection: Connection, tenant: TenantId, account_id: AccountId, query: StatementQuery, most: int) -> int:
        """Return how many movements a period has, counting no further than `most`."""
        return int(connection.execute(_COUNT, _values(tenant, account_id, query) | {"most": most}).scalar_one())

    def balance_before(self, connection: Connection, tenant: TenantId, account_id: AccountId, day: date) -> int:
        """Return the book in minor units at the beginning of a day."""
        values = {"tenant": tenant, "account": account_id, "day": day}
        return connection.execute(_BALANCE_BEFORE, values).scalar() or 0

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


def _values(tenant: TenantId, account_id: AccountId, query: StatementQuery) -> dict[str, object]:
    values: dict[str, object] = {
        "tenant": tenant,
        "account": account_id,
        "since": query.since,
        "until": query.until,
        "after_number": query.after_number,
        "newest_number": query.newest_number,
    }
    place = query.older_than or query.newer_than
    return values if place is None else values | {"place_date": place.booking_date, "place_number": place.number}


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), tzinfo=UTC).timestamp()
