"""One attempt at a payment's transfers: each becomes booked or refused with its reason, none takes another down with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bank_backend.ledger.refusals import AlreadyBooked, BatchRefused, LedgerError, UnknownHold
from bank_backend.payments.model import TransactionStatus
from bank_backend.payments.orders import batch_origin, is_house_number, origin_of, reason_of, transfer_order
from bank_backend.payments.reasons import UNKNOWN_CREDITOR, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bank_backend.database import Connection
    from bank_backend.ledger.orders import TransferOrder
    from bank_backend.payments.model import Execution, Payment
    from bank_backend.payments.ports import PaymentFaults, PaymentLedger, PaymentStore

# The money's whereabouts are unclear: nothing is decided on that ground, the whole transaction is undone.
_NO_GROUND = (AlreadyBooked, UnknownHold)


class Bookings:
    """Turns executions that are due into what came of them, inside the caller's transaction."""

    def __init__(self, *, store: PaymentStore, ledger: PaymentLedger, faults: PaymentFaults) -> None:
        """Book in `ledger`; `faults` may demand a rejection first."""
        self._store = store
        self._ledger = ledger
        self._faults = faults

    def book(self, connection: Connection, payment: Payment, due: Sequence[Execution], now: datetime) -> list[Execution]:
        """Try to book each; the answer has them all, done."""
        fault = self._faults.rejection(connection, payment.tenant, path=payment.collection)
        if fault is not None:
            return self._all_refused(connection, payment, due, RejectionReason.of(fault.code, fault.text), now)
        possible, made = self._sorted_out(connection, payment, due, now)
        if len(possible) > 1:
            self._ledger.lock(connection, [_order(payment, each) for each in possible], now)
        for batch, parts in _batched(payment, possible):
            if batch is None or len(parts) == 1:
                made += [self._book_one(connection, payment, each, now) for each in parts]
            else:
                made += self._book_batch(connection, payment, parts, now, origin=batch_origin(payment, batch))
        return made

    def promise(self, connection: Connection, payment: Payment, due: Sequence[Execution], now: datetime) -> list[Execution]:
        """Reserve the money of each until it is booked."""
        possible, made = self._sorted_out(connection, payment, due, now)
        return made + [self._promise_one(connection, payment, each, now) for each in possible]

    def withdraw(self, connection: Connection, payment: Payment, execution: Execution, now: datetime) -> Execution:
        """Return an execution that will not happen any more, its money given back."""
        return replace(self._released(connection, payment, execution, now), status=TransactionStatus.CANC)

    def _sorted_out(
        self, connection: Connection, payment: Payment, due: Sequence[Execution], now: datetime
    ) -> tuple[list[Execution], list[Execution]]:
        """Part those that can be tried from those to an account of this bank that does not exist."""
        lost = [each for each in due if self._is_lost(connection, payment, each)]
        possible = [each for each in due if each not in lost]
        return possible, self._all_refused(connection, payment, lost, UNKNOWN_CREDITOR, now)

    def _is_lost(self, connection: Connection, payment: Payment, execution: Execution) -> bool:
        iban = payment.instruction.transfers[execution.transfer].creditor.iban
        return bool(iban) and is_house_number(iban) and not self._is_ours(connection, payment, execution)

    def _is_ours(self, connection: Connection, payment: Payment, execution: Execution) -> bool:
        iban = payment.instruction.transfers[execution.transfer].creditor.iban
        return bool(self._store.accounts_of_iban(connection, payment.tenant, iban))

    def _book_one(self, connection: Connection, payment: Payment, due: Execution, now: datetime) -> Execution:
        def transfer() -> Execution:
            booked = self._ledger.transfer(connection, _order(payment, due), now, hold=due.hold)
            return self._done(connection, payment, due, entry=booked.entry)

        return self._refusable(connection, payment, due, now, transfer)

    def _promise_one(self, connection: Connection, payment: Payment, due: Execution, now: datetime) -> Execution:
        def hold() -> Execution:
            return replace(due, status=TransactionStatus.ACSP, hold=self._ledger.hold(connection, _order(payment, due), now))

        return self._refusable(connection, payment, due, now, hold)

    def _refusable(
        self, connection: Connection, payment: Payment, due: Execution, now: datetime, attempt: Callable[[], Execution]
    ) -> Execution:
        try:
            return attempt()
        except _NO_GROUND:
            raise
        except LedgerError as error:
            return self._refused(connection, payment, due, reason_of(error), now)

    def _book_batch(
        self, connection: Connection, payment: Payment, due: Sequence[Execution], now: datetime, *, origin: str
    ) -> list[Execution]:
        """Book with one debit what can be booked; each refusal is of one transfer, and the others are tried without it."""
        made, left = [], list(due)
        while left:
            try:
                booked = self._ledger.transfer_batch(
                    connection,
                    [_order(payment, each) for each in left],
                    now,
                    origin=origin,
                    holds=[each.hold for each in left if each.hold is not None],
                )
            except BatchRefused as refusal:
                refused = left.pop(refusal.position)
                made.append(self._refused(connection, payment, refused, reason_of(refusal.cause), now))
            except _NO_GROUND:
                raise
            except LedgerError as error:
                return made + self._all_refused(connection, payment, left, reason_of(error), now)
            else:
                parts = zip(left, booked.parts, strict=True)
                return made + [self._done(connection, payment, each, entry=part.entry) for each, part in parts]
        return made

    def _done(self, connection: Connection, payment: Payment, due: Execution, *, entry: str) -> Execution:
        # BG IG §4.14.1, §14.13: ACCC once the payee has the money, which this bank knows of its own and of instant payments.
        credited = payment.product.scheme.is_instant or self._is_ours(connection, payment, due)
        status = TransactionStatus.ACCC if credited else TransactionStatus.ACSC
        return replace(due, status=status, reason=None, entry=entry, hold=None)

    def _all_refused(
        self, connection: Connection, payment: Payment, due: Sequence[Execution], reason: RejectionReason, now: datetime
    ) -> list[Execution]:
        return [self._refused(connection, payment, each, reason, now) for each in due]

    def _refused(
        self, connection: Connection, payment: Payment, due: Execution, reason: RejectionReason, now: datetime
    ) -> Execution:
        released = self._released(connection, payment, due, now)
        return replace(released, status=TransactionStatus.RJCT, reason=reason)

    def _released(self, connection: Connection, payment: Payment, execution: Execution, now: datetime) -> Execution:
        if execution.hold is not None:
            self._ledger.release(connection, tenant=payment.tenant, hold=execution.hold, now=now)
        return replace(execution, hold=None)


def _batched(payment: Payment, due: Sequence[Execution]) -> list[tuple[int | None, list[Execution]]]:
    """Return the executions by the batch that they are booked in, in their order; None: by themselves."""
    groups: dict[int | None, list[Execution]] = {}
    for each in due:
        groups.setdefault(payment.instruction.batch_of(each.transfer), []).append(each)
    return list(groups.items())


def _order(payment: Payment, execution: Execution) -> TransferOrder:
    return transfer_order(payment, execution.transfer, payment.required_debtor, origin=origin_of(payment, execution.number))
