"""A PSU's decision on a payment and on its cancellation: status and money change together (BG IG 1.3.8 §4.14.1, §5.6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bank_backend.errors import ResourceUnknown, StatusInvalid
from bank_backend.payments.asks import CancellationAsk, InstructionAsk, ask_of, instruction_ask
from bank_backend.payments.bodies import MOST_PAYMENTS
from bank_backend.payments.model import UNDER_WAY, Payment, TransactionStatus
from bank_backend.payments.orders import transfer_order
from bank_backend.payments.reasons import REFUSED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Approval, PaymentAsk
    from bank_backend.database import Connection
    from bank_backend.ledger.orders import TransferOrder
    from bank_backend.payments.execution import Executions
    from bank_backend.payments.ports import PaymentLedger, PaymentStore
    from psd2.ids import TenantId


class PaymentApproval:
    """Payments as something to approve: implements `bank_backend.authorisations.asks.Approvable`."""

    def __init__(self, *, store: PaymentStore, executions: Executions, ledger: PaymentLedger) -> None:
        """Decide on the payments in `store`, carry them out by `executions` in `ledger`."""
        self._store = store
        self._executions = executions
        self._ledger = ledger

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> PaymentAsk | InstructionAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        # Not locked: pages ask too, inside a transaction that only reads. Approving looks again, under the lock.
        payment = _required(self._store.find(connection, tenant, resource), resource, now)
        if not payment.is_undecided:
            raise StatusInvalid(f"the payment is {payment.status}: there is nothing to decide any more")
        return ask_of(payment, now.date())

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Note that one of several has signed."""
        received = _locked(self._store, connection, approval.tenant, approval.resource, approval.at)
        self._store.save(connection, replace(received.moved(TransactionStatus.PATC), psu=approval.psu))

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Take the payment on from approval, as far as it goes today."""
        received = _locked(self._store, connection, approval.tenant, approval.resource, approval.at)
        approved = replace(received, psu=approval.psu)
        debtor = _debtor(approved, approval.accounts)
        self._store.save(connection, self._executions.accept(connection, approved, debtor.id, approval.at))

    def lock_accounts(self, connection: Connection, approvals: Sequence[Approval], now: datetime) -> None:
        """Lock every account that these payments will touch: to be said before several are approved in one transaction."""
        self._ledger.lock(connection, [order for each in approvals for order in self._orders(connection, each)], now)

    def _orders(self, connection: Connection, approval: Approval) -> list[TransferOrder]:
        payment = _required(self._store.find(connection, approval.tenant, approval.resource), approval.resource, approval.at)
        debtor = _debtor(payment, approval.accounts)
        return [transfer_order(payment, position, debtor.id) for position in range(len(payment.instruction.transfers))]

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn the payment down."""
        received = _locked(self._store, connection, tenant, resource, now)
        self._store.save(connection, self._executions.refused(connection, received, REFUSED))

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:
        """Return why the approved payment was not executed, or not in full; empty where it was."""
        payment = self._store.find(connection, tenant, resource)
        if payment is None:
            return ""
        if payment.reason is not None:
            return payment.reason.text
        if payment.status is not TransactionStatus.PART:
            return ""
        made = self._store.executions_of(connection, payment, most=MOST_PAYMENTS)
        refused = sum(each.status is TransactionStatus.RJCT for each in made)
        return f"{refused} of {len(made)} payments could not be made"


class CancellationApproval:
    """The cancellation of payments as something to approve: implements `Approvable`."""

    def __init__(self, *, store: PaymentStore, executions: Executions) -> None:
        """Cancel the payments in `store`."""
        self._store = store
        self._executions = executions

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> CancellationAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        payment = _required(self._store.find(connection, tenant, resource), resource, now)
        _require_under_way(payment)
        return CancellationAsk(payment=instruction_ask(payment, now.date()))

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Leave the payment as it is: it is cancelled by the last signature."""

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Cancel the payment; raises `StatusInvalid` where it has been executed meanwhile."""
        payment = _locked(self._store, connection, approval.tenant, approval.resource, approval.at)
        _require_under_way(payment)
        self._store.save(connection, self._executions.cancelled(connection, payment, approval.at))

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Leave the payment as it is."""

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:
        """Return nothing: a cancellation that was approved has happened."""
        del connection, tenant, resource
        return ""


def _locked(store: PaymentStore, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> Payment:
    return _required(store.find_locked(connection, tenant, resource), resource, now)


def _required(found: Payment | None, resource: str, now: datetime) -> Payment:
    if found is None:
        raise ResourceUnknown(f"this TPP has no payment {resource[:40]!r}")
    return found.settled(now)


def _require_under_way(payment: Payment) -> None:
    if payment.status not in UNDER_WAY:
        raise StatusInvalid(f"the payment is {payment.status}: there is nothing left to cancel")


def _debtor(payment: Payment, accounts: tuple[Account, ...]) -> Account:
    """Of the accounts that share the debtor's IBAN, return the one in the payment's currency, else the first (BG IG §5.9)."""
    currency = payment.instruction.transfers[0].amount.currency
    return next((account for account in accounts if account.currency == currency), accounts[0])
