"""Time as a dependency: services are given a clock, and only this module reads the wall."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import timedelta


class Clock(Protocol):
    """Tells the time; always an aware datetime in UTC."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved: for tests and dry runs."""

    def __init__(self, at: datetime) -> None:
        """Start at `at`; a naive datetime raises `ValueError`."""
        if at.tzinfo is None:
            msg = f"a clock needs an aware datetime, got the naive {at.isoformat()}: add tzinfo=UTC"
            raise ValueError(msg)
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the time the clock stands at."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`, which may be negative."""
        self._at += by
