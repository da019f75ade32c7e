"""Several payments under one signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from behave import then, when

from features.orders import order_of
from tpp_client.baskets import basket_request, process_basket_response
from tpp_client.journeys.following import SETTLED, status_of
from tpp_client.journeys.leading import EMBEDDED_PREFERRED, carry_through
from tpp_client.journeys.pis import initiate

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.baskets import CreatedBasket


def _basket(context: Any, *amounts: str) -> CreatedBasket:
    tpp: Tpp = context.tpp
    apart = {"TPP-Explicit-Authorisation-Preferred": "true"}
    context.payments = [initiate(tpp.stage, order_of(context, amount), headers=apart) for amount in amounts]
    headers = {**EMBEDDED_PREFERRED, "PSU-ID": context.payer.psu}
    ids = [payment.payment_id for payment in context.payments]
    return process_basket_response(basket_request(tpp.xs2a, payments=ids, headers=headers))


@when("the payer signs a basket with payments of {one} EUR and {another} EUR to the payee")
def step(context: Any, one: str, another: str) -> None:
    carry_through(context.tpp.stage, _basket(context, one, another).sca, context.payer)


@when("a basket with payments of {one} EUR and {another} EUR to the payee is made and not signed")
def step(context: Any, one: str, another: str) -> None:
    assert _basket(context, one, another).status == "RCVD"


@then("both payments are settled")
def step(context: Any) -> None:
    statuses = [status_of(context.tpp.stage, payment) for payment in context.payments]
    assert set(statuses) <= SETTLED, f"the payments are {statuses}"


@then("both payments are only received")
def step(context: Any) -> None:
    statuses = [status_of(context.tpp.stage, payment) for payment in context.payments]
    assert statuses == ["RCVD", "RCVD"], f"the payments are {statuses}"
