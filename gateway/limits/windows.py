"""Calendar periods in UTC: when the one that a moment lies in began, and when it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from gateway.limits.model import Period

_LENGTHS: Final = {
    Period.MINUTE: timedelta(minutes=1),
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(days=1),
    Period.WEEK: timedelta(weeks=1),
}
_MONTH_SECONDS: Final = 30 * 86_400


def window_of(period: Period, now: float) -> tuple[float, float]:
    """Return begin and end of the period that `now` lies in; epoch seconds."""
    moment = datetime.fromtimestamp(now, UTC)
    if period is Period.MONTH:
        begin = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
        return begin.timestamp(), end.timestamp()
    begin = _begin_of(period, moment)
    return begin.timestamp(), (begin + _LENGTHS[period]).timestamp()


def nominal_seconds(period: Period) -> int:
    """Return how long the period is, a month as 30 days: for the `w` of RateLimit-Policy, which is a hint."""
    return _MONTH_SECONDS if period is Period.MONTH else int(_LENGTHS[period].total_seconds())


def _begin_of(period: Period, moment: datetime) -> datetime:
    minute = moment.replace(second=0, microsecond=0)
    if period is Period.MINUTE:
        return minute
    if period is Period.HOUR:
        return minute.replace(minute=0)
    day = minute.replace(hour=0, minute=0)
    return day if period is Period.DAY else day - timedelta(days=day.weekday())
