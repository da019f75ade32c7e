"""Confirming through the TPP or in the bank's app instead of on the bank's pages."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.orders import order_of
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.authorisations import (
    PsuProof,
    process_psu_proof_response,
    psu_proof_request,
)
from tpp_client.consents import process_consent_response
from tpp_client.journeys.leading import (
    DECOUPLED_PREFERRED,
    EMBEDDED_PREFERRED,
    carry_through,
    decide_in_app,
    newest_code,
    require_approach,
    started,
)
from tpp_client.journeys.pis import initiate
from tpp_client.sandbox_steering import personality_request, process_personality_response
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from typing import Literal

    from features.tpps import Tpp
    from tpp_client.authorisations import ScaStep


def _begin(context: Any, amount: str, preferred: dict[str, str]) -> None:
    headers = {**preferred, "PSU-ID": context.payer.psu}
    context.payment = initiate(context.tpp.stage, order_of(context, amount), headers=headers)


def _up_to_the_code(context: Any, amount: str) -> ScaStep:
    """Go with the right password up to the code, by a method that sends one."""
    tpp: Tpp = context.tpp
    _begin(context, amount, EMBEDDED_PREFERRED)
    step = started(tpp.stage, context.payment.sca, context.payer, preferred=EMBEDDED_PREFERRED)
    password = PsuProof(psu=context.payer.psu, password=context.payer.password)
    step = process_psu_proof_response(psu_proof_request(tpp.xs2a, step.links["updatePsuAuthentication"], password))
    if "selectAuthenticationMethod" in step.links:
        sms = next(method for method in step.methods if method.type == "SMS_OTP")
        choice = psu_proof_request(tpp.xs2a, step.links["selectAuthenticationMethod"], PsuProof(method=sms.id))
        step = process_psu_proof_response(choice)
    return step


@when("the payer confirms a payment of {amount} EUR to the payee through the TPP")
def step(context: Any, amount: str) -> None:
    _begin(context, amount, EMBEDDED_PREFERRED)
    require_approach(context.payment.sca, "EMBEDDED")
    carry_through(context.tpp.stage, context.payment.sca, context.payer)


@when("the TPP passes on a wrong code for a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    address = _up_to_the_code(context, amount).links["authoriseTransaction"]
    wrong = f"{(int(newest_code(context.tpp.stage, context.payer.psu)) + 1) % 1_000_000:06}"
    context.answer = psu_proof_request(context.tpp.xs2a, address, PsuProof(code=wrong))


@when("the TPP passes on a wrong password for a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    _begin(context, amount, EMBEDDED_PREFERRED)
    step = started(context.tpp.stage, context.payment.sca, context.payer, preferred=EMBEDDED_PREFERRED)
    wrong = PsuProof(psu=context.payer.psu, password="not the password")
    context.answer = psu_proof_request(context.tpp.xs2a, step.links["updatePsuAuthentication"], wrong)


@when("the TPP asks for a code for a payment of {amount} EUR to the payee")
def step(context: Any, amount: str) -> None:
    assert "authoriseTransaction" in _up_to_the_code(context, amount).links


@when("the payer {decision:w} a payment of {amount} EUR to the payee in the bank's app")
def step(context: Any, decision: str, amount: str) -> None:
    tpp: Tpp = context.tpp
    _begin(context, amount, DECOUPLED_PREFERRED)
    require_approach(context.payment.sca, "DECOUPLED")
    address = started(tpp.stage, context.payment.sca, context.payer, preferred=DECOUPLED_PREFERRED).links["scaStatus"]
    result: Literal["APPROVED", "REJECTED"] = "APPROVED" if decision == "confirms" else "REJECTED"
    decide_in_app(tpp.stage, address, psu=context.payer.psu, result=result)


@given("a TPP at a bank that lets it pass on the PSU's password and code")
def step(context: Any) -> None:
    context.tpp = context.register.steered()
    process_personality_response(personality_request(context.tpp.xs2a, name="embedded"))


@when("the PSU authorises a consent through it")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    anna = tpp.persona("anna.weber")
    consent = process_consent_response(tpp.ask_consent(ibans=(anna.accounts[0].iban,)))
    carry_through(tpp.stage, consent.sca, anna)
    context.consent_id = consent.consent_id


@then("the accounts can be read without a token")
def step(context: Any) -> None:
    access = Access(token=None, consent_id=context.consent_id)
    assert process_accounts_response(accounts_request(context.tpp.xs2a, access))


@when("it reads the accounts without a token")
def step(context: Any) -> None:
    access = dataclasses.replace(context.grant.access, token=None)
    context.answer = accounts_request(context.tpp.xs2a, access)
