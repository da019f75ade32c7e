"""A month of an account: what came in and went out each day, the balance at its end, and what of it a person looks for."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from psd2.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tpp_client.accounts import Transaction

_MONTH = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar."""

    year: int
    number: int

    @staticmethod
    def of(day: date) -> Month:
        """Return the month of a day."""
        return Month(day.year, day.month)

    @staticmethod
    def parse(text: str) -> Month:
        """Read `2026-11`; raises `ValueError`."""
        match = _MONTH.fullmatch(text)
        if match is None:
            msg = f"{text[:20]!r} is no month: write one such as 2026-11"
            raise ValueError(msg)
        return Month(int(match["year"]), int(match["month"]))

    def __str__(self) -> str:
        """Write `2026-11`."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def name(self) -> str:
        """The month for a person: `November 2026`."""
        return f"{calendar.month_name[self.number]} {self.year}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.number, calendar.monthrange(self.year, self.number)[1])

    @property
    def before(self) -> Month:
        """The month before."""
        return Month.of(self.first - timedelta(days=1))

    @property
    def after(self) -> Month:
        """The month after."""
        return Month.of(self.last + timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: both sums are at least zero, `balance` is that at its end, None where the bank told none."""

    date: date
    incoming: Money
    outgoing: Money
    balance: Money | None


def days_of(period: tuple[date, date], booked: Sequence[Transaction], *, now: Money | None, currency: str) -> list[Day]:
    """Return each day of the period, from movements newest first; `now` is the balance where nothing moved in it."""
    by_day: dict[str, list[Transaction]] = {}
    for movement in booked:
        by_day.setdefault(movement.booking_date or "", []).append(movement)
    balance, days = _opening(booked) if booked else now, []
    for each in _dates(*period):
        moved = by_day.get(each.isoformat(), [])
        balance = moved[0].balance_after if moved else balance
        sums = _sums(moved, currency)
        days.append(Day(date=each, incoming=sums[0], outgoing=sums[1], balance=balance))
    return days


def matching(booked: Iterable[Transaction], *, words: str, way: str) -> list[Transaction]:
    """Return the movements whose other side or purpose holds `words`, and that came `in` or went `out` where asked."""
    wanted = words.casefold().strip()
    return [
        one for one in booked if wanted in _text(one) and (way not in {"in", "out"} or (one.amount.minor > 0) == (way == "in"))
    ]


def as_decimal(money: Money) -> Decimal:
    """Return an amount as a number, exactly, for a chart."""
    return Decimal(money.decimal)


def _opening(booked: Sequence[Transaction]) -> Money | None:
    oldest = booked[-1]
    return oldest.balance_after - oldest.amount if oldest.balance_after is not None else None


def _sums(moved: Iterable[Transaction], currency: str) -> tuple[Money, Money]:
    amounts = [movement.amount for movement in moved if movement.amount.currency == currency]
    incoming = sum(amount.minor for amount in amounts if amount.minor > 0)
    outgoing = -sum(amount.minor for amount in amounts if amount.minor < 0)
    return Money(incoming, currency), Money(outgoing, currency)


def _dates(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=distance) for distance in range((last - first).days + 1))


def _text(movement: Transaction) -> str:
    return f"{movement.counterparty or ''} {movement.remittance or ''}".casefold()
