"""When a periodic payment is executed: frequency, day and business-day rule become days (BG IG 1.3.8 §5.3.4.1, §14.32)."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.calendar import business_day, is_business_day

if TYPE_CHECKING:
    from collections.abc import Iterator

# More than the longest run of days on which TARGET is closed (Good Friday to Easter Monday, Christmas beside a weekend).
_LONGEST_SHIFT: Final = timedelta(days=7)
_ULTIMO: Final = 31


class Frequency(StrEnum):
    """BG IG §14.32."""

    DAILY = "Daily"
    WEEKLY = "Weekly"
    EVERY_TWO_WEEKS = "EveryTwoWeeks"
    MONTHLY = "Monthly"
    EVERY_TWO_MONTHS = "EveryTwoMonths"
    QUARTERLY = "Quarterly"
    SEMI_ANNUAL = "SemiAnnual"
    ANNUAL = "Annual"
    MONTHLY_VARIABLE = "MonthlyVariable"

    @property
    def days(self) -> int | None:
        """The days between two executions, None where months are counted."""
        return _DAYS.get(self)

    @property
    def months(self) -> int:
        """The months between two executions where months are counted."""
        return _MONTHS[self]

    @property
    def words(self) -> str:
        """The frequency as people say it."""
        return _WORDS[self]


_DAYS: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 7, Frequency.EVERY_TWO_WEEKS: 14}
_MONTHS: Final = {
    Frequency.MONTHLY: 1,
    Frequency.EVERY_TWO_MONTHS: 2,
    Frequency.QUARTERLY: 3,
    Frequency.SEMI_ANNUAL: 6,
    Frequency.ANNUAL: 12,
    # Every month is looked at, and those that are not listed are passed over.
    Frequency.MONTHLY_VARIABLE: 1,
}

_WORDS: Final = {
    Frequency.DAILY: "every day",
    Frequency.WEEKLY: "every week",
    Frequency.EVERY_TWO_WEEKS: "every two weeks",
    Frequency.MONTHLY: "every month",
    Frequency.EVERY_TWO_MONTHS: "every two months",
    Frequency.QUARTERLY: "every three months",
    Frequency.SEMI_ANNUAL: "every six months",
    Frequency.ANNUAL: "every year",
    Frequency.MONTHLY_VARIABLE: "every year",
}


class ExecutionRule(StrEnum):
    """Where an execution goes that falls on a day on which TARGET is closed."""

    FOLLOWING = "following"
    PRECEDING = "preceding"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrenceRule:
    """A standing order's calendar. `end` None: for ever; `day` None: the day of the month of `start`.

    `execution_rule` None leaves executions on the days they fall on, for products that settle on every day.
    """

    start: date
    end: date | None
    frequency: Frequency
    execution_rule: ExecutionRule | None
    day: int | None = None
    months: tuple[int, ...] = ()

    def first_from(self, day: date) -> date | None:
        """Return the first day of execution that is not before `day`, None where there is none any more.

        Both the day that the frequency gives and the day that the business-day rule makes of it lie within start and end.
        """
        since = max(day, self.start)
        for nominal in self._nominal_days(since - _LONGEST_SHIFT):
            if self.end is not None and nominal > self.end:
                return None
            executed = self._moved(nominal)
            if executed >= since:
                return executed if self.end is None or executed <= self.end else None
        return None

    def days_from(self, day: date) -> Iterator[date]:
        """Yield the days of execution from `day` on, each later than the one before."""
        found = self.first_from(day)
        while found is not None:
            yield found
            found = self.first_from(found + timedelta(days=1))

    @property
    def last(self) -> date | None:
        """The last day of execution, None where there is no end."""
        if self.end is None:
            return None
        window = self.start
        # The last one lies at most one interval, a year, and a shift before the end; a wider look never costs much.
        window = max(window, self.end - timedelta(days=366) - 2 * _LONGEST_SHIFT)
        return max(self.days_from(window), default=None)

    def _nominal_days(self, since: date) -> Iterator[date]:
        """Yield the days that the frequency gives, before closing days are looked at, from `since` or a little before."""
        days = self.frequency.days
        if days is not None:
            first = max(0, -(-(since - self.start).days // days))
            yield from (self.start + timedelta(days=days * number) for number in count(first))
        else:
            yield from (day for day in self._month_days(since) if day >= self.start)

    def _month_days(self, since: date) -> Iterator[date]:
        step = self.frequency.months
        origin = self.start.year * 12 + self.start.month - 1
        first = max(0, (since.year * 12 + since.month - 1 - origin) // step)
        for number in count(first):
            year, month = divmod(origin + number * step, 12)
            if not self.months or month + 1 in self.months:
                yield self._day_of_month(year, month + 1)

    def _day_of_month(self, year: int, month: int) -> date:
        # "31" is the last day of the month; a 29th or 30th that a month lacks is its last day too.
        wanted = self.start.day if self.day is None else min(self.day, _ULTIMO)
        return date(year, month, min(wanted, monthrange(year, month)[1]))

    def _moved(self, nominal: date) -> date:
        if self.execution_rule is None:
            return nominal
        return business_day(nominal) if self.execution_rule is ExecutionRule.FOLLOWING else _business_day_before(nominal)


def _business_day_before(day: date) -> date:
    """Return this day, or the last business day before it."""
    while not is_business_day(day):
        day -= timedelta(days=1)
    return day
