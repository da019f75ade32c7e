"""A payment, whole: initiation, SCA, settlement (BG IG 1.3.8 §5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psd2.money import Money
from tpp_client.errors import TppClientError
from tpp_client.journeys.personas import payee_for, persona_named, read_personas
from tpp_client.journeys.stage import authorise, discover
from tpp_client.payments import (
    PaymentOrder,
    payment_request,
    payment_status_request,
    process_payment_response,
    process_payment_status_response,
)

if TYPE_CHECKING:
    from psd2.ids import PaymentId
    from tpp_client.journeys.stage import Stage

SETTLED = frozenset({"ACSC", "ACCC"})  # settled on the debtor's, on the creditor's side (ISO 20022)
FAILED = frozenset({"RJCT", "CANC"})
_MOST_LOOKS = 20
_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class PisResult:
    """What a payment journey brings home."""

    payment_id: PaymentId
    status: str
    order: PaymentOrder

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {"payment_id": self.payment_id, "status": self.status, **self.order.as_json()}


def pis_journey(stage: Stage, psu: str) -> PisResult:
    """Go the whole way; raises `TppClientError` at the first step that fails."""
    order = _order(stage, psu)
    metadata = discover(stage)
    stage.narrator.step("Initiate the payment", "BG IG §5.3.1")
    payment = process_payment_response(payment_request(stage.xs2a, order))
    authorise(stage, metadata, f"PIS:{payment.payment_id}")
    return PisResult(payment.payment_id, _settled(stage, payment.payment_id), order)


def _order(stage: Stage, psu: str) -> PaymentOrder:
    personas = read_personas(stage)
    payer = persona_named(personas, psu)
    payee = payee_for(personas, payer)
    order = PaymentOrder(
        debtor_iban=payer.accounts[0].iban,
        creditor_iban=payee.accounts[0].iban,
        creditor_name=payee.name,
        amount=Money.parse("12", payer.accounts[0].currency),
        remittance="Lunch, with thanks",
    )
    stage.narrator.fact("order", f"{payer.name} pays {payee.name} {order.amount}")
    return order


def _settled(stage: Stage, payment_id: PaymentId) -> str:
    stage.narrator.step("Follow the payment until it is settled", "BG IG §5.4")
    for _ in range(_MOST_LOOKS):
        status = process_payment_status_response(payment_status_request(stage.xs2a, payment_id))
        if status in SETTLED:
            return status
        if status in FAILED:
            msg = f"the bank did not execute the payment: {status}"
            raise TppClientError(msg)
        stage.pause(_PAUSE_SECONDS)
    msg = f"the payment is still {status} after {_MOST_LOOKS * _PAUSE_SECONDS:g} s: it should be settled"
    raise TppClientError(msg)
