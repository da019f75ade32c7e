"""Empties the outbox: at least once, a resource's notifications in their order, a failing receiver ever more rarely.

A notification is taken by a lease, so that several processes share the work, and one that was killed is replaced.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.notifications.model import GIVE_UP_AFTER, State, pause_after
from bank_backend.notifications.posting import NotDelivered
from chassis.logs import get_logger

if TYPE_CHECKING:
    from bank_backend.database import Database
    from bank_backend.notifications.model import Notification
    from bank_backend.notifications.store import SqlOutbox
    from psd2.clock import Clock

_MOST_AT_ONCE: Final = 4
# One TPP's receivers that don't answer must not hold up everybody else's.
_MOST_OF_A_TENANT: Final = 2
# Longer than a try can take.
_LEASE: Final = timedelta(seconds=60)


class Sender(Protocol):
    """Sends a notification."""

    def send(self, notification: Notification) -> str:
        """Send it and return what was answered; raises `NotDelivered`."""


class Delivery:
    """Sends what waits, a few at a time."""

    def __init__(self, *, database: Database, outbox: SqlOutbox, sender: Sender, clock: Clock) -> None:
        """Send from `outbox`; `clock` is the real time."""
        self._database, self._outbox, self._sender, self._clock = database, outbox, sender, clock
        self._pool = ThreadPoolExecutor(max_workers=_MOST_AT_ONCE, thread_name_prefix="notifications")
        self._under_way: dict[Future[None], Notification] = {}

    def run_due(self) -> int:
        """Send what is due now, and wait until it is; returns how many tries were made."""
        tries = 0
        while started := self._start_due():
            tries += started
            wait(self._under_way)
            self._forget_finished()
        return tries

    def run_pass(self) -> int:
        """Begin to send what is due, without waiting; returns how many tries were begun."""
        self._forget_finished()
        return self._start_due()

    def _start_due(self) -> int:
        taken = self._take(_MOST_AT_ONCE - len(self._under_way))
        for notification in taken:
            self._under_way[self._pool.submit(self._deliver, notification)] = notification
        return len(taken)

    def _forget_finished(self) -> None:
        for future in [each for each in self._under_way if each.done()]:
            del self._under_way[future]

    def _take(self, most: int) -> list[Notification]:
        now = self._clock.now().timestamp()
        if most <= 0:
            return []
        with self._database.reading() as connection:
            candidates = [
                each
                for tenant in self._outbox.due_tenants(connection, now)
                for each in self._outbox.due(connection, tenant, now, most=_MOST_OF_A_TENANT - self._busy_with(tenant))
            ][:most]
        return [each for each in candidates if self._lease(each, now)]

    def _busy_with(self, tenant: str) -> int:
        return min(_MOST_OF_A_TENANT, sum(each.tenant == tenant for each in self._under_way.values()))

    def _lease(self, notification: Notification, now: float) -> bool:
        with self._database.writing() as connection:
            until = now + _LEASE.total_seconds()
            return self._outbox.lease(connection, notification.number, now=now, until=until)

    def _deliver(self, notification: Notification) -> None:
        try:
            settled: dict[str, object] = {"state": State.DELIVERED.value, "outcome": self._sender.send(notification)}
        except NotDelivered as failure:
            settled = self._postponed(notification, str(failure))
        except Exception as error:  # noqa: BLE001 - a fault of ours: the notification is tried again
            get_logger().error("notifications.failed", request=notification.request_id, exc_info=error)
            settled = self._postponed(notification, "the bank failed to send it")
        with self._database.writing() as connection:
            changes = settled | {"attempts": notification.attempts + 1}
            self._outbox.settle(connection, notification.number, changes)
            self._outbox.forget_old(connection, notification.tenant)

    def _postponed(self, notification: Notification, failure: str) -> dict[str, object]:
        next_at = self._clock.now() + pause_after(notification.attempts + 1)
        if next_at > notification.created_at + GIVE_UP_AFTER:
            return {"state": State.ABANDONED.value, "outcome": failure[:400]}
        return {"state": State.WAITING.value, "outcome": failure[:400], "next_at": next_at.timestamp()}
