"""The bank's business days: Monday to Friday without the closing days of the euro's settlement system.

Guideline (EU) 2022/912 (TARGET): closed on 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_SATURDAY = 5
_DAY = timedelta(days=1)


def is_business_day(day: date) -> bool:
    """Whether money is settled between banks on this day."""
    return day.weekday() < _SATURDAY and day not in closing_days(day.year)


def business_day(day: date) -> date:
    """Return this day, or the first business day after it."""
    while not is_business_day(day):
        day += _DAY
    return day


def next_business_day(day: date) -> date:
    """Return the first business day after this day."""
    return business_day(day + _DAY)


@lru_cache(maxsize=128)
def closing_days(year: int) -> frozenset[date]:
    """Return the days of a year on which the settlement system is closed beside its weekends."""
    easter = easter_sunday(year)
    moving = {easter - timedelta(days=2), easter + _DAY}
    return frozenset(moving | {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)})


def easter_sunday(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Meeus, Astronomical Algorithms, chapter 8)."""
    century, in_century = divmod(year, 100)
    leaps, skipped = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - leaps - correction + 15) % 30
    weekday = (32 + 2 * skipped + 2 * (in_century // 4) - moon - in_century % 4) % 7
    late = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
