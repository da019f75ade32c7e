"""Moving a tenant's clock; what was due until then has happened when the answer comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.database import one_at_a_time
from bank_backend.errors import FieldsInvalid
from bank_backend.tenants.durations import InvalidDuration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bank_backend.database import Database
    from bank_backend.tenants.clock import TenantClocks
    from bank_backend.tenants.durations import Duration
    from psd2.clock import Clock
    from psd2.ids import TenantId

# As far as a TPP's tests look: long-lived standing orders and consents end before.
FURTHEST_AHEAD: Final = timedelta(days=3_660)


class Scheduler(Protocol):
    """Runs what is due. Implemented by `bank_backend.schedule`."""

    def run_due(self, tenant: TenantId) -> int:
        """Run all that is due by the tenant's clock, in order; returns how much it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """What a tenant's clock shows, and what the real one does; `tasks_run` is what happened because it was moved."""

    now: datetime
    real: datetime
    tasks_run: int = 0

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead; negative after a restore of something older."""
        return self.now - self.real


class TenantTime:
    """Shows and moves the clocks of tenants; each question names the tenant it is about."""

    def __init__(self, *, database: Database, clocks: TenantClocks, scheduler: Scheduler, real: Clock) -> None:
        """Move `clocks`, then let `scheduler` run."""
        self._database = database
        self._clocks = clocks
        self._scheduler = scheduler
        self._real = real

    def reading(self, tenant: TenantId, *, tasks_run: int = 0) -> ClockReading:
        """Return what the tenant's clock shows."""
        return ClockReading(now=self._clocks.now(tenant), real=self._real.now(), tasks_run=tasks_run)

    def advance(self, tenant: TenantId, by: Duration) -> ClockReading:
        """Put the clock forward; raises `FieldsInvalid`."""
        try:
            return self._move(tenant, by.after, field="by")
        except InvalidDuration as error:
            raise FieldsInvalid({"by": str(error)}) from None

    def set(self, tenant: TenantId, to: datetime) -> ClockReading:
        """Put the clock to a time; raises `FieldsInvalid` for one that lies before what it shows, or too far ahead."""
        return self._move(tenant, lambda _now: to, field="now")

    def _move(self, tenant: TenantId, target: Callable[[datetime], datetime], *, field: str) -> ClockReading:
        with self._database.writing() as connection:
            one_at_a_time(connection, "clock", tenant)
            now = self._clocks.now(tenant, connection)
            to = target(now)
            self._require_movable(now, to, field=field)
            # Up to whole seconds: a clock that is set to the moment at which something is due has reached it.
            self._clocks.advance(connection, tenant, timedelta(seconds=ceil((to - now).total_seconds())))
        # Outside of the transaction: each task is one of its own, and the clock stands where it was put whatever fails.
        return self.reading(tenant, tasks_run=self._scheduler.run_due(tenant))

    def _require_movable(self, now: datetime, to: datetime, *, field: str) -> None:
        if to <= now:
            reason = (
                f"{_shown(to)} does not lie after what the clock shows, {_shown(now)}: it only moves forward, for what was "
                "booked can't be undone; restore a snapshot to go back"
            )
            raise FieldsInvalid({field: reason})
        furthest = self._real.now() + FURTHEST_AHEAD
        if to > furthest:
            raise FieldsInvalid({field: f"leads to {_shown(to)}: the clock goes as far as {_shown(furthest)}"})


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
