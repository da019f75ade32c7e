"""Builds the schedule and who runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.schedule.scheduler import Scheduler
from bank_backend.schedule.service import Schedule
from bank_backend.schedule.store import SqlScheduleStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.database import Database
    from bank_backend.schedule.model import Task, TaskKind
    from bank_backend.tenants.clock import TenantClock
    from psd2.clock import Clock


def create_schedule() -> Schedule:
    """Return the schedule, to be filled by the domains."""
    return Schedule(SqlScheduleStore())


def create_scheduler(database: Database, *, clock: TenantClock, real: Clock, tasks: Mapping[TaskKind, Task]) -> Scheduler:
    """Return who does what is due; `tasks` are the domains' own."""
    return Scheduler(database=database, store=SqlScheduleStore(), clock=clock, real=real, tasks=tasks)
