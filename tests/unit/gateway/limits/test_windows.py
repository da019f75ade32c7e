"""Calendar periods in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.limits.model import Period
from gateway.limits.windows import window_of


@pytest.mark.parametrize(
    ("period", "now", "begin", "end"),
    [
        (Period.MINUTE, "2026-11-22T19:40:59.9", "2026-11-22T19:40", "2026-11-22T19:41"),
        (Period.HOUR, "2026-11-22T23:59:59", "2026-11-22T23:00", "2026-11-23T00:00"),
        (Period.DAY, "2028-02-28T12:00", "2028-02-28T00:00", "2028-02-29T00:00"),
        (Period.WEEK, "2026-11-22T19:40", "2026-11-16T00:00", "2026-11-23T00:00"),
        (Period.WEEK, "2026-11-23T00:00", "2026-11-23T00:00", "2026-11-30T00:00"),
        (Period.MONTH, "2028-02-29T23:59", "2028-02-01T00:00", "2028-03-01T00:00"),
        (Period.MONTH, "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
    ],
)
def test_a_window_is_the_calendar_period(period: Period, now: str, begin: str, end: str) -> None:
    """A leap day, a year's end, a week that begins on Monday."""
    assert window_of(period, _epoch(now)) == (_epoch(begin), _epoch(end))


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
