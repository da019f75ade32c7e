"""Builds payments: what TPPs do with them, what PSUs decide, what the schedule carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.faults.service import Faults
from bank_backend.faults.store import SqlFaultStore
from bank_backend.payments.approval import CancellationApproval, PaymentApproval
from bank_backend.payments.booking import Bookings
from bank_backend.payments.costs import Quotes
from bank_backend.payments.execution import Executions
from bank_backend.payments.service import Payments
from bank_backend.payments.standing_orders import PaymentStandingOrders
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from bank_backend.authorisations.asks import Approvable
    from bank_backend.database import Database
    from bank_backend.payments.ports import PaymentLedger, PaymentStore, Scheduling
    from bank_backend.schedule.model import Task
    from bank_backend.tenants.clock import TenantClock
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentParts:
    """All that the bank has of payments."""

    payments: Payments
    approvables: dict[ResourceKind, Approvable]
    tasks: dict[TaskKind, Task]
    standing_orders: PaymentStandingOrders


def create_payments(
    store: PaymentStore, database: Database, *, ledger: PaymentLedger, schedule: Scheduling, clock: TenantClock, real: Clock
) -> PaymentParts:
    """Build them on what is kept in `store`, in transactions of `database`."""
    faults = Faults(database=database, store=SqlFaultStore(), real=real)
    bookings = Bookings(store=store, ledger=ledger, faults=faults)
    executions = Executions(store=store, bookings=bookings, schedule=schedule)
    quotes = Quotes(store=store, ledger=ledger)
    return PaymentParts(
        payments=Payments(database=database, store=store, executions=executions, quotes=quotes, clock=clock),
        approvables={
            ResourceKind.PIS: PaymentApproval(store=store, executions=executions),
            ResourceKind.CANCELLATION: CancellationApproval(store=store, executions=executions),
        },
        tasks={TaskKind.EXECUTE_PAYMENT: executions.execute_due, TaskKind.EXPIRE_PAYMENT: executions.expire_due},
        standing_orders=PaymentStandingOrders(store),
    )
