"""Durations as ISO 8601 writes them (`P1M`, `P2DT12H`), added to a moment: a month is as long as the calendar says."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_FORM: Final = re.compile(
    r"P(?=[0-9T])(?:(?P<years>[0-9]{1,3})Y)?(?:(?P<months>[0-9]{1,4})M)?(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,7})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?",
    re.ASCII,
)
_MONTHS_A_YEAR: Final = 12


class InvalidDuration(ValueError):
    """A text that is no duration, or one of nothing."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar months, and a time beside them."""

    months: int
    rest: timedelta

    @staticmethod
    def parse(text: str) -> Duration:
        """Read a duration; raises `InvalidDuration`."""
        match = _FORM.fullmatch(text)
        if match is None:
            msg = f"{text[:40]!r} is no ISO 8601 duration: write one such as P1D, P1M or PT12H30M"
            raise InvalidDuration(msg)
        parts = {name: int(value or 0) for name, value in match.groupdict().items()}
        months = parts.pop("years") * _MONTHS_A_YEAR + parts.pop("months")
        duration = Duration(months, timedelta(**parts))
        if not months and not duration.rest:
            msg = f"{text!r} is a duration of nothing: the clock would stay where it is"
            raise InvalidDuration(msg)
        return duration

    def after(self, moment: datetime) -> datetime:
        """Return the moment that follows by this duration; the 31st becomes the last of a shorter month.

        Raises `InvalidDuration` where the calendar ends.
        """
        years, month = divmod(moment.month - 1 + self.months, _MONTHS_A_YEAR)
        try:
            last = calendar.monthrange(moment.year + years, month + 1)[1]
            shifted = moment.replace(year=moment.year + years, month=month + 1, day=min(moment.day, last))
            return shifted + self.rest
        except (ValueError, OverflowError) as error:
            msg = "leads past the end of the calendar"
            raise InvalidDuration(msg) from error
