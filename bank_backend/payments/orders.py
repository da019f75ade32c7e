"""From a payment's transfers to the ledger's orders, and from the ledger's refusals to reasons of rejection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from schwifty import IBAN

from bank_backend.ledger.orders import NO_END_TO_END_ID, TransferOrder
from bank_backend.ledger.particulars import Particulars
from bank_backend.ledger.refusals import InsufficientFunds, LimitExceeded
from bank_backend.payments.reasons import ABOVE_LIMIT, INSUFFICIENT_FUNDS, RejectionReason
from bank_backend.personas.countries import LOCALES, house_bank_code

if TYPE_CHECKING:
    from bank_backend.ledger.refusals import LedgerError
    from bank_backend.payments.instruction import Transfer
    from bank_backend.payments.model import Payment
    from psd2.ids import AccountId

# Neither may tell a TPP what the account has, or how far it may go.
_DISCREET: Final[dict[type[LedgerError], RejectionReason]] = {
    InsufficientFunds: INSUFFICIENT_FUNDS,
    LimitExceeded: ABOVE_LIMIT,
}


def transfer_order(payment: Payment, position: int, debtor: AccountId, *, origin: str | None = None) -> TransferOrder:
    """Return the ledger's order for one of the payment's transfers; `origin` makes it one that is booked once only."""
    transfer, scheme = payment.instruction.transfers[position], payment.product.scheme
    return TransferOrder(
        tenant=payment.tenant,
        debtor=debtor,
        creditor_iban=transfer.creditor.number,
        creditor_name=transfer.creditor_name,
        amount=transfer.amount,
        remittance=transfer.remittance or "",
        end_to_end_id=transfer.end_to_end_id or NO_END_TO_END_ID,
        charge_bearer=transfer.charge_bearer or scheme.charge_bearers[0],
        code=payment.product.code,
        origin=origin,
        particulars=_particulars(transfer),
    )


def _particulars(transfer: Transfer) -> Particulars | None:
    """Return what the statements tell beyond the usual: the payee's bank, as it was instructed, among it."""
    if not transfer.creditor_agent:
        return transfer.particulars
    return replace(transfer.particulars or Particulars(), creditor_agent=transfer.creditor_agent)


def origin_of(payment: Payment, number: int) -> str:
    """Return the name under which an execution stands in the books once."""
    return f"{payment.id}:{number}"


def batch_origin(payment: Payment, batch: int = 0) -> str:
    """Return the name under which the one debit of a batch stands in the books."""
    return f"{payment.id}:batch{batch or ''}"


def reason_of(error: LedgerError) -> RejectionReason:
    """Return why the ledger refused, in words that a TPP may read."""
    return _DISCREET.get(type(error)) or RejectionReason.of(error.reason_code, str(error))


def is_house_number(iban: str) -> bool:
    """Whether an IBAN is one of this bank's, whether or not there is such an account."""
    country = iban[:2]
    return country in LOCALES and IBAN(iban).bank_code == house_bank_code(country)
