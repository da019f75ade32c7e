"""Builds payments: what TPPs do with them, what PSUs decide, what the schedule carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.model import ResourceKind
from bank_backend.faults.service import Faults
from bank_backend.faults.store import SqlFaultStore
from bank_backend.notifications.watched import WatchedPaymentStore
from bank_backend.payments.approval import CancellationApproval, PaymentApproval
from bank_backend.payments.booking import Bookings
from bank_backend.payments.costs import Quotes
from bank_backend.payments.execution import Executions
from bank_backend.payments.service import Payments
from bank_backend.payments.standing_orders import PaymentStandingOrders
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bank_backend.authorisations.asks import Approvable, Approval
    from bank_backend.database import Connection
    from bank_backend.foundation import Foundation
    from bank_backend.schedule.model import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentParts:
    """All that the bank has of payments."""

    payments: Payments
    approvables: dict[ResourceKind, Approvable]
    lock_accounts: Callable[[Connection, Sequence[Approval], datetime], None]
    tasks: dict[TaskKind, Task]
    standing_orders: PaymentStandingOrders


def create_payments(base: Foundation) -> PaymentParts:
    """Build them, in transactions of the bank's database."""
    store, ledger, schedule = WatchedPaymentStore(base.changes), base.ledger, base.schedule
    faults = Faults(database=base.database, store=SqlFaultStore(), real=base.real)
    bookings = Bookings(store=store, ledger=ledger, faults=faults)
    executions = Executions(store=store, bookings=bookings, schedule=schedule)
    quotes = Quotes(store=store, ledger=ledger)
    approval = PaymentApproval(store=store, executions=executions, ledger=ledger)
    return PaymentParts(
        payments=Payments(database=base.database, store=store, executions=executions, quotes=quotes, clock=base.clock),
        approvables={
            ResourceKind.PIS: approval,
            ResourceKind.CANCELLATION: CancellationApproval(store=store, executions=executions),
        },
        lock_accounts=approval.lock_accounts,
        tasks={TaskKind.EXECUTE_PAYMENT: executions.execute_due, TaskKind.EXPIRE_PAYMENT: executions.expire_due},
        standing_orders=PaymentStandingOrders(store),
    )
