"""What a client of FAPI 2.0 does differently: it pushes its request, and may sign to say who it is."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt

from psd2.clock import FixedClock
from tests.unit.tpp_client.fakes import EDGE, ISSUER
from tpp_client.authorization import begin_authorization
from tpp_client.client_assertions import ASSERTION_TYPE, AssertingTransport, ClientSigner
from tpp_client.discovery import ServerMetadata
from tpp_client.errors import IdentityUnusable, TppClientError, UnexpectedResponse
from tpp_client.pushing import process_pushed_response, pushed_request
from tpp_client.signing_keys import load_signing_key, new_signing_key
from tpp_client.wire import HttpRequest, HttpResponse, form_request

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
METADATA = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{EDGE}/token",
    introspection_endpoint=f"{EDGE}/introspect",
    revocation_endpoint=f"{EDGE}/revoke",
    names_issuer_in_responses=True,
    pushed_authorization_request_endpoint=f"{EDGE}/par",
)
ATTEMPT = begin_authorization(client_id="acme-1", redirect_uri="https://tpp.example/cb", scope="AIS:1")


@dataclass
class Wire:
    """Notes what is sent, and answers all alike."""

    status: int = 201
    sent: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        self.sent.append(request)
        body = json.dumps({"request_uri": "urn:ietf:params:oauth:request_uri:x", "expires_in": 90}).encode()
        return HttpResponse(request=request, status=self.status, body=body)


def fields_of(request: HttpRequest) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((request.body or b"").decode(), strict_parsing=True).items()}


def test_the_browser_carries_a_reference_alone() -> None:
    """Everything else goes over the back channel."""
    wire = Wire()

    url = urlsplit(process_pushed_response(pushed_request(wire, METADATA, ATTEMPT), METADATA, ATTEMPT))

    assert fields_of(wire.sent[0])["redirect_uri"] == "https://tpp.example/cb"
    assert parse_qs(url.query) == {"client_id": ["acme-1"], "request_uri": ["urn:ietf:params:oauth:request_uri:x"]}


def test_anything_but_created_is_a_refusal() -> None:
    """RFC 9126 §2.2."""
    with pytest.raises(TppClientError):
        process_pushed_response(pushed_request(Wire(status=200), METADATA, ATTEMPT), METADATA, ATTEMPT)


def test_a_server_without_par_is_told_of() -> None:
    """Not sent to no address."""
    with pytest.raises(UnexpectedResponse, match="pushed"):
        pushed_request(Wire(), replace(METADATA, pushed_authorization_request_endpoint=""), ATTEMPT)


def test_each_request_to_the_server_bears_an_assertion_of_its_own() -> None:
    """Meant for the issuer as a text, for a minute; nobody else gets one."""
    own = new_signing_key()
    key = own.key
    signer = ClientSigner(client_id="acme-1", audience=ISSUER, key=own)
    wire = Wire()
    transport = AssertingTransport(transport=wire, signer=signer, edge=EDGE, clock=FixedClock(NOW))
    for url in (f"{EDGE}/token", f"{EDGE}/token", f"{EDGE}/v1/consents", "https://elsewhere.example/token"):
        transport.send(form_request(url, {"client_id": "acme-1"}))

    first, second = (fields_of(request) for request in wire.sent[:2])
    claims = jwt.decode(first["client_assertion"], key, algorithms=["ES256"]).claims
    assert first["client_assertion_type"] == ASSERTION_TYPE
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("acme-1", "acme-1", ISSUER)
    assert claims["exp"] - claims["iat"] == 60
    assert claims["jti"] != jwt.decode(second["client_assertion"], key, algorithms=["ES256"]).claims["jti"]
    assert [fields_of(request) for request in wire.sent[2:]] == [{"client_id": "acme-1"}] * 2


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    """By its file."""
    (tmp_path / "client.key").write_text("x")

    with pytest.raises(IdentityUnusable, match=r"client\.key"):
        load_signing_key(tmp_path / "client.key")
