"""Batch booking (ISO 20022 BatchBooking): one debit into transit, out of which each payee is credited, in one transaction."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bank_backend.ledger.batch_parts import BatchPart
from bank_backend.ledger.orders import BookedBatch
from bank_backend.ledger.particulars import Particulars
from bank_backend.ledger.planning import details_of, totals
from bank_backend.ledger.products import product_of
from bank_backend.ledger.refusals import BatchRefused, LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bank_backend.ledger.orders import Charges, TransferOrder
    from bank_backend.ledger.planning import AccountFacts, Parties, Plan


def require_one_batch(orders: Sequence[TransferOrder]) -> TransferOrder:
    """Return the first order; raises `ValueError` unless all have one tenant, debtor and product, and there is one at least."""
    if not orders or len({(order.tenant, order.debtor, order.code) for order in orders}) != 1:
        msg = "a batch is one or more transfers of one tenant, from one account, of one product"
        raise ValueError(msg)
    return orders[0]


@contextmanager
def naming(position: int) -> Iterator[None]:
    """Say of a refusal which transfer of the batch it is about."""
    try:
        yield
    except LedgerError as error:
        raise BatchRefused(position, error) from error


def plan_batch(
    plan: Plan,
    debtor: AccountFacts,
    transfers: Sequence[tuple[TransferOrder, Parties, Charges]],
    *,
    origin: str | None,
) -> BookedBatch:
    """Add the one debit, its fee, and each payee's credit."""
    told = tuple(_part(order, parties, charges) for order, parties, charges in transfers)
    fee = totals([charges.fee for _, _, charges in transfers])
    product = product_of(transfers[0][0].code)
    # One sum is valued once: when the last of its transfers is, which is the first business day where one leaves the bank.
    value_date = max(product.value_date(plan.now, is_internal=parties.creditor is not None) for _, parties, _ in transfers)
    entry = plan.add_batch(debtor, told, code=product.code, value_date=value_date, origin=origin)
    fee_entry = plan.add_fee(debtor, fee, of=entry) if fee.minor else None
    transit = plan.transit(debtor.currency)
    parts = tuple(plan.add_transfer(order, parties, charges, source=transit) for order, parties, charges in transfers)
    return BookedBatch(entry=entry, fee_entry=fee_entry, parts=parts)


def _part(order: TransferOrder, parties: Parties, charges: Charges) -> BatchPart:
    """Return what the payer's statement says of one of the batch's transfers."""
    details, said = details_of(order, parties), order.particulars or Particulars()
    return BatchPart(
        amount_minor=(charges.fee - charges.debited).minor,
        creditor_name=details.creditor.name,
        creditor_iban=details.creditor.iban,
        creditor_agent=said.creditor_agent,
        ultimate_debtor=said.ultimate_debtor,
        ultimate_creditor=said.ultimate_creditor,
        end_to_end_id=details.end_to_end_id,
        remittance=details.remittance,
        structured_reference=said.structured_reference,
        purpose=said.purpose,
        exchange=charges.exchange,
    )
