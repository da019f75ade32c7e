"""The orders of the scenarios: the payer pays the payee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psd2.money import Money
from tpp_client.payments import PaymentOrder

if TYPE_CHECKING:
    from datetime import date


def order_of(context: Any, amount: str, *, day: date | None = None) -> PaymentOrder:
    """Return an order of the scenario's payer to its payee, in euro."""
    return PaymentOrder(
        debtor_iban=context.payer.accounts[0].iban,
        creditor_iban=context.payee.accounts[0].iban,
        creditor_name=context.payee.name,
        amount=Money.parse(amount, "EUR"),
        remittance="Lunch, with thanks",
        execution_date=day,
    )
