"""Wishes said in full, and grants with names."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from behave import given, then, when

from features.tpps import ANNA, Grant
from tpp_client.authorization import begin_authorization, process_authorization_response
from tpp_client.grants import (
    QUERY_SCOPE,
    REVOKE_SCOPE,
    GrantAction,
    Granted,
    account_information,
    as_parameters,
    grant_request,
    grant_revocation_request,
    managed,
    process_grant_response,
    process_grant_revocation_response,
    process_granted_response,
)
from tpp_client.pushing import process_pushed_response, pushed_request
from tpp_client.refusals import refusal_of
from tpp_client.sandbox_api import process_psu_interaction_response, psu_interaction_request
from tpp_client.tokens import client_credentials_request, process_token_response, token_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.tpps import Tpp
    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.wire import HttpResponse

_WITHIN_SECONDS = 30


@when("it asks for access to one account of a PSU, who approves")
def step(context: Any) -> None:
    _take(context, _granted(context.tpp, as_parameters(_detail(context.tpp))))


@when("it asks for accounts, and the PSU picks one")
def step(context: Any) -> None:
    accounts = (_iban(context.tpp),)
    _take(context, _granted(context.tpp, {"scope": "accounts"}, accounts=accounts))


@given("it was granted access to one account, under a name")
def step(context: Any) -> None:
    _take(context, _granted(context.tpp, as_parameters(_detail(context.tpp)) | managed(GrantAction.CREATE)))
    assert process_grant_response(_asked_about(context.tpp, context.granted)).status == "valid"


@when("it asks for something of an unknown kind")
def step(context: Any) -> None:
    tpp: Tpp = context.tpp
    attempt = _attempt(tpp, {"authorization_details": json.dumps([{"type": "insurance"}])})
    context.answer = pushed_request(tpp.transport, tpp.metadata, attempt)


@when("it asks to have another account added, and the PSU approves")
def step(context: Any) -> None:
    wish = as_parameters(_detail(context.tpp, place=1)) | managed(GrantAction.MERGE, context.granted.grant_id)
    context.earlier = context.granted
    _take(context, _granted(context.tpp, wish))


@when("it revokes the grant")
def step(context: Any) -> None:
    tpp, granted = context.tpp, context.granted
    token = _own_token(tpp, REVOKE_SCOPE)
    response = grant_revocation_request(tpp.transport, tpp.metadata, granted.grant_id, token=token)
    process_grant_revocation_response(response)


@then("it is told which consent it has, for that account")
def step(context: Any) -> None:
    granted: Granted = context.granted
    assert granted.tokens.scope == f"AIS:{granted.consent_id}", granted.tokens.scope
    assert set(granted.ibans) == {_iban(context.tpp)}, granted.ibans
    assert context.tpp.consent_status(granted.consent_id) == "valid"


@then("the wish is refused with its place, and nothing is made")
def step(context: Any) -> None:
    refusal = refusal_of(context.answer)
    assert refusal.status == HTTPStatus.BAD_REQUEST, str(refusal)
    assert "$[0].type is insurance" in refusal.text, refusal.text


@then("the grant is for both accounts, under its old name")
def step(context: Any) -> None:
    granted: Granted = context.granted
    assert granted.grant_id == context.earlier.grant_id, granted.grant_id
    assert set(granted.ibans) == {_iban(context.tpp, place=place) for place in (0, 1)}, granted.ibans
    assert context.tpp.read_accounts(context.grant).status == HTTPStatus.OK


@then("the consent that it was for has ended")
def step(context: Any) -> None:
    assert context.tpp.consent_status(context.earlier.consent_id) == "terminatedByTpp"


@then("its token opens nothing any more, and the consent is ended")
def step(context: Any) -> None:
    deadline = time.monotonic() + _WITHIN_SECONDS
    while (status := context.tpp.read_accounts(context.grant).status) == HTTPStatus.OK and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == HTTPStatus.UNAUTHORIZED, status
    assert context.tpp.consent_status(context.granted.consent_id) == "terminatedByTpp"


@then("the grant is unknown")
def step(context: Any) -> None:
    assert _asked_about(context.tpp, context.granted).status == HTTPStatus.NOT_FOUND


def _iban(tpp: Tpp, *, place: int = 0) -> str:
    return tpp.persona(ANNA).accounts[place].iban


def _detail(tpp: Tpp, *, place: int = 0) -> dict[str, object]:
    return account_information((_iban(tpp, place=place),), valid_until=tpp.today() + timedelta(days=90))


def _attempt(tpp: Tpp, wish: Mapping[str, str]) -> AuthorizationAttempt:
    more = {name: value for name, value in wish.items() if name != "scope"}
    return begin_authorization(
        client_id=tpp.identity.client_id, redirect_uri=tpp.stage.redirect_uri, scope=wish.get("scope", ""), more=more
    )


def _granted(tpp: Tpp, wish: Mapping[str, str], accounts: tuple[str, ...] | None = None) -> Granted:
    attempt = _attempt(tpp, wish)
    url = process_pushed_response(pushed_request(tpp.transport, tpp.metadata, attempt), tpp.metadata, attempt)
    decided = psu_interaction_request(tpp.xs2a, url=url, psu=ANNA, accounts=accounts)
    code = process_authorization_response(tpp.metadata, attempt, process_psu_interaction_response(decided))
    return process_granted_response(token_request(tpp.transport, tpp.metadata, code))


def _take(context: Any, granted: Granted) -> None:
    context.granted, context.grant = granted, Grant(consent_id=granted.consent_id, tokens=granted.tokens)


def _own_token(tpp: Tpp, scope: str) -> str:
    response = client_credentials_request(tpp.transport, tpp.metadata, client_id=tpp.identity.client_id, scope=scope)
    return process_token_response(response).access_token


def _asked_about(tpp: Tpp, granted: Granted) -> HttpResponse:
    assert granted.grant_id is not None
    return grant_request(tpp.transport, tpp.metadata, granted.grant_id, token=_own_token(tpp, QUERY_SCOPE))
