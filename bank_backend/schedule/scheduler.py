"""Does what is due, exactly once: a task's effect and its removal are one transaction, one runner at a time for a tenant.

Whatever is killed when, a task is either done and gone or neither.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.schedule.model import ScheduledTask, retry_pause
from chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bank_backend.database import Connection, Database
    from bank_backend.schedule.model import Task, TaskKind
    from bank_backend.tenants.clock import TenantClock
    from psd2.clock import Clock
    from psd2.ids import TenantId

# A tenant's clock may be put forward by years: what is left over is done by the background runner.
_MOST_TASKS, _MOST_SECONDS = 10_000, 20.0
# What one tenant may have done in a pass before the next tenant's turn.
_MOST_TASKS_A_TURN, _MOST_SECONDS_A_TURN = 50, 1.0
_MOST_ERROR_CHARACTERS: Final = 300


class TaskStore(Protocol):
    """Where tasks are kept; each call works inside the caller's transaction."""

    def next_due(self, connection: Connection, tenant: TenantId, *, now: datetime, real_now: datetime) -> ScheduledTask | None:
        """Return the first task that is due by the tenant's time and doesn't rest after a failure, or None."""

    def tenants_with_due(self, connection: Connection, *, real_now: datetime) -> Sequence[TenantId]:
        """Return the tenants that have something due by their own clocks."""

    def take_turn(self, connection: Connection, tenant: TenantId, *, waits: bool) -> bool:
        """Be the only one to do this tenant's tasks until the transaction ends; False where that would mean waiting."""

    def remove(self, connection: Connection, task: ScheduledTask) -> None:
        """Remove a task."""

    def note_failure(self, connection: Connection, task: ScheduledTask, *, retry_at: datetime, error: str) -> int:
        """Record that a task has failed once more and when it is tried again; returns how often it has by now."""


class Scheduler:
    """Runs tasks, of one tenant when asked and of all tenants in the background."""

    def __init__(
        self,
        *,
        database: Database,
        store: TaskStore,
        clock: TenantClock,
        real: Clock,
        tasks: Mapping[TaskKind, Task],
    ) -> None:
        """Run `tasks` by each tenant's `clock`; the `real` one says when a failed one is tried again."""
        self._database = database
        self._store = store
        self._clock = clock
        self._real = real
        self._tasks = {kind.value: task for kind, task in tasks.items()}

    def run_due(self, tenant: TenantId) -> int:
        """Do all that is due for a tenant, in order, and return how much that was.

        When it returns, what was due has happened, but for tasks that fail and what goes beyond 10,000 tasks or 20 seconds.
        To be called outside of transactions.
        """
        return self._run(tenant, most=_MOST_TASKS, seconds=_MOST_SECONDS, waits=True)

    def run_pass(self) -> int:
        """Do what is due for all tenants, some of each, and return how much that was: cheap when nothing is."""
        with self._database.reading() as connection:
            waiting = self._store.tenants_with_due(connection, real_now=self._real.now())
        turns = (self._run(tenant, most=_MOST_TASKS_A_TURN, seconds=_MOST_SECONDS_A_TURN, waits=False) for tenant in waiting)
        return sum(turns)

    def _run(self, tenant: TenantId, *, most: int, seconds: float, waits: bool) -> int:
        done, ends = 0, time.monotonic() + seconds
        for _ in range(most):
            if time.monotonic() > ends:
                break
            outcome = self._run_next(tenant, waits=waits)
            if outcome is None:
                break
            done += outcome
        return done

    def _run_next(self, tenant: TenantId, *, waits: bool) -> bool | None:
        """Do the tenant's next task; tells whether that went well, None where nothing is due or another runner is at it."""
        task = None
        try:
            with self._database.writing() as connection:
                if not self._store.take_turn(connection, tenant, waits=waits):
                    return None
                now = self._clock.now(tenant, connection)
                task = self._store.next_due(connection, tenant, now=now, real_now=self._real.now())
                if task is None:
                    return None
                self._do(connection, task)
        except Exception as error:
            if task is None:
                raise
            self._note_failure(task, error)
            return False
        if task.failures:
            get_logger().info("task.done_at_last", **_named(task), failures=task.failures)
        return True

    def _do(self, connection: Connection, task: ScheduledTask) -> None:
        handler = self._tasks.get(task.kind)
        if handler is None:
            msg = f"nothing here does {task.kind!r}"
            raise LookupError(msg)
        handler(connection, task.tenant, task.resource, task.due)
        # Last, as whoever withdraws a resource does: it locks the resource first, and then what is scheduled for it.
        self._store.remove(connection, task)

    def _note_failure(self, task: ScheduledTask, error: Exception) -> None:
        """Record it, in a transaction of its own; raises where the database can't even do that."""
        # The first line: a database's error goes on with its statement.
        text = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"[:_MOST_ERROR_CHARACTERS]
        retry_at = self._real.now() + retry_pause(task.failures + 1)
        with self._database.writing() as connection:
            failures = self._store.note_failure(connection, task, retry_at=retry_at, error=text)
        # None: it was withdrawn meanwhile, which may be what it failed on.
        if failures:
            get_logger().warning("task.failed", **_named(task), failures=failures, error=text)


def _named(task: ScheduledTask) -> dict[str, str]:
    return {"kind": task.kind, "tenant": task.tenant, "resource": task.resource, "due": task.due.isoformat()}
