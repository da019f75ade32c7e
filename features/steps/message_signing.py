"""Clients of FAPI 2.0 Message Signing: signed requests, signed answers, tokens bound to a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import Grant
from tpp_client.authorization import authorization_parameters
from tpp_client.pushing import pushed_parameters_request

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.authorization import AuthorizationAttempt


@given("a TPP whose client signs its requests and takes signed answers")
def step(context: Any) -> None:
    context.tpp = context.register.message_signing()


@given("a PSU has approved its signed request")
@when("a PSU approves its signed request")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    consent_id = tpp.consent()
    attempt = _attempt(tpp, f"AIS:{consent_id}")
    redirect = tpp.stage.psu.decide(tpp.stage.voice.address(tpp.speaking, tpp.metadata, attempt))
    code, context.signed = tpp.stage.voice.answer(tpp.speaking, tpp.metadata, attempt, redirect)
    context.grant = Grant(consent_id=consent_id, tokens=tpp.stage.voice.tokens(tpp.speaking, tpp.metadata, code))


@when("it pushes its request unsigned")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    parameters = authorization_parameters(_attempt(tpp, f"AIS:{tpp.consent()}"))
    context.answer = pushed_parameters_request(tpp.speaking, tpp.metadata, parameters)


@when("somebody sends its token as a Bearer token")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    context.answer = tpp.read_accounts_over(tpp.identity.qwac, context.grant)


@then("the bank has signed its answer")
def step(context: Any) -> None:
    assert context.signed.claims.text("iss") == context.tpp.identity.issuer


def _attempt(tpp: Tpp, scope: str) -> AuthorizationAttempt:
    return tpp.stage.voice.begin(redirect_uri=tpp.identity.redirect_uris[0], scope=scope)
