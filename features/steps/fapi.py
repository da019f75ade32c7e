"""Clients of the FAPI 2.0 profile: pushed requests and signed assertions."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import ANNA, CLOCK, Grant
from tpp_client.authorization import authorization_url, begin_authorization, process_authorization_response
from tpp_client.client_assertions import AssertingTransport, ClientSigner
from tpp_client.pushing import process_pushed_response, pushed_request
from tpp_client.refusals import refusal_of
from tpp_client.sandbox_api import process_psu_interaction_response, psu_interaction_request
from tpp_client.tokens import client_credentials_request, process_token_response, token_request

if TYPE_CHECKING:
    from features.tpps import Tpp
    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.wire import HttpResponse


@given("a TPP whose client speaks FAPI 2.0 and signs")
def step(context: Any) -> None:
    context.tpp = context.register.signing()


@given("a PSU has approved its pushed request")
@when("a PSU approves its pushed request")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    consent_id = tpp.consent()
    attempt = _attempt(tpp, f"AIS:{consent_id}")
    context.url = process_pushed_response(pushed_request(tpp.speaking, tpp.metadata, attempt), tpp.metadata, attempt)
    redirect = process_psu_interaction_response(_decided(tpp, context.url))
    code = process_authorization_response(tpp.metadata, attempt, redirect)
    tokens = process_token_response(token_request(tpp.speaking, tpp.metadata, code))
    context.grant = Grant(consent_id=consent_id, tokens=tokens)


@when("the browser is sent with the same reference again")
def step(context: Any) -> None:
    context.answer = _decided(context.tpp, context.url)


@when("the browser is sent with the request itself")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    context.answer = _decided(tpp, authorization_url(tpp.metadata, _attempt(tpp, f"AIS:{tpp.consent()}")))


@when("it asks for a token with an assertion meant for another server")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    assert tpp.stage.voice.key is not None
    audience = f"{tpp.identity.edge}/token"
    signer = ClientSigner(client_id=tpp.identity.client_id, audience=audience, key=tpp.stage.voice.key)
    transport = AssertingTransport(transport=tpp.transport, signer=signer, edge=tpp.identity.edge, clock=CLOCK)
    context.answer = client_credentials_request(transport, tpp.metadata, client_id=tpp.identity.client_id)


@then("the reference is refused because it was used before")
def step(context: Any) -> None:
    _require(context.answer, HTTPStatus.UNPROCESSABLE_ENTITY, "par.used")


@then("it is refused because it was not pushed")
def step(context: Any) -> None:
    _require(context.answer, HTTPStatus.UNPROCESSABLE_ENTITY, "par.required")


@then("the client is refused because of whom its assertion is meant for")
def step(context: Any) -> None:
    _require(context.answer, HTTPStatus.UNAUTHORIZED, "assertion.aud")


def _attempt(tpp: Tpp, scope: str) -> AuthorizationAttempt:
    identity = tpp.identity
    return begin_authorization(client_id=identity.client_id, redirect_uri=identity.redirect_uris[0], scope=scope)


def _decided(tpp: Tpp, url: str) -> HttpResponse:
    return psu_interaction_request(tpp.xs2a, url=url, psu=ANNA, result="APPROVED")


def _require(answer: HttpResponse, status: HTTPStatus, reason: str) -> None:
    refusal = refusal_of(answer)
    assert (answer.status, refusal.reason) == (status, reason), refusal
