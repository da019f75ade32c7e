"""The schedule on real engines: several processes, killed at any moment, do each task exactly once and in order."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from bank_backend.accounts.store import accounts
from bank_backend.ledger.tables import entries, postings
from bank_backend.schedule.model import TaskKind
from bank_backend.schedule.store import SqlScheduleStore, scheduled_tasks
from bank_backend.schedule.wiring import create_scheduler
from tests.support.at_once import at_once
from tests.support.bank_core import ANNA, JONAS, NOW, OTHER_TENANT, TENANT, SeededBank, lent_bank
from tests.support.bank_server import bank_server
from tests.support.ports import wait_until
from tests.support.processes import fork_server
from tests.support.schedule_worker import run_schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime
    from pathlib import Path

    from bank_backend.database import Connection
    from psd2.ids import TenantId
    from tests.support.databases import Databases

PROCESSES, TASKS, MOST_KILLS = 3, 80, 5
BETWEEN_KILLS_SECONDS, MOST_SECONDS = 0.25, 90.0
PAY = TaskKind.EXECUTE_PAYMENT


@pytest.fixture
def bank(databases: Databases) -> Iterator[SeededBank]:
    """Lend a seeded bank on each engine, with nothing to do yet."""
    bank = lent_bank(databases)
    with bank.database.writing() as connection:
        connection.execute(scheduled_tasks.delete())
    yield bank
    bank.database.engine.dispose()


def plan(bank: SeededBank, *tasks: tuple[TenantId, str, datetime]) -> None:
    with bank.database.writing() as connection:
        for tenant, resource, due in tasks:
            bank.services.schedule.add(connection, tenant=tenant, kind=PAY, resource=resource, due=due)


def left(bank: SeededBank) -> int:
    with bank.database.reading() as connection:
        return len(connection.execute(select(scheduled_tasks.c.resource)).all())


class Worker:
    """A process that runs the schedule."""

    def __init__(self, url: str) -> None:
        """Start it, and wait until it runs."""
        forking = fork_server()
        running = forking.Event()
        self._process = forking.Process(target=run_schedule, args=(url, running), daemon=True)
        self._process.start()
        assert running.wait(MOST_SECONDS)

    def kill(self) -> None:
        """End it wherever it stands (SIGKILL)."""
        self._process.kill()
        self._process.join(MOST_SECONDS)


def test_tasks_are_done_once_whatever_is_killed(bank: SeededBank) -> None:
    """Every account is credited once for each of its tasks, in their order, though no process lived to see the end."""
    ibans = {tenant: bank.account(ANNA, tenant=tenant).iban for tenant in (TENANT, OTHER_TENANT)}
    due = NOW - timedelta(days=1)
    plan(
        bank,
        *(
            (tenant, f"{iban}:{number:04}", due + timedelta(seconds=number))
            for tenant, iban in ibans.items()
            for number in range(TASKS // 2)
        ),
    )
    url = bank.database.engine.url.render_as_string(hide_password=False)
    with ThreadPoolExecutor(PROCESSES) as pool:
        killed = kill_until(lambda: left(bank) == 0, lambda: pool.submit(Worker, url))

    sys.stdout.write(f"{TASKS} tasks, {killed} processes killed\n")
    for tenant in ibans:
        assert credits_of(bank, tenant) == [f"{number:04}" for number in range(TASKS // 2)]
    with bank.database.reading() as connection:
        assert bank.services.ledger.reconcile(connection).is_right


def kill_until(is_done: Callable[[], bool], begin: Callable[[], Future[Worker]]) -> int:
    """Kill one process after another, each followed by a new one, until all is done; returns how many died of it."""
    killed, workers, deadline = 0, [begin() for _ in range(PROCESSES)], time.monotonic() + MOST_SECONDS
    while not is_done():
        assert time.monotonic() < deadline, "tasks are left"
        time.sleep(BETWEEN_KILLS_SECONDS)
        running = [worker for worker in workers if worker.done()]
        # One is left to go on with it: to begin takes a process a hundred times as long as a task.
        if len(running) > 1 and killed < MOST_KILLS:
            workers.remove(running[0])
            running[0].result().kill()
            workers.append(begin())
            killed += 1
    for worker in workers:
        worker.result(MOST_SECONDS).kill()
    return killed


def credits_of(bank: SeededBank, tenant: TenantId) -> list[str]:
    """Return what the schedule has credited, in the order of the account's book."""
    statement = (
        select(entries.c.remittance)
        .join(postings, postings.c.entry_id == entries.c.id)
        .where(entries.c.tenant == tenant, entries.c.debtor_name == "Schedule")
        .where(postings.c.account_id == bank.account(ANNA, tenant=tenant).id)
        .order_by(postings.c.number)
    )
    with bank.database.reading() as connection:
        return list(connection.execute(statement).scalars())


