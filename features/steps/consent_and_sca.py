"""The PSU at the bank's own pages, and what comes back to the TPP."""

from __future__ import annotations

import dataclasses
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.psu_pages import PsuBrowser
from features.tpps import ANNA, Grant
from psd2.ids import new_secret
from tpp_client.accounts import process_accounts_response
from tpp_client.authorization import (
    AuthorizationCode,
    authorization_url,
    begin_authorization,
    process_authorization_response,
)
from tpp_client.errors import AuthorizationRefused
from tpp_client.sandbox_api import inbox_request, process_inbox_response
from tpp_client.tokens import process_token_response, token_request

if TYPE_CHECKING:
    from features.tpps import Tpp

_MOST_GUESSES = 10
_CODE = re.compile(r"\b\d{6}\b")


@given("an AISP that has asked for a consent and sent the PSU to the bank")
def step(context: Any) -> None:
    tpp: Tpp = context.register.shared()
    identity = tpp.identity
    context.tpp, context.consent_id = tpp, tpp.consent()
    context.attempt = begin_authorization(
        client_id=identity.client_id, redirect_uri=identity.redirect_uris[0], scope=f"AIS:{context.consent_id}"
    )
    context.browser = PsuBrowser(cafile=identity.cafile, redirect_uri=identity.redirect_uris[0])
    context.add_cleanup(context.browser.close)
    context.browser.open(authorization_url(tpp.metadata, context.attempt))


@when("the PSU logs in, chooses one account and confirms with the one-time password")
@when("the PSU approves")
@given("the PSU has approved")
def step(context: Any) -> None:
    _come_to_the_code(context)
    browser: PsuBrowser = context.browser
    browser.send(browser.form_to("confirm"), code=_one_time_password(context.tpp))
    browser.go_back_to_tpp()


@when("the PSU logs in and refuses")
def step(context: Any) -> None:
    browser: PsuBrowser = context.browser
    _log_in(context)
    browser.send(browser.form_to("refuse"))
    browser.go_back_to_tpp()


@when("the PSU logs in, chooses one account and types a wrong one-time password")
def step(context: Any) -> None:
    _come_to_the_code(context)
    _type_a_wrong_one(context)


@when("the PSU logs in, chooses one account and types wrong one-time passwords until the bank gives up")
def step(context: Any) -> None:
    browser: PsuBrowser = context.browser
    _come_to_the_code(context)
    for _ in range(_MOST_GUESSES):
        _type_a_wrong_one(context)
        if not any(form.action.endswith("/confirm") for form in browser.forms):
            break
    else:
        raise AssertionError(f"{_MOST_GUESSES} guesses, and the bank still asks")
    browser.go_back_to_tpp()


@when("somebody tries to log in with a wrong password")
def step(context: Any) -> None:
    browser: PsuBrowser = context.browser
    browser.send(browser.form_to("login"), login=ANNA, password="not the password")


@when("the TPP exchanges the code twice")
def step(context: Any) -> None:
    code = _code(context)
    process_token_response(token_request(context.tpp.transport, context.tpp.metadata, code))
    context.answer = token_request(context.tpp.transport, context.tpp.metadata, code)


@when("the code is exchanged with another verifier")
def step(context: Any) -> None:
    code = _code(context)
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
    tokens = process_token_response(token_request(context.tpp.transport, context.tpp.metadata, _code(context)))
    grant = Grant(consent_id=context.consent_id, tokens=tokens)
    seen = [account.account_id for account in process_accounts_response(context.tpp.read_accounts(grant))]
    assert seen == [context.chosen], f"{len(seen)} accounts are shown"


@then("the TPP is told that access was denied")
def step(context: Any) -> None:
    assert _denial(context) == "access_denied"


@then("no code reaches the TPP")
def step(context: Any) -> None:
    assert _denial(context) == "access_denied"


@then("the bank asks for the password again")
def step(context: Any) -> None:
    assert context.browser.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert context.browser.form_to("confirm")
    assert context.browser.arrived_at is None


@then("the bank shows no account")
def step(context: Any) -> None:
    page = context.browser.page
    shown = [account.iban for persona in context.tpp.personas for account in persona.accounts if account.iban in page]
    assert not shown, "an account is shown"
    assert context.browser.form_to("login")


@then("the TPP finds its own state and the bank's name in the answer")
def step(context: Any) -> None:
    # process_authorization_response raises when either is missing or wrong.
    assert f"state={context.attempt.state}" in context.browser.arrived_at
    assert _code(context).value


def _log_in(context: Any) -> None:
    browser: PsuBrowser = context.browser
    password = context.tpp.persona(ANNA).password
    browser.send(browser.form_to("login"), login=ANNA, password=password)


def _come_to_the_code(context: Any) -> None:
    browser: PsuBrowser = context.browser
    _log_in(context)
    choice = browser.form_to("accounts")
    context.chosen = choice.choices["account"][0]
    browser.send(choice, account=[context.chosen])
    browser.send(browser.form_to("send"))


def _one_time_password(tpp: Tpp) -> str:
    newest = process_inbox_response(inbox_request(tpp.xs2a, psu=ANNA))[0]
    found = _CODE.search(newest.text)
    assert found, f"no one-time password in {newest.subject!r}"
    return found.group()


def _type_a_wrong_one(context: Any) -> None:
    browser: PsuBrowser = context.browser
    right = _one_time_password(context.tpp)
    browser.send(browser.form_to("confirm"), code=f"{(int(right) + 1) % 1_000_000:06}")


def _code(context: Any) -> AuthorizationCode:
    redirect = context.browser.arrived_at
    assert redirect, f"the PSU is not back at the TPP but on {context.browser.url}"
    return process_authorization_response(context.tpp.metadata, context.attempt, redirect)


def _denial(context: Any) -> str:
    try:
        _code(context)
    except AuthorizationRefused as refused:
        return refused.error
    raise AssertionError("a code came back")
