"""Following a payment until its status says what became of it (BG IG 1.3.8 §5.4, §14.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tpp_client.errors import TppClientError
from tpp_client.payments import payment_status_request, process_payment_status_response

if TYPE_CHECKING:
    from collections.abc import Collection

    from tpp_client.journeys.stage import Stage
    from tpp_client.payments import InitiatedPayment

SETTLED = frozenset({"ACSC", "ACCC"})  # settled on the debtor's, on the creditor's side (ISO 20022)
FAILED = frozenset({"RJCT", "CANC", "PART"})
_MOST_LOOKS = 20
_PAUSE_SECONDS = 0.25


def status_of(stage: Stage, payment: InitiatedPayment) -> str:
    """Ask once how far a payment is."""
    response = payment_status_request(stage.xs2a, payment.payment_id, service=payment.service, product=payment.product)
    return process_payment_status_response(response)


def follow(stage: Stage, payment: InitiatedPayment, *, until: Collection[str] = SETTLED) -> str:
    """Return the first status that is one of `until`; raises `TppClientError` where the payment fails or hangs."""
    stage.narrator.step("Follow the payment until it is settled", "BG IG §5.4")
    status = ""
    for _ in range(_MOST_LOOKS):
        status = status_of(stage, payment)
        if status in until:
            stage.narrator.fact("payment", status)
            return status
        if status in FAILED:
            msg = f"the bank did not execute the payment: {status}"
            raise TppClientError(msg)
        stage.pause(_PAUSE_SECONDS)
    msg = f"the payment is still {status} after {_MOST_LOOKS * _PAUSE_SECONDS:g} s: it should be {' or '.join(sorted(until))}"
    raise TppClientError(msg)
