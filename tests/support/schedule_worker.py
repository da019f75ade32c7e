"""A process that does nothing but run a bank's schedule, until it is killed.

Each of its tasks credits an account with a cent, unguarded by any origin: what is done twice is there twice.
"""

from __future__ import annotations

import time
from multiprocessing import parent_process
from typing import TYPE_CHECKING

from bank_backend.database import Database
from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.orders import IncomingTransfer
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.store import SqlLedgerStore
from bank_backend.schedule.model import TaskKind
from bank_backend.schedule.runner import Runner
from bank_backend.schedule.wiring import create_scheduler
from bank_backend.tenants.clock import TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from chassis.sql.database import open_engine
from psd2.clock import SystemClock
from psd2.money import Money

if TYPE_CHECKING:
    from datetime import datetime
    from multiprocessing.synchronize import Event

    from bank_backend.database import Connection
    from psd2.ids import TenantId

# Long enough to be killed in the middle of.
_TASK_SECONDS = 0.02


def run_schedule(url: str, running: Event) -> None:
    """Say that it runs, and run what is due, again and again, until somebody ends the process."""
    database, clock = Database(open_engine(url)), SystemClock()
    ledger = Ledger(SqlLedgerStore(), rates=RATES)

    def credit(connection: Connection, tenant: TenantId, resource: str, now: datetime) -> None:
        iban, _, number = resource.partition(":")
        what = IncomingTransfer(
            tenant=tenant, creditor_iban=iban, amount=Money(1, "EUR"), debtor_name="Schedule", remittance=number
        )
        ledger.receive(connection, what, now)
        time.sleep(_TASK_SECONDS)

    clocks = TenantClocks(real=clock, offsets=SqlOffsets(database))
    scheduler = create_scheduler(database, clock=clocks, real=clock, tasks={TaskKind.EXECUTE_PAYMENT: credit})
    runner = Runner(scheduler.run_pass, every_seconds=0.02)
    runner.start()
    running.set()
    test = parent_process()
    assert test is not None
    test.join()
    runner.stop()
