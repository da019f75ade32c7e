"""Carrying approved payments out: at once, on their day, occurrence by occurrence (BG IG 1.3.8 §4.14.1, §11.2).

Everything happens in the caller's transaction with the payment's row locked: money, executions and status change together.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bank_backend.payments.bodies import MOST_PAYMENTS
from bank_backend.payments.due import due_moment, midnight
from bank_backend.payments.model import BOOKED, UNDER_WAY, Execution, TransactionStatus, concluded
from bank_backend.payments.reasons import AUTHORISED_TOO_LATE, INSUFFICIENT_FUNDS
from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from bank_backend.database import Connection
    from bank_backend.payments.booking import Bookings
    from bank_backend.payments.model import Payment
    from bank_backend.payments.ports import PaymentStore, Scheduling
    from bank_backend.payments.reasons import RejectionReason
    from psd2.ids import AccountId, TenantId

_TRY_AGAIN: Final = timedelta(hours=1)
_S = TransactionStatus


class Executions:
    """Takes approved payments to their end."""

    def __init__(self, *, store: PaymentStore, bookings: Bookings, schedule: Scheduling) -> None:
        """Keep executions in `store`; what is not for now goes into `schedule`."""
        self._store = store
        self._bookings = bookings
        self._schedule = schedule

    def accept(self, connection: Connection, payment: Payment, debtor: AccountId, now: datetime) -> Payment:
        """Return an approved payment as it goes on: executed, waiting for its day, or rejected."""
        accepted = replace(payment.moved(_S.ACTC), debtor=debtor)
        self._drop(connection, payment, TaskKind.EXPIRE_PAYMENT)
        due = due_moment(accepted, now)
        if due is None:
            return accepted.rejected(AUTHORISED_TOO_LATE)
        if due <= now:
            return self._execute(connection, accepted, now)
        self._plan(connection, accepted, due)
        return accepted if payment.instruction.is_dated else self._promise(connection, accepted, now)

    def refused(self, connection: Connection, payment: Payment, reason: RejectionReason) -> Payment:
        """Return a payment that the PSU has turned down."""
        self._drop(connection, payment, TaskKind.EXPIRE_PAYMENT)
        return payment.rejected(reason)

    def received(self, connection: Connection, payment: Payment) -> None:
        """Have a new payment rejected unless it is approved in time."""
        self._schedule.add(
            connection, tenant=payment.tenant, kind=TaskKind.EXPIRE_PAYMENT, resource=payment.id, due=payment.decide_by
        )

    def execute_due(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Do what a payment has to do at `due`; nothing where it was cancelled meanwhile. A task of the schedule."""
        payment = self._store.find_locked(connection, tenant, resource)
        if payment is not None and payment.status in UNDER_WAY:
            self._store.save(connection, self._execute(connection, payment, due))

    def expire_due(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Reject a payment that nobody has approved by `due`. A task of the schedule."""
        payment = self._store.find_locked(connection, tenant, resource)
        if payment is not None and payment.is_undecided:
            self._store.save(connection, payment.settled(due))

    def cancelled(self, connection: Connection, payment: Payment, now: datetime) -> Payment:
        """Return the payment cancelled: nothing of it is due any more, what it has reserved is free (BG IG §5.6)."""
        cancelled = payment.moved(_S.CANC)
        for kind in (TaskKind.EXPIRE_PAYMENT, TaskKind.EXECUTE_PAYMENT):
            self._drop(connection, payment, kind)
        # A standing order's executions are over, each for itself: what it has paid stays paid.
        waiting = [each for each in self._known(connection, payment) if each.status in UNDER_WAY]
        withdrawn = [self._bookings.withdraw(connection, payment, each, now) for each in waiting]
        self._store.put_executions(connection, withdrawn)
        return cancelled

    def _execute(self, connection: Connection, payment: Payment, now: datetime) -> Payment:
        if payment.instruction.rule is not None:
            return self._execute_occurrence(connection, payment, now)
        known = {each.transfer: each for each in self._known(connection, payment)}
        due = _due(payment, known.values(), now.date())
        made = self._bookings.book(connection, payment, due, now)
        made = [_waiting(payment, each, now.date()) for each in made]
        self._store.put_executions(connection, made)
        so_far = _concluded(payment, (known | {each.transfer: each for each in made}).values())
        if so_far.status is _S.PDNG:
            self._plan(connection, payment, min(now + _TRY_AGAIN, midnight(now.date() + timedelta(days=1))))
        return so_far

    def _execute_occurrence(self, connection: Connection, payment: Payment, now: datetime) -> Payment:
        """Make one payment of a standing order. One that can't be made is recorded, and the order goes on (BG IG §5.3.4)."""
        rule, today = payment.required_rule, now.date()
        number = self._store.next_number(connection, payment)
        (made,) = self._bookings.book(connection, payment, [_blank(payment, number, 0, today)], now)
        self._store.put_executions(connection, [made])
        following = rule.first_from(today + timedelta(days=1))
        has_paid = self._store.has_booked(connection, payment)
        if following is not None:
            self._plan(connection, payment, midnight(following))
            return payment.moved(_S.ACSP) if has_paid else payment
        if has_paid:
            return payment.moved(made.status if made.status in BOOKED else _S.ACSC)
        return _concluded(payment, [made])

    def _promise(self, connection: Connection, payment: Payment, now: datetime) -> Payment:
        """Reserve the money of a payment that was to be made at once and has to wait for the next business day."""
        made = self._bookings.promise(connection, payment, _due(payment, (), now.date()), now)
        self._store.put_executions(connection, made)
        promised = _concluded(payment, made)
        if promised.is_final:
            self._drop(connection, payment, TaskKind.EXECUTE_PAYMENT)
        return promised

    def _known(self, connection: Connection, payment: Payment) -> list[Execution]:
        return self._store.executions_of(connection, payment, most=MOST_PAYMENTS)

    def _plan(self, connection: Connection, payment: Payment, due: datetime) -> None:
        self._schedule.add(connection, tenant=payment.tenant, kind=TaskKind.EXECUTE_PAYMENT, resource=payment.id, due=due)

    def _drop(self, connection: Connection, payment: Payment, kind: TaskKind) -> None:
        self._schedule.cancel(connection, tenant=payment.tenant, kind=kind, resource=payment.id)


def _due(payment: Payment, known: Collection[Execution], today: date) -> list[Execution]:
    """Return what is still to be done of each transfer: what waits, and what has never been tried."""
    tried = {each.transfer for each in known}
    untried = [place for place in range(len(payment.instruction.transfers)) if place not in tried]
    waiting = [each for each in known if each.status in UNDER_WAY]
    return waiting + [_blank(payment, place, place, today) for place in untried]


def _blank(payment: Payment, number: int, place: int, day: date) -> Execution:
    return Execution(payment=payment.id, tenant=payment.tenant, number=number, transfer=place, day=day, status=_S.ACTC)


def _waiting(payment: Payment, made: Execution, today: date) -> Execution:
    """Return a transfer without funds as one that waits for them, where the TPP wants that and the day is not over."""
    waits = payment.waits_for_funds and made.reason == INSUFFICIENT_FUNDS and made.day == today
    return replace(made, status=_S.PDNG) if waits else made


def _concluded(payment: Payment, executions: Collection[Execution]) -> Payment:
    """Return the payment with the status that its transfers' give (BG IG §4.14.1: PART is for bulks)."""
    status, reason = concluded(executions)
    return payment.moved(status) if reason is None else payment.rejected(reason)
