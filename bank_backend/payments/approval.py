"""A PSU's decision on a payment: approval and the movement of money are one transaction (BG IG 1.3.8 §4.14.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.asks import PaymentAsk
from bank_backend.errors import ResourceUnknown, StatusInvalid
from bank_backend.ledger.orders import NO_END_TO_END_ID, Booked, TransferOrder
from bank_backend.ledger.refusals import InsufficientFunds, LedgerError, SameAccount
from bank_backend.payments.model import (
    INSUFFICIENT_FUNDS,
    REFUSED,
    SAME_ACCOUNT,
    Payment,
    RejectionReason,
    TransactionStatus,
)

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.authorisations.asks import Approval
    from bank_backend.database import Connection
    from bank_backend.payments.service import PaymentStore
    from psd2.ids import TenantId


class Transfers(Protocol):
    """The part of the ledger that payments need."""

    def transfer(self, connection: Connection, order: TransferOrder, now: datetime) -> Booked:
        """Book a credit transfer in the caller's transaction; raises `LedgerError` and writes nothing where it can't."""


class PaymentApproval:
    """Payments as something to approve: implements `bank_backend.authorisations.asks.Approvable`."""

    def __init__(self, *, store: PaymentStore, ledger: Transfers) -> None:
        """Decide on the payments in `store`, book in `ledger`."""
        self._store = store
        self._ledger = ledger

    def ask(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> PaymentAsk:
        """Return what is asked; raises `ResourceUnknown` or `StatusInvalid`."""
        # Not locked: pages ask too, inside a transaction that only reads. Approving looks again, under the lock.
        payment = _required(self._store.find(connection, tenant, resource), resource, now)
        if payment.status not in {TransactionStatus.RCVD, TransactionStatus.PATC}:
            raise StatusInvalid(f"the payment is {payment.status}: there is nothing to decide any more")
        instruction = payment.instruction
        return PaymentAsk(
            references=(instruction.debtor,),
            amount=instruction.amount,
            creditor_name=instruction.creditor_name,
            creditor_iban=instruction.creditor.iban,
            remittance=instruction.remittance or "",
        )

    def approve(self, connection: Connection, approval: Approval) -> None:
        """Take the payment from approval to booked, or to rejected with a reason: status and money change together."""
        received = self._require(connection, approval.tenant, approval.resource, approval.at)
        approved = replace(received.moved(TransactionStatus.ACTC), psu=approval.psu)
        (debtor,) = approval.accounts
        self._store.save(connection, self._executed(connection, approved, debtor, approval.at))

    def partially_approve(self, connection: Connection, approval: Approval) -> None:
        """Note a signature of several."""
        payment = self._require(connection, approval.tenant, approval.resource, approval.at)
        self._store.save(connection, replace(payment.moved(TransactionStatus.PATC), psu=approval.psu))

    def reject(self, connection: Connection, *, tenant: TenantId, resource: str, now: datetime) -> None:
        """Turn the payment down."""
        self._store.save(connection, self._require(connection, tenant, resource, now).rejected(REFUSED))

    def setback(self, connection: Connection, *, tenant: TenantId, resource: str) -> str:
        """Return why the approved payment was not executed; empty where it was."""
        payment = self._store.find(connection, tenant, resource)
        return payment.reason.text if payment is not None and payment.reason is not None else ""

    def _executed(self, connection: Connection, payment: Payment, debtor: Account, now: datetime) -> Payment:
        instruction = payment.instruction
        order = TransferOrder(
            tenant=payment.tenant,
            debtor=debtor.id,
            creditor_iban=instruction.creditor.iban,
            creditor_name=instruction.creditor_name,
            amount=instruction.amount,
            remittance=instruction.remittance or "",
            end_to_end_id=instruction.end_to_end_id or NO_END_TO_END_ID,
            origin=payment.id,
        )
        try:
            booked = self._ledger.transfer(connection, order, now)
        except InsufficientFunds:
            return payment.rejected(INSUFFICIENT_FUNDS)
        except SameAccount:
            return payment.rejected(SAME_ACCOUNT)
        except LedgerError as error:
            return payment.rejected(RejectionReason(code=error.reason_code, text=str(error)))
        return replace(payment.moved(TransactionStatus.ACSC), transaction=booked.entry)

    def _require(self, connection: Connection, tenant: TenantId, resource: str, now: datetime) -> Payment:
        return _required(self._store.find_locked(connection, tenant, resource), resource, now)


def _required(found: Payment | None, resource: str, now: datetime) -> Payment:
    if found is None:
        raise ResourceUnknown(f"this TPP has no payment {resource[:40]!r}")
    return found.settled(now)
