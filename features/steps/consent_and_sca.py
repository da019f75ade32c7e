"""The PSU at the bank's own pages, and what comes back to the TPP."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.psu_visits import PsuVisit
from features.tpps import Grant
from psd2.ids import new_secret
from tpp_client.accounts import process_accounts_response
from tpp_client.errors import AuthorizationRefused
from tpp_client.tokens import process_token_response, token_request

if TYPE_CHECKING:
    from features.tpps import Tpp

_MOST_GUESSES = 10


@given("an AISP that has asked for a consent and sent the PSU to the bank")
def step(context: Any) -> None:
    tpp: Tpp = context.register.shared()
    context.tpp, context.consent_id = tpp, tpp.consent()
    context.visit = PsuVisit(tpp, f"AIS:{context.consent_id}")
    context.add_cleanup(context.visit.browser.close)


@when("the PSU logs in, chooses one account and confirms with the one-time password")
@when("the PSU approves")
@given("the PSU has approved")
def step(context: Any) -> None:
    visit: PsuVisit = context.visit
    _come_to_the_code(context)
    visit.type_one_time_password()
    visit.browser.go_back_to_tpp()


@when("the PSU logs in and refuses")
def step(context: Any) -> None:
    visit: PsuVisit = context.visit
    visit.log_in()
    visit.refuse()
    visit.browser.go_back_to_tpp()


@when("the PSU logs in, chooses one account and types a wrong one-time password")
def step(context: Any) -> None:
    _come_to_the_code(context)
    context.visit.type_wrong_one_time_password()


@when("the PSU logs in, chooses one account and types wrong one-time passwords until the bank gives up")
def step(context: Any) -> None:
    visit: PsuVisit = context.visit
    _come_to_the_code(context)
    for _ in range(_MOST_GUESSES):
        if not visit.is_asked_for_a_code():
            break
        visit.type_wrong_one_time_password()
    assert not visit.is_asked_for_a_code(), f"{_MOST_GUESSES} guesses, and the bank still asks"
    visit.browser.go_back_to_tpp()


@when("somebody tries to log in with a wrong password")
def step(context: Any) -> None:
    context.visit.log_in("not the password")


@when("the TPP exchanges the code twice")
def step(context: Any) -> None:
    code = context.visit.answer()
    process_token_response(token_request(context.tpp.transport, context.tpp.metadata, code))
    context.answer = token_request(context.tpp.transport, context.tpp.metadata, code)


@when("the code is exchanged with another verifier")
def step(context: Any) -> None:
    code = context.visit.answer()
    forged = dataclasses.replace(code, attempt=dataclasses.replace(code.attempt, verifier=new_secret()))
    context.answer = token_request(context.tpp.transport, context.tpp.metadata, forged)


@when("the TPP asks for a consent that ended yesterday")
def step(context: Any) -> None:
    context.answer = context.tpp.ask_consent(days=-1)


@then("the consent is {status:w}")
def step(context: Any, status: str) -> None:
    found = context.tpp.consent_status(context.consent_id)
    assert found == status, f"the consent is {found}"


@then("the consent is not valid")
def step(context: Any) -> None:
    found = context.tpp.consent_status(context.consent_id)
    assert found != "valid", "the consent is valid"


@then("the TPP sees that account and no other")
def step(context: Any) -> None:
    response = token_request(context.tpp.transport, context.tpp.metadata, context.visit.answer())
    grant = Grant(consent_id=context.consent_id, tokens=process_token_response(response))
    seen = [account.account_id for account in process_accounts_response(context.tpp.read_accounts(grant))]
    assert seen == [context.chosen], f"{len(seen)} accounts are shown"


@then("the TPP is told that access was denied")
@then("no code reaches the TPP")
def step(context: Any) -> None:
    try:
        context.visit.answer()
    except AuthorizationRefused as refused:
        told = refused.error
    else:
        raise AssertionError("a code came back")
    assert told == "access_denied", f"the TPP is told {told}"


@then("the bank asks for the password again")
def step(context: Any) -> None:
    visit: PsuVisit = context.visit
    assert visit.browser.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert visit.is_asked_for_a_code()
    assert visit.browser.arrived_at is None


@then("the bank shows no account")
def step(context: Any) -> None:
    page = context.visit.browser.page
    shown = [account.iban for persona in context.tpp.personas for account in persona.accounts if account.iban in page]
    assert not shown, "an account is shown"
    assert context.visit.browser.form_to("login")


@then("the TPP finds its own state and the bank's name in the answer")
def step(context: Any) -> None:
    visit: PsuVisit = context.visit
    assert f"state={visit.attempt.state}" in str(visit.browser.arrived_at)
    # Raises when state or issuer is missing or wrong.
    assert visit.answer().value


def _come_to_the_code(context: Any) -> None:
    visit: PsuVisit = context.visit
    visit.log_in()
    context.chosen = visit.choose_first_account()
    visit.ask_for_code()
