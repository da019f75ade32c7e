"""Two people who have to sign together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.orders import order_of
from features.tpps import JONAS
from tpp_client.authorisations import authorisations_request, process_authorisations_response
from tpp_client.errors import Refused
from tpp_client.journeys.following import status_of
from tpp_client.journeys.leading import EMBEDDED_PREFERRED, carry_through, decide_in_app
from tpp_client.journeys.pis import initiate

if TYPE_CHECKING:
    from typing import Literal

    from features.tpps import Tpp

FIRST, SECOND = "petra.hofmann", "igor.stein"


@given("a PISP, and a company whose account takes two signatures")
def step(context: Any) -> None:
    tpp: Tpp = context.register.shared()
    context.tpp, context.payer, context.payee = tpp, tpp.persona(FIRST), tpp.persona(JONAS)


@given("a payment of {amount} EUR to the payee with one signature")
@when("the first signatory confirms a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    headers = {**EMBEDDED_PREFERRED, "PSU-ID": FIRST}
    context.payment = initiate(context.tpp.stage, order_of(context, amount), headers=headers)
    carry_through(context.tpp.stage, context.payment.sca, context.payer)


@when("the second signatory {decision:w} it in the bank's app")
def step(context: Any, decision: str) -> None:
    tpp: Tpp = context.tpp
    ids = process_authorisations_response(authorisations_request(tpp.xs2a, f"{context.payment.path}/authorisations"))
    result: Literal["APPROVED", "REJECTED"] = "APPROVED" if decision == "confirms" else "REJECTED"
    decide_in_app(tpp.stage, f"{context.payment.path}/authorisations/{ids[-1]}", psu=SECOND, result=result)


@when("the first signatory tries to sign once more")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    ids = process_authorisations_response(authorisations_request(tpp.xs2a, f"{context.payment.path}/authorisations"))
    try:
        decide_in_app(tpp.stage, f"{context.payment.path}/authorisations/{ids[-1]}", psu=FIRST)
    except Refused as refused:
        context.refused = refused
    else:
        context.refused = None


@then("it is refused")
def step(context: Any) -> None:
    assert context.refused is not None, "the same person signed twice"


@then("the payment waits for another signature")
def step(context: Any) -> None:
    status = status_of(context.tpp.stage, context.payment)
    assert status == "PATC", f"the payment is {status}"