def test_runners_at_the_same_time_share_the_work(bank: SeededBank) -> None:
    """Asked at once by six threads, each task is done by one of them."""
    done: Counter[str] = Counter()
    lock = threading.Lock()

    def note(connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        del connection, tenant, now
        with lock:
            done[resource] += 1

    database, clock = bank.database, bank.services.clock
    scheduler = create_scheduler(database, clock=clock, real=bank.clock, tasks={PAY: note})
    plan(bank, *((TENANT, f"task-{number}", NOW) for number in range(40)))

    counts = at_once(*[lambda: scheduler.run_due(TENANT)] * 3, *[scheduler.run_pass] * 3)

    assert sum(count for count in counts if isinstance(count, int)) == 40
    assert done == {f"task-{number}": 1 for number in range(40)}


def test_who_asks_waits_for_who_is_at_it(bank: SeededBank) -> None:
    """When a clock has been put forward and the call returns, what was due has happened: also what another runner did."""
    began, may_end = threading.Event(), threading.Event()
    order: list[str] = []

    def slow(connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        del connection, tenant, now
        began.set()
        assert may_end.wait(MOST_SECONDS)
        order.append(resource)

    scheduler = create_scheduler(bank.database, clock=bank.services.clock, real=bank.clock, tasks={PAY: slow})
    plan(bank, (TENANT, "rent", NOW))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(scheduler.run_due, TENANT)
        assert began.wait(MOST_SECONDS)
        second = pool.submit(lambda: (scheduler.run_due(TENANT), list(order)))
        may_end.set()

        assert first.result(MOST_SECONDS) == 1
        assert second.result(MOST_SECONDS) == (0, ["rent"])


def test_a_busy_tenant_holds_up_nobody_else(bank: SeededBank) -> None:
    """In the background a tenant whose turn is taken is passed over; on SQLite whoever writes is alone anyhow."""
    if bank.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    done: list[TenantId] = []

    def note(connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        del connection, resource, now
        done.append(tenant)

    scheduler = create_scheduler(bank.database, clock=bank.services.clock, real=bank.clock, tasks={PAY: note})
    plan(bank, (TENANT, "mine", NOW), (OTHER_TENANT, "theirs", NOW))
    with bank.database.writing() as connection:
        assert SqlScheduleStore().take_turn(connection, TENANT, waits=True)

        assert scheduler.run_pass() == 1

    assert done == [OTHER_TENANT]
    assert scheduler.run_pass() == 1


def test_withdrawing_while_it_runs_deadlocks_nobody(bank: SeededBank) -> None:
    """Who withdraws locks the resource first and the schedule last, and so does who runs: one waits for the other."""
    if bank.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    account = bank.account(JONAS)
    locked = threading.Barrier(2)

    def pay(connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        del now
        locked.wait(MOST_SECONDS)
        _lock(connection, tenant, resource)

    def withdraw() -> None:
        with bank.database.writing() as connection:
            _lock(connection, TENANT, account.id)
            locked.wait(MOST_SECONDS)
            bank.services.schedule.cancel(connection, tenant=TENANT, kind=PAY, resource=account.id)

    scheduler = create_scheduler(bank.database, clock=bank.services.clock, real=bank.clock, tasks={PAY: pay})
    plan(bank, (TENANT, account.id, NOW))

    outcomes = at_once(lambda: scheduler.run_due(TENANT), withdraw)

    assert outcomes == [1, None]
    wait_until(lambda: left(bank) == 0, seconds=30, what="an empty schedule")


def _lock(connection: Connection, tenant: TenantId, account_id: str) -> None:
    statement = select(accounts.c.id).where(accounts.c.tenant == tenant, accounts.c.id == account_id).with_for_update()
    connection.execute(statement)


def test_a_running_bank_does_what_is_due_and_ends_cleanly(bank: SeededBank, tmp_path: Path) -> None:
    """Its processes look by themselves; asked to end, they do so within seconds, the schedule's threads with them."""
    url = bank.database.engine.url.render_as_string(hide_password=False)
    with bank_server(tmp_path, url) as server:
        with bank.database.writing() as connection:
            # Of a kind that nobody does: that it was tried can be seen.
            row = {"tenant": TENANT, "kind": "future", "resource": "x", "due_at": 0, "failures": 0, "retry_at": 0, "error": ""}
            connection.execute(scheduled_tasks.insert().values(row))
        wait_until(lambda: _failures(bank) > 0, seconds=30, what="the task's first try")

        began = time.monotonic()
        server.process.terminate()
        assert server.process.wait(MOST_SECONDS) == 0
        assert time.monotonic() - began < 25  # gunicorn ends what does not end by itself after 30


def _failures(bank: SeededBank) -> int:
    with bank.database.reading() as connection:
        return int(connection.execute(select(scheduled_tasks.c.failures)).scalar_one())
