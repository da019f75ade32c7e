"""Payments of another day, again and again, and several at once; and time that passes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.orders import order_of
from tpp_client.journeys.leading import carry_through
from tpp_client.journeys.pis import initiate
from tpp_client.payments import (
    BulkOrder,
    StandingOrder,
    cancellation_request,
    payment_request,
    process_cancellation_response,
)
from tpp_client.sandbox_steering import clock_advance_request, process_clock_response

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.payments import Order


def _confirm(context: Any, order: Order) -> None:
    tpp: Tpp = context.tpp
    context.payment = initiate(tpp.stage, order)
    tpp.tokens_for(f"PIS:{context.payment.payment_id}", psu=context.payer.psu)


@given("a confirmed payment of {amount} EUR to the payee for in {days:d} days")
@when("the payer confirms a payment of {amount} EUR to the payee for in {days:d} days")
def step(context: Any, amount: str, days: int) -> None:
    _confirm(context, order_of(context, amount, day=context.tpp.today() + timedelta(days=days)))


@given("a confirmed standing order of {amount} EUR to the payee every month, three times")
def step(context: Any, amount: str) -> None:
    start = context.tpp.today() + timedelta(days=1)
    # The third month's day, and a few more: the fourth is out of reach.
    end = start + timedelta(days=70)
    order = StandingOrder(
        order=order_of(context, amount), start=start, end=end, frequency="Monthly", execution_rule="following"
    )
    _confirm(context, order)


@when("the payer confirms payments of {amounts} to the payee at once")
def step(context: Any, amounts: str) -> None:
    each = re.findall(r"\d+\.\d\d", amounts)
    _confirm(context, BulkOrder(orders=tuple(order_of(context, amount) for amount in each)))


@given("the payer has confirmed its cancellation")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    cancellation = process_cancellation_response(cancellation_request(tpp.xs2a, context.payment))
    assert cancellation.sca is not None, "it is cancelled without the payer"
    carry_through(tpp.stage, cancellation.sca, context.payer)


@given("the TPP has asked to cancel it, and the payer has not confirmed")
def step(context: Any) -> None:
    cancellation = process_cancellation_response(cancellation_request(context.tpp.xs2a, context.payment))
    assert not cancellation.is_done, "it is cancelled without the payer"


@when("the TPP asks to cancel the payment")
def step(context: Any) -> None:
    context.answer = cancellation_request(context.tpp.xs2a, context.payment)


@when("the TPP orders a payment of {amount} EUR to the payee for yesterday")
def step(context: Any, amount: str) -> None:
    yesterday = context.tpp.today() - timedelta(days=1)
    context.answer = payment_request(context.tpp.xs2a, order_of(context, amount, day=yesterday))


@given("{days:d} days have passed")
@when("{days:d} days pass")
def step(context: Any, days: int) -> None:
    process_clock_response(clock_advance_request(context.tpp.xs2a, by=f"P{days}D"))


@then("it is still today at another TPP's bank")
def step(context: Any) -> None:
    other: Tpp = context.register.shared()
    assert context.tpp.today() - other.today() >= timedelta(days=30), f"the other bank has {other.today()}"
