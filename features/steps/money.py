"""Payments and questions about funds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.orders import order_of
from features.psu_visits import PsuVisit
from features.tpps import ANNA
from psd2.ids import new_uuid
from psd2.money import Money
from tpp_client.consents import process_consent_deletion_response
from tpp_client.errors import AuthorizationRefused
from tpp_client.funds import (
    funds_confirmation_request,
    funds_consent_deletion_request,
    funds_consent_request,
    process_funds_confirmation_response,
)
from tpp_client.journeys.following import SETTLED, status_of
from tpp_client.journeys.planned import WAITING
from tpp_client.payments import PaymentOrder, payment_request, process_payment_response
from tpp_client.refusals import refusal_of

if TYPE_CHECKING:
    from features.tpps import Tpp


def _initiate(context: Any, amount: str) -> None:
    context.payment = process_payment_response(payment_request(context.tpp.xs2a, order_of(context, amount)))


def _status(context: Any) -> str:
    return status_of(context.tpp.stage, context.payment)


@when("the payer confirms a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    _initiate(context, amount)
    context.tpp.tokens_for(f"PIS:{context.payment.payment_id}", psu=context.payer.psu)


@when("the payer refuses a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    _initiate(context, amount)
    try:
        context.tpp.tokens_for(f"PIS:{context.payment.payment_id}", psu=context.payer.psu, result="REJECTED")
    except AuthorizationRefused:
        return
    raise AssertionError("a refused payment led to a token")


@when("a payment of {amount} EUR to the payee is initiated and not confirmed")
def step(context: Any, amount: str) -> None:
    _initiate(context, amount)


@when("the payer's TPP sends the same payment of {amount} EUR twice and the payer confirms it")
def step(context: Any, amount: str) -> None:
    request_id = new_uuid()
    xs2a = dataclasses.replace(context.tpp.xs2a, new_request_id=lambda: request_id)
    context.payments = [process_payment_response(payment_request(xs2a, order_of(context, amount))) for _ in range(2)]
    context.payment = context.payments[0]
    context.tpp.tokens_for(f"PIS:{context.payment.payment_id}", psu=context.payer.psu)


@when("the payer is asked at the bank to confirm a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    _initiate(context, amount)
    context.visit = PsuVisit(context.tpp, f"PIS:{context.payment.payment_id}", psu=context.payer.psu)
    context.add_cleanup(context.visit.browser.close)
    context.visit.log_in()
    context.shown = context.visit.browser.text
    context.visit.ask_for_code()


@then("the bank's page names the payee and {amount} EUR")
def step(context: Any, amount: str) -> None:
    _require_named(context, context.shown, amount)


@then("the message with the one-time password names the payee and {amount} EUR")
def step(context: Any, amount: str) -> None:
    _require_named(context, context.tpp.newest_message(context.payer.psu).text, amount)


def _require_named(context: Any, text: str, amount: str) -> None:
    iban = context.payee.accounts[0].iban
    assert amount in text, f"{amount} is not in {text[:300]}"
    assert context.payee.name in text, f"{context.payee.name} is not in {text[:300]}"
    assert iban in text.replace(" ", ""), f"{iban} is not in {text[:300]}"


@then("both answers speak of the same payment")
def step(context: Any) -> None:
    assert context.payments[0].payment_id == context.payments[1].payment_id


@then("the payment is settled")
def step(context: Any) -> None:
    status = _status(context)
    assert status in SETTLED, f"the payment is {status}"


@then("the payment is rejected")
def step(context: Any) -> None:
    status = _status(context)
    assert status == "RJCT", f"the payment is {status}"


@then("the payment is cancelled")
def step(context: Any) -> None:
    status = _status(context)
    assert status == "CANC", f"the payment is {status}"


@then("the payment is made in part")
def step(context: Any) -> None:
    status = _status(context)
    assert status == "PART", f"the payment is {status}"


@then("the payment waits for its day")
def step(context: Any) -> None:
    status = _status(context)
    assert status in WAITING, f"the payment is {status}"


@then("the payment is only received")
def step(context: Any) -> None:
    status = _status(context)
    assert status == "RCVD", f"the payment is {status}"


@then("the {party:w} has {amount} EUR {direction:w}")
def step(context: Any, party: str, amount: str, direction: str) -> None:
    change = Money.parse(amount, "EUR")
    before, now = context.before[party], context.tpp.balance(getattr(context, party).psu)
    expected = before - change if direction == "less" else before + change
    assert now == expected, f"{party} had {before} and has {now}, {expected} was expected"


@then("nobody's balance has changed")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    now = {"payer": tpp.balance(context.payer.psu), "payee": tpp.balance(context.payee.psu)}
    assert now == context.before, f"before {context.before}, now {now}"


@given("the card issuer has ended the consent")
def step(context: Any) -> None:
    process_consent_deletion_response(funds_consent_deletion_request(context.tpp.xs2a, context.grant.consent_id))


@when("it asks whether the account covers {amount} EUR")
def step(context: Any, amount: str) -> None:
    money = Money.parse(amount, "EUR")
    context.answer = funds_confirmation_request(context.tpp.xs2a, context.grant.access, iban=context.iban, amount=money)


@when("it asks about an account that the consent does not name")
def step(context: Any) -> None:
    iban = context.tpp.neighbour(ANNA).accounts[0].iban
    money = Money.parse("1.00", "EUR")
    context.answer = funds_confirmation_request(context.tpp.xs2a, context.grant.access, iban=iban, amount=money)


@then("the answer is {answer:w}")
def step(context: Any, answer: str) -> None:
    assert process_funds_confirmation_response(context.answer) is (answer == "yes")


@then("the question is refused")
def step(context: Any) -> None:
    refusal = refusal_of(context.answer)
    assert 400 <= refusal.status < 500, str(refusal)


@when("it tries to initiate a payment")
def step(context: Any) -> None:
    # Refused before the body is looked at: any two accounts will do.
    order = PaymentOrder(
        debtor_iban="DE02120300000000202051",
        creditor_iban="DE02500105170137075030",
        creditor_name="Nobody",
        amount=Money.parse("1.00", "EUR"),
        remittance="",
    )
    context.answer = payment_request(context.tpp.xs2a, order)


@when("it tries to ask for a consent")
def step(context: Any) -> None:
    context.answer = context.tpp.ask_consent()


@when("it tries to ask for funds confirmation")
def step(context: Any) -> None:
    context.answer = funds_consent_request(context.tpp.xs2a, iban="DE02120300000000202051")


@when("it reads the accounts with that token")
def step(context: Any) -> None:
    context.answer = context.tpp.read_accounts(context.grant)
