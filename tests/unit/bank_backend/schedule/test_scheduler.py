"""What is due is done: once, in order, by the tenant's clock, whatever fails beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bank_backend.schedule.model import ScheduledTask, TaskKind, retry_pause
from bank_backend.schedule.scheduler import Scheduler
from bank_backend.schedule.store import SqlScheduleStore
from bank_backend.tenants.clock import TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from bank_backend.tenants.tables import tenants
from tests.support.bank_core import NOW, OTHER_TENANT, TENANT, SeededBank

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from bank_backend.schedule.model import Task
    from psd2.ids import TenantId

PAY, EXPIRE = TaskKind.EXECUTE_PAYMENT, TaskKind.EXPIRE_CONSENT
HOUR = timedelta(hours=1)


class BrokenTaskError(RuntimeError):
    """What a failing task raises."""


@dataclass
class Diary:
    """A bank's schedule with handlers that note what they are told, in the database and so undone with it."""

    bank: SeededBank
    broken: set[str] = field(default_factory=set)
    seconds_a_task: float = 0.0

    def __post_init__(self) -> None:
        database = self.bank.database
        self.clocks = TenantClocks(real=self.bank.clock, offsets=SqlOffsets(database))
        tasks: dict[TaskKind, Task] = {PAY: self._note, EXPIRE: self._note}
        self.scheduler = Scheduler(
            database=database, store=SqlScheduleStore(), clock=self.clocks, real=self.bank.clock, tasks=tasks
        )

    def _note(self, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        time.sleep(self.seconds_a_task)
        text = f"{resource}@{(now - NOW) / HOUR:g}"
        told = connection.execute(select(tenants.c.name).where(tenants.c.id == tenant)).scalar_one()
        connection.execute(tenants.update().where(tenants.c.id == tenant).values(name=f"{told} {text}"))
        if resource in self.broken:
            raise BrokenTaskError(f"{resource} is broken")
        if resource.startswith("monthly") and now < NOW + 4 * HOUR:
            self.add(resource, now + HOUR, tenant=tenant, connection=connection)

    def add(
        self,
        resource: str,
        due: datetime,
        *,
        tenant: TenantId = TENANT,
        kind: TaskKind = PAY,
        connection: Connection | None = None,
    ) -> None:
        if connection is not None:
            self.bank.services.schedule.add(connection, tenant=tenant, kind=kind, resource=resource, due=due)
            return
        with self.bank.database.writing() as writing:
            self.add(resource, due, tenant=tenant, kind=kind, connection=writing)

    def advance(self, by: timedelta, *, tenant: TenantId = TENANT) -> None:
        with self.bank.database.writing() as connection:
            self.clocks.advance(connection, tenant, by)

    def done(self, tenant: TenantId = TENANT) -> list[str]:
        """Return what has been noted, each with its due hour."""
        with self.bank.database.reading() as connection:
            name = str(connection.execute(select(tenants.c.name).where(tenants.c.id == tenant)).scalar_one())
        return name.removeprefix("Fintech Example").split()

    def waiting(self, tenant: TenantId = TENANT) -> list[ScheduledTask]:
        with self.bank.database.reading() as connection:
            return list(self.bank.services.schedule.upcoming(connection, tenant))


@pytest.fixture
def diary(bank: SeededBank) -> Diary:
    """Lend a schedule."""
    with bank.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM scheduled_tasks")
    return Diary(bank)


def test_what_is_due_is_done_in_order_and_told_its_own_moment(diary: Diary) -> None:
    """A clock put forward by hours does the hours' tasks as if each had been done when it was due."""
    for resource, hours in (("third", 3), ("first", 1), ("second", 2), ("later", 9)):
        diary.add(resource, NOW + hours * HOUR)
    assert diary.scheduler.run_due(TENANT) == 0

    diary.advance(5 * HOUR)

    assert diary.scheduler.run_due(TENANT) == 3
    assert diary.done() == ["first@1", "second@2", "third@3"]
    assert [task.resource for task in diary.waiting()] == ["later"]


def test_a_task_is_done_once(diary: Diary) -> None:
    """Done is gone; and the same task added twice is one."""
    diary.add("rent", NOW)
    diary.add("rent", NOW)

    assert [diary.scheduler.run_due(TENANT) for _ in range(3)] == [1, 0, 0]
    assert diary.done() == ["rent@0"]


def test_a_task_may_schedule_the_next_one(diary: Diary) -> None:
    """What repeats adds itself anew, and a clock put forward catches up with all of it."""
    diary.add("monthly-rent", NOW + HOUR)
    diary.advance(9 * HOUR)

    assert diary.scheduler.run_due(TENANT) == 4
    assert diary.done() == [f"monthly-rent@{hour}" for hour in range(1, 5)]


def test_tenants_have_their_own_time(diary: Diary) -> None:
    """One tenant's clock makes nothing of another's due, in the background neither."""
    diary.add("mine", NOW + HOUR)
    diary.add("theirs", NOW + HOUR, tenant=OTHER_TENANT)
    diary.advance(2 * HOUR)

    assert diary.scheduler.run_pass() == 1
    assert (diary.done(), diary.done(OTHER_TENANT)) == (["mine@1"], [])

    diary.bank.clock.advance(2 * HOUR)

    assert diary.scheduler.run_pass() == 1
    assert diary.done(OTHER_TENANT) == ["theirs@1"]


def test_a_tenant_full_of_slow_tasks_lets_the_next_one_pass(diary: Diary) -> None:
    """Its turn ends after a second: what is left waits for the next one."""
    diary.seconds_a_task = 0.4
    for number in range(8):
        diary.add(f"bulk{number}", NOW)
    diary.add("rent", NOW, tenant=OTHER_TENANT)

    diary.scheduler.run_pass()

    assert len(diary.done()) < 8
    assert len(diary.waiting(OTHER_TENANT)) == 0


def test_what_was_cancelled_is_not_done(diary: Diary) -> None:
    """At none of its moments; tasks of another kind or resource stay."""
    diary.add("rent", NOW)
    diary.add("rent", NOW + HOUR)
    diary.add("rent", NOW, kind=EXPIRE)
    diary.add("gas", NOW)
    with diary.bank.database.writing() as connection:
        diary.bank.services.schedule.cancel(connection, tenant=TENANT, kind=PAY, resource="rent")

    diary.bank.clock.advance(2 * HOUR)

    assert diary.scheduler.run_due(TENANT) == 2
    assert sorted(diary.done()) == ["gas@0", "rent@0"]


def test_a_failing_task_stops_nobody_and_leaves_no_trace(diary: Diary) -> None:
    """What it did is undone; the others are done; it is recorded with its reason."""
    diary.broken = {"bad"}
    diary.add("bad", NOW)
    diary.add("good", NOW + HOUR)
    diary.bank.clock.advance(2 * HOUR)

    assert diary.scheduler.run_due(TENANT) == 1

    assert diary.done() == ["good@1"]
    (task,) = diary.waiting()
    assert (task.resource, task.failures, task.error) == ("bad", 1, "BrokenTaskError: bad is broken")


def test_a_failing_task_does_not_spin(diary: Diary) -> None:
    """It rests, longer each time, and is done as soon as it can be."""
    diary.broken = {"bad"}
    diary.add("bad", NOW)
    for _ in range(20):
        diary.scheduler.run_pass()
    assert diary.waiting()[0].failures == 1

    for failures in (2, 3):
        diary.bank.clock.advance(retry_pause(failures - 1))
        diary.scheduler.run_pass()
        diary.scheduler.run_pass()
        assert diary.waiting()[0].failures == failures

    diary.broken = set()
    diary.bank.clock.advance(retry_pause(3))
    assert diary.scheduler.run_pass() == 1
    assert (diary.done(), diary.waiting()) == (["bad@0"], [])


def test_a_task_that_nobody_can_do_is_recorded(diary: Diary) -> None:
    """Written by other code than this: it waits, and says why."""
    diary.add("card", NOW, kind=TaskKind.SETTLE_CARD)

    assert diary.scheduler.run_due(TENANT) == 0
    assert diary.waiting()[0].error == "LookupError: nothing here does 'settle-card'"


def test_pauses_double_up_to_five_minutes() -> None:
    """One second, two, four, … and never longer than five minutes."""
    assert [retry_pause(failures).total_seconds() for failures in (1, 2, 3, 9, 99)] == [1, 2, 4, 256, 300]


def test_nothing_due_is_found_out_by_the_index(diary: Diary) -> None:
    """A pass reads no task that isn't due, however many there are."""
    with diary.bank.database.writing() as connection:
        for number in range(50):
            diary.add(f"later-{number}", NOW + HOUR, connection=connection)
    with diary.bank.database.reading() as connection:
        if connection.dialect.name != "sqlite":
            pytest.skip("the plan is SQLite's")
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM tenants WHERE EXISTS (SELECT 1 FROM scheduled_tasks s WHERE s.tenant = "
            "tenants.id AND s.due_at <= 1 + tenants.clock_offset_seconds AND s.retry_at <= 1)"
        ).all()

    assert any("ix_scheduled_tasks_due (tenant=? AND due_at<?)" in row.detail for row in plan)
