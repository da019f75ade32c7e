"""What a TPP asks for in full, what it is told that it was granted, and how it gives it back."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.tpp_client.fakes import EDGE, ISSUER, METADATA, ScriptedTransport, answer
from tpp_client.authorization import authorization_url, begin_authorization
from tpp_client.discovery import ServerMetadata, process_discovery_response
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.grants import (
    GrantAction,
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

GRANTED: dict[str, Any] = {
    "access_token": "t",
    "token_type": "Bearer",
    "expires_in": 600,
    "scope": "AIS:c1",
    "grant_id": "g1",
    "authorization_details": [{"type": "account_information", "consentId": "c1", "access": {"accounts": [{"iban": "DE1"}]}}],
}


@pytest.fixture
def metadata() -> ServerMetadata:
    return process_discovery_response(answer(200, METADATA | {"grant_management_endpoint": f"{EDGE}/grants"}), issuer=ISSUER)


def test_the_wish_stands_in_the_address_and_no_scope_beside_it(metadata: ServerMetadata) -> None:
    """RFC 9396 §3: as JSON, an array."""
    wish = account_information(("DE1",), valid_until=date(2027, 1, 1))
    attempt = begin_authorization(
        client_id="c", redirect_uri="https://t.example/cb", more=as_parameters(wish) | managed(GrantAction.MERGE, "g1")
    )

    query = parse_qs(urlsplit(authorization_url(metadata, attempt)).query)

    assert json.loads(query["authorization_details"][0]) == [wish]
    assert (query["grant_management_action"], query["grant_id"]) == (["merge"], ["g1"])
    assert "scope" not in query


def test_the_wish_is_pushed_and_named_in_the_address() -> None:
    """RFC 9126 §2.1, §4: the browser is told the reference alone."""
    content = METADATA | {"pushed_authorization_request_endpoint": f"{EDGE}/par"}
    metadata = process_discovery_response(answer(200, content), issuer=ISSUER)
    attempt = begin_authorization(client_id="c", redirect_uri="https://t.example/cb", scope="accounts")
    transport = ScriptedTransport(answer(201, {"request_uri": "urn:1", "expires_in": 90}))

    url = process_pushed_response(pushed_request(transport, metadata, attempt), metadata, attempt)

    assert transport.requests[0].url == f"{EDGE}/par"
    assert b"scope=accounts" in (transport.requests[0].body or b"")
    assert url == f"{ISSUER}/authorize?client_id=c&request_uri=urn%3A1"


def test_what_was_granted_is_read() -> None:
    """The consent, its accounts and the grant's name."""
    granted = process_granted_response(answer(200, GRANTED))

    assert (granted.consent_id, granted.ibans, granted.grant_id) == ("c1", ("DE1",), "g1")


def test_a_token_that_says_nothing_of_what_was_granted_is_not_taken() -> None:
    """The client would not know what it may do."""
    with pytest.raises(UnexpectedResponse, match="authorization_details"):
        process_granted_response(answer(200, GRANTED | {"authorization_details": None}))


def test_a_grant_is_asked_about_and_given_back_at_its_address(metadata: ServerMetadata) -> None:
    """Grant Management §6.3, with a token of the client's own."""
    details = [{"consentStatus": "valid", "access": {"accounts": [{"iban": "DE1"}]}}]
    told = answer(200, {"authorization_details": details, "scopes": [{"scope": "AIS:c1"}], "expires_at": 1_800_000_000})
    transport = ScriptedTransport(told, answer(204), answer(404, {"error": "invalid_grant_id"}))

    state = process_grant_response(grant_request(transport, metadata, "g 1", token="t"))
    assert (state.scope, state.status, state.ibans, state.expires_at.year) == ("AIS:c1", "valid", ("DE1",), 2027)
    process_grant_revocation_response(grant_revocation_request(transport, metadata, "g 1", token="t"))
    with pytest.raises(Refused):
        process_grant_revocation_response(grant_revocation_request(transport, metadata, "g 1", token="t"))

    asked = transport.requests[1]
    assert (asked.method, asked.url, asked.headers["Authorization"]) == ("DELETE", f"{EDGE}/grants/g%201", "Bearer t")


def test_a_bank_that_lets_nobody_ask_about_grants_is_told_apart() -> None:
    """Grant Management §7.1; and an address that is not https is never called with a token."""
    without = process_discovery_response(answer(200, METADATA), issuer=ISSUER)
    with pytest.raises(UnexpectedResponse, match="no grant_management_endpoint"):
        grant_request(ScriptedTransport(), without, "g1", token="t")
    with pytest.raises(UnexpectedResponse, match="is not https"):
        process_discovery_response(answer(200, METADATA | {"grant_management_endpoint": "http://x/grants"}), issuer=ISSUER)
