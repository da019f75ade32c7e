"""What was pending is booked when its day has come: a card purchase, say, that its shop has sent in (BG IG 1.3.8 §14.23)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from bank_backend.ledger.model import Hold
    from bank_backend.ledger.service import Ledger
    from bank_backend.schedule.model import Task
    from psd2.ids import TenantId

_AT: Final = time(6, 0)


class PendingStore(Protocol):
    """Where what is pending is found."""

    def pending(self, connection: Connection, tenant: TenantId, hold_id: str) -> Hold | None:
        """Return an open hold; None where it has ended, or never was."""


class Clearing:
    """Books what was pending; `run` is the schedule's task, and the hold its resource."""

    def __init__(self, store: PendingStore, ledger: Ledger) -> None:
        """Find what is pending in `store`, book it in `ledger`."""
        self._store = store
        self._ledger = ledger

    @property
    def tasks(self) -> dict[TaskKind, Task]:
        """What the schedule does of it."""
        return {TaskKind.BOOK_PENDING: self.run}

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Book what is pending, unless it has ended otherwise meanwhile."""
        hold = self._store.pending(connection, tenant, resource)
        if hold is not None:
            self._ledger.clear(connection, hold, due)


def cleared_at(hold: Hold, *, planned_at: datetime) -> datetime:
    """Return when what is pending is booked: in the morning of its value date, on the next day where that has begun."""
    day = max(hold.value_date, planned_at.date() + timedelta(days=1))
    return datetime.combine(day, _AT, tzinfo=UTC)
