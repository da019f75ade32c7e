"""Each tenant's own time: the real one, moved forward as far as its TPP has wished.

Whatever the bank judges by time (validity, windows, schedules, booking dates, locks) it judges by this.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.database import Connection
    from psd2.clock import Clock
    from psd2.ids import TenantId


class TenantClock(Protocol):
    """Tells a tenant's time; always an aware datetime in UTC."""

    def now(self, tenant: TenantId, connection: Connection | None = None) -> datetime:
        """Return the tenant's time; inside a transaction pass its connection, so that no second one is taken."""


class Offsets(Protocol):
    """Where it is kept how far each tenant's clock is ahead."""

    def offset(self, tenant: TenantId, connection: Connection | None = None) -> timedelta:
        """Return how far the tenant's clock is ahead; zero for an unknown tenant."""

    def move(self, connection: Connection, tenant: TenantId, by: timedelta) -> None:
        """Put the tenant's clock forward by whole seconds, in one step that no other one overwrites."""


class ClockMovesBack(ValueError):
    """A move into the past: what has been booked and decided there can't become undone."""


class TenantClocks:
    """The clocks of all tenants: implements `TenantClock`."""

    def __init__(self, *, real: Clock, offsets: Offsets) -> None:
        """Add `offsets` to the time of `real`."""
        self._real = real
        self._offsets = offsets

    def now(self, tenant: TenantId, connection: Connection | None = None) -> datetime:
        """Return the tenant's time; inside a transaction pass its connection, so that no second one is taken."""
        return self._real.now() + self._offsets.offset(tenant, connection)

    def advance(self, connection: Connection, tenant: TenantId, by: timedelta) -> datetime:
        """Put the tenant's clock forward by whole seconds and return its new time; raises `ClockMovesBack`."""
        whole = timedelta(seconds=int(by.total_seconds()))
        if whole < timedelta(0):
            msg = "a tenant's clock only moves forward: restore a snapshot to go back"
            raise ClockMovesBack(msg)
        self._offsets.move(connection, tenant, whole)
        return self.now(tenant, connection)
