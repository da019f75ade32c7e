"""Days of the bank: booked on Monday to Friday; a year of months looking back from today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

MONTHS_BACK: Final = 13
_SATURDAY: Final = 5


def business_day(day: date) -> date:
    """Return this day, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= _SATURDAY else day


def business_days_after(day: date, count: int) -> date:
    """Return the business day that follows this day by `count` of them."""
    for _ in range(count):
        day = business_day(day + timedelta(days=1))
    return day


def months_until(today: date, *, months: int = MONTHS_BACK) -> list[date]:
    """Return the first days of this month and of so many before it, oldest first."""
    newest = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(newest - months, newest + 1)]
