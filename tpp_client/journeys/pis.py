"""A payment, whole: initiation, SCA, settlement (BG IG 1.3.8 §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psd2.money import Money
from tpp_client.journeys.authorising import authorised
from tpp_client.journeys.demands import initiated
from tpp_client.journeys.following import follow
from tpp_client.journeys.leading import (
    DECOUPLED_PREFERRED,
    EMBEDDED_PREFERRED,
    carry_through,
    decide_in_app,
    require_approach,
    started,
    wait_for_app,
)
from tpp_client.journeys.personas import payee_for, persona_named, read_personas
from tpp_client.journeys.stage import Awaiting, discover
from tpp_client.payments import PaymentOrder, payment_request, process_payment_response, service_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psd2.ids import PaymentId
    from tpp_client.journeys.stage import Stage
    from tpp_client.payments import InitiatedPayment, Order
    from tpp_client.sandbox_api import Persona


@dataclass(frozen=True, slots=True)
class PisResult:
    """What a payment journey brings home."""

    payment_id: PaymentId
    status: str
    order: Order

    def as_json(self) -> dict[str, object]:
        """Return it for `--json`."""
        return {"payment_id": self.payment_id, "status": self.status, **self.order.as_json()}


def pis_journey(stage: Stage, psu: str) -> PisResult:
    """Pay at once, the PSU deciding at the bank; raises `TppClientError` at the first step that fails."""
    _, order = lunch(stage, psu)
    payment = ordered(stage, order)
    return PisResult(payment.payment_id, follow(stage, payment), order)


def ordered(stage: Stage, order: Order) -> InitiatedPayment:
    """Return the order as the bank has it, the PSU having approved it there, and we that it has come back to us."""
    metadata = discover(stage)
    payment = initiate(stage, order)
    authorised(stage, metadata, Awaiting(scope=f"PIS:{payment.payment_id}", path=payment.path, sca=payment.sca))
    return payment


def embedded_journey(stage: Stage, psu: str) -> PisResult:
    """Pay at once without a browser: the TPP carries password and code; raises `TppClientError`."""
    payer, order = lunch(stage, psu)
    payment = initiate(stage, order, headers={**EMBEDDED_PREFERRED, "PSU-ID": psu})
    require_approach(payment.sca, "EMBEDDED")
    carry_through(stage, payment.sca, payer)
    return PisResult(payment.payment_id, follow(stage, payment), order)


def decoupled_journey(stage: Stage, psu: str) -> PisResult:
    """Pay at once, the PSU deciding in its bank's app; raises `TppClientError`."""
    payer, order = lunch(stage, psu)
    payment = initiate(stage, order, headers={**DECOUPLED_PREFERRED, "PSU-ID": psu})
    require_approach(payment.sca, "DECOUPLED")
    step = started(stage, payment.sca, payer, preferred=DECOUPLED_PREFERRED)
    stage.narrator.step("Be the PSU in its bank's app, as only a sandbox lets one", "")
    decide_in_app(stage, step.links["scaStatus"], psu=psu)
    wait_for_app(stage, step)
    return PisResult(payment.payment_id, follow(stage, payment), order)


def lunch(stage: Stage, psu: str) -> tuple[Persona, PaymentOrder]:
    """Return who pays, and an order to pay somebody else of the same bank, so that both sides can be looked at."""
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
    return payer, order


def initiate(stage: Stage, order: Order, *, headers: Mapping[str, str] | None = None) -> InitiatedPayment:
    """Hand the order to the bank."""
    stage.narrator.step("Initiate the payment", "BG IG §5.3.1")
    own = headers or {}
    response = initiated(stage, lambda missed: payment_request(stage.xs2a, order, headers={**own, **missed}))
    return replace(process_payment_response(response), service=service_of(order))
