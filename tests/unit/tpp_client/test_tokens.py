"""Tokens: what is asked, how the answer is judged."""

from __future__ import annotations

import pytest

from tests.unit.tpp_client.fakes import EDGE, ISSUER, METADATA, ScriptedTransport, answer
from tpp_client.authorization import AuthorizationCode, begin_authorization
from tpp_client.discovery import ServerMetadata, process_discovery_response
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.tokens import (
    client_credentials_request,
    introspection_request,
    process_introspection_response,
    process_revocation_response,
    process_token_response,
    refresh_request,
    revocation_request,
    token_request,
)

GRANTED = {"access_token": "acc3ss", "token_type": "Bearer", "expires_in": 300, "refresh_token": "r3fresh"}


@pytest.fixture
def metadata() -> ServerMetadata:
    return process_discovery_response(answer(200, METADATA), issuer=ISSUER)


def test_a_code_is_exchanged_with_its_verifier_and_redirect_uri(metadata: ServerMetadata) -> None:
    """RFC 6749 §4.1.3, RFC 7636 §4.5; no client secret: the QWAC authenticates (RFC 8705 §2.1)."""
    attempt = begin_authorization(client_id="c1", redirect_uri="https://localhost/cb", scope="AIS:x")
    transport = ScriptedTransport(answer(200, GRANTED))

    token_request(transport, metadata, AuthorizationCode(attempt=attempt, value="c0de"))

    assert transport.requests[0].url == f"{EDGE}/token"
    assert transport.form() == {
        "grant_type": "authorization_code",
        "code": "c0de",
        "redirect_uri": "https://localhost/cb",
        "client_id": "c1",
        "code_verifier": attempt.verifier,
    }


def test_other_grants_name_themselves(metadata: ServerMetadata) -> None:
    """RFC 6749 §6 and §4.4."""
    transport = ScriptedTransport(answer(200, GRANTED), answer(200, GRANTED))

    refresh_request(transport, metadata, client_id="c1", refresh_token="r1")
    client_credentials_request(transport, metadata, client_id="c1")

    assert transport.form(0) == {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "c1"}
    assert transport.form(1) == {"grant_type": "client_credentials", "client_id": "c1"}


def test_tokens_are_read_and_stay_out_of_the_repr() -> None:
    """RFC 6749 §5.1; an absent scope is the one asked for."""
    tokens = process_token_response(answer(200, GRANTED), asked_scope="AIS:x")

    assert (tokens.access_token, tokens.refresh_token, tokens.expires_in, tokens.scope) == ("acc3ss", "r3fresh", 300, "AIS:x")
    assert "acc3ss" not in repr(tokens)
    assert "r3fresh" not in repr(tokens)


def test_a_token_of_another_type_is_refused() -> None:
    """RFC 6749 §7.1."""
    with pytest.raises(UnexpectedResponse, match="token_type"):
        process_token_response(answer(200, GRANTED | {"token_type": "DPoP"}))


def test_a_refused_exchange_says_why() -> None:
    """RFC 6749 §5.2."""
    with pytest.raises(Refused, match="400 invalid_grant: used"):
        process_token_response(answer(400, {"error": "invalid_grant", "error_description": "used"}))


def test_an_active_token_tells_its_certificate(metadata: ServerMetadata) -> None:
    """RFC 7662 §2.2, RFC 8705 §3.2."""
    body = {"active": True, "client_id": "c1", "scope": "AIS:x", "cnf": {"x5t#S256": "thumb"}}
    transport = ScriptedTransport(answer(200, body))

    found = process_introspection_response(introspection_request(transport, metadata, client_id="c1", token="t"))

    assert (found.active, found.client_id, found.thumbprint) == (True, "c1", "thumb")
    assert transport.form()["token"] == "t"


def test_an_inactive_token_tells_nothing_else() -> None:
    """RFC 7662 §2.2; and `active` must be there."""
    assert process_introspection_response(answer(200, {"active": False, "scope": "x"})).scope is None
    with pytest.raises(UnexpectedResponse, match="active"):
        process_introspection_response(answer(200, {}))


def test_revocation_takes_200_only(metadata: ServerMetadata) -> None:
    """RFC 7009 §2.2."""
    transport = ScriptedTransport(answer(200), answer(503))

    process_revocation_response(revocation_request(transport, metadata, client_id="c1", token="t"))

    with pytest.raises(Refused):
        process_revocation_response(revocation_request(transport, metadata, client_id="c1", token="t"))
