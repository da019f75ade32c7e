"""Tokens in the wrong hands, handed back, refreshed."""

from __future__ import annotations

import dataclasses
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import then, when

from psd2.ids import new_secret
from tpp_client.accounts import accounts_request, process_accounts_response
from tpp_client.consents import consent_deletion_request, process_consent_deletion_response
from tpp_client.refusals import refusal_of
from tpp_client.tokens import (
    introspection_request,
    process_introspection_response,
    process_revocation_response,
    process_token_response,
    refresh_request,
    revocation_request,
)
from tpp_client.xs2a import Access

if TYPE_CHECKING:
    from features.tpps import Grant, Tpp
    from tpp_client.wire import HttpResponse


@when("another TPP presents its access token")
def step(context: Any) -> None:
    context.answer = context.tpp.read_accounts_over(context.other.identity.qwac, context.grant)


@when("it presents the old token over the new certificate")
def step(context: Any) -> None:
    context.answer = context.renewed.read_accounts(context.grant)


@when("it presents a made-up token")
def step(context: Any) -> None:
    access = Access(token=new_secret(), consent_id=context.grant.consent_id)
    context.answer = accounts_request(context.tpp.xs2a, access)


@when("another TPP uses its refresh token")
def step(context: Any) -> None:
    other: Tpp = context.other
    token = context.grant.tokens.refresh_token
    context.answer = refresh_request(other.transport, other.metadata, client_id=other.identity.client_id, refresh_token=token)


@when("another TPP looks into its access token")
def step(context: Any) -> None:
    other: Tpp = context.other
    token = context.grant.tokens.access_token
    response = introspection_request(other.transport, other.metadata, client_id=other.identity.client_id, token=token)
    context.introspection = process_introspection_response(response)


@when("it revokes its access token")
def step(context: Any) -> None:
    process_revocation_response(_revoke(context.tpp, context.grant))
    context.since = time.monotonic()


@when("another TPP revokes its access token")
def step(context: Any) -> None:
    context.answer = _revoke(context.other, context.grant)


@when("it ends the consent")
def step(context: Any) -> None:
    response = consent_deletion_request(context.tpp.xs2a, context.grant.consent_id)
    process_consent_deletion_response(response)


@when("another TPP ends the consent")
def step(context: Any) -> None:
    context.answer = consent_deletion_request(context.other.xs2a, context.grant.consent_id)


@then("the token is called invalid")
def step(context: Any) -> None:
    challenge = context.answer.headers.get("www-authenticate", "")
    assert 'error="invalid_token"' in challenge, f"WWW-Authenticate is {challenge!r}"


@then("the revocation is refused")
@then("the exchange is refused")
@then("the second exchange is refused")
def step(context: Any) -> None:
    refusal = refusal_of(context.answer)
    assert (refusal.status, refusal.code) == (HTTPStatus.BAD_REQUEST, "invalid_grant"), str(refusal)


@then("a refreshed token works again under the same consent")
def step(context: Any) -> None:
    renewed: Tpp = context.renewed
    response = refresh_request(
        renewed.transport,
        renewed.metadata,
        client_id=renewed.identity.client_id,
        refresh_token=context.grant.tokens.refresh_token,
    )
    refreshed = dataclasses.replace(context.grant, tokens=process_token_response(response))
    assert process_accounts_response(renewed.read_accounts(refreshed))


@then("it learns nothing")
def step(context: Any) -> None:
    assert not context.introspection.active


@then("it still sees the accounts of the consent")
@then("it sees the accounts of the consent")
def step(context: Any) -> None:
    seen = {account.iban for account in process_accounts_response(context.tpp.read_accounts(context.grant))}
    assert seen, "no account is shown"


@then("the consent is terminated by the TPP")
def step(context: Any) -> None:
    assert context.tpp.consent_status(context.grant.consent_id) == "terminatedByTpp"


@then("reading the accounts is refused")
def step(context: Any) -> None:
    refusal = refusal_of(context.tpp.read_accounts(context.grant))
    assert refusal.status == HTTPStatus.UNAUTHORIZED, str(refusal)


def _revoke(tpp: Tpp, grant: Grant) -> HttpResponse:
    token = grant.tokens.access_token
    return revocation_request(tpp.transport, tpp.metadata, client_id=tpp.identity.client_id, token=token)
