"""Periodic payments as the standing orders that account information tells of (BG IG 1.3.8 §6.5.4, §14.24)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.accounts.standing_orders import (
    CREDIT_TRANSFER_ORDER,
    CROSS_BORDER_ORDER,
    INSTANT_ORDER,
    StandingOrder,
)
from bank_backend.payments.model import UNDER_WAY
from bank_backend.personalities.model import PaymentProduct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.database import Connection
    from bank_backend.payments.model import Payment
    from bank_backend.payments.ports import PaymentStore
    from psd2.ids import AccountId, TenantId

_CODES: Final = {
    PaymentProduct.SEPA: CREDIT_TRANSFER_ORDER,
    PaymentProduct.INSTANT: INSTANT_ORDER,
    PaymentProduct.TARGET_2: CREDIT_TRANSFER_ORDER,
    PaymentProduct.CROSS_BORDER: CROSS_BORDER_ORDER,
}


class PaymentStandingOrders:
    """Implements `bank_backend.accounts.standing_orders.StandingOrders`."""

    def __init__(self, store: PaymentStore) -> None:
        """Look into `store`."""
        self._store = store

    def of_account(self, connection: Connection, tenant: TenantId, account_id: AccountId) -> Sequence[StandingOrder]:
        """Return the approved orders that have a payment before them, the oldest first."""
        found = self._store.periodic_of(connection, tenant, account_id, sorted(UNDER_WAY))
        return [_standing_order(payment) for payment in found]


def _standing_order(payment: Payment) -> StandingOrder:
    (transfer,), rule = payment.instruction.transfers, payment.required_rule
    return StandingOrder(
        creditor_name=transfer.creditor_name,
        creditor_account=transfer.creditor.number,
        amount=transfer.amount,
        remittance=transfer.remittance or "",
        code=_CODES[payment.product.product],
        start=rule.start,
        frequency=rule.frequency.value,
        end=rule.end,
        execution_rule=rule.execution_rule or "",
        day_of_execution=rule.day,
        months=rule.months,
    )
