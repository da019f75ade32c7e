"""A client that signs its requests with its own key, judged as the gateway does, and takes no answer that is not signed."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import KeySet, OKPKey, RSAKey

from gateway.message_signatures.judgement import verified_request
from gateway.message_signatures.messages import RequestMessage
from gateway.message_signatures.responses import ResponseMessage, to_be_signed, wish_of
from gateway.oauth.jose.key_set import read_key_set
from psd2.clock import FixedClock
from tests.unit.tpp_client.fakes import EDGE, ISSUER, METADATA
from tpp_client.errors import IdentityUnusable, SignedAnswerRejected
from tpp_client.http_signatures import MessageSigningTransport, require_signed, signed_request, signing_transport
from tpp_client.readable import exchange_of
from tpp_client.signing_keys import SigningKey, new_signing_key
from tpp_client.wire import HttpRequest, HttpResponse, json_request

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = dt.datetime(2026, 11, 22, 17, 0, tzinfo=dt.UTC)
SERVER = new_signing_key()
SERVER_KEYS = KeySet.import_key_set({"keys": [SERVER.public]})
TOKEN = {"Authorization": "Bearer no-secret-of-the-bank", "X-Request-ID": "r-1"}
GET = HttpRequest(method="GET", url=f"{EDGE}/v1/accounts?withBalance=true", headers=TOKEN)
POST = json_request("POST", f"{EDGE}/v1/funds-confirmations", {"amount": "1.00"}, TOKEN)
PROVED = HttpRequest(
    method="GET", url=f"{EDGE}/v1/accounts", headers={"Authorization": "DPoP no-secret-of-the-bank", "DPoP": "a.b.c"}
)


@cache
def keys() -> dict[str, SigningKey]:
    """Return a key of each algorithm."""
    ed25519, rsa = OKPKey.generate_key("Ed25519", private=True), RSAKey.generate_key(2048, private=True)
    return {
        "ES256": new_signing_key(),
        "EdDSA": SigningKey(key=ed25519, alg="EdDSA", kid="ed"),
        "PS256": SigningKey(key=rsa, alg="PS256", kid="rsa"),
    }


def lines_of(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in request.headers.items())


def message_of(request: HttpRequest) -> RequestMessage:
    return RequestMessage(method=request.method, url=request.url, lines=lines_of(request), body=request.body or b"")


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
@pytest.mark.parametrize("request_", [GET, POST, PROVED])
def test_the_gateway_believes_what_the_client_signs(alg: str, request_: HttpRequest) -> None:
    key = keys()[alg]
    signed = signed_request(request_, key, now=NOW)
    known = read_key_set(json.dumps({"keys": [key.public]}))
    found = verified_request(message_of(signed), known, now=NOW.timestamp(), seconds=60)
    assert (found.keyid, found.algorithm.value) == (key.kid, alg)


def test_two_requests_that_are_the_same_are_signed_differently() -> None:
    """Else the second would be a replay of the first."""
    key = keys()["EdDSA"]
    assert signed_request(GET, key, now=NOW).headers["Signature"] != signed_request(GET, key, now=NOW).headers["Signature"]


class Bank:
    """Signs as the gateway does, and publishes its key; `spoil` changes what comes back."""

    def __init__(self, spoil: Callable[[HttpResponse], HttpResponse] = lambda response: response, *, status: int = 200) -> None:
        self.spoil, self.status = spoil, status
        self.asked: list[HttpRequest] = []

    def send(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request)
        if request.url.startswith(ISSUER):
            return HttpResponse(request=request, status=200, body=self._published(request.url))
        return self.spoil(self._signed(request))

    @staticmethod
    def _published(url: str) -> bytes:
        published = {"keys": [SERVER.public]} if url.endswith("/jwks") else METADATA | {"jwks_uri": f"{ISSUER}/jwks"}
        return json.dumps(published).encode()

    def _signed(self, request: HttpRequest) -> HttpResponse:
        wish = wish_of([request.headers.get("Accept-Signature", "")])
        response = HttpResponse(request=request, status=self.status, headers={"content-type": "text/plain"}, body=b"hello")
        if wish is None:
            return response
        said = ResponseMessage(status=self.status, lines=tuple(response.headers.items()), body=response.body)
        wanted = to_be_signed(message_of(request), said, wish, created=int(NOW.timestamp()))
        assert wanted is not None
        fields = wanted.fields(SERVER.kid, SERVER.signature(wanted.base.text(SERVER.kid).encode()))
        return replace(response, headers={**response.headers, **dict(fields)})


def transport(bank: Bank) -> MessageSigningTransport:
    return signing_transport(bank, new_signing_key(), issuer=ISSUER, edge=EDGE, clock=FixedClock(NOW))


def test_an_answer_that_the_bank_has_signed_is_taken() -> None:
    bank = Bank()
    sender = transport(bank)
    response = sender.send(POST)
    sender.send(GET)
    assert response.body == b"hello"
    assert [request.url for request in bank.asked].count(f"{ISSUER}/jwks") == 1
    shown = exchange_of(response).signed
    assert shown["request's signature"].startswith('tpp=("@method" "@target-uri" "authorization" "content-digest")')
    assert '"@status"' in shown["answer's signature"]
    assert "no-secret-of-the-bank" not in str(shown)


def without(*names: str) -> Callable[[HttpResponse], HttpResponse]:
    return lambda response: replace(
        response, headers={name: value for name, value in response.headers.items() if name not in names}
    )


def rewritten(old: str, new: str) -> Callable[[HttpResponse], HttpResponse]:
    """Change what is said of the signature, which is signed itself."""
    return lambda response: replace(
        response, headers={name: value.replace(old, new) for name, value in response.headers.items()}
    )


@pytest.mark.parametrize(
    "spoil",
    [
        without("signature", "signature-input"),
        without("signature"),
        without("content-digest"),
        lambda response: replace(response, body=b"hello!"),
        lambda response: replace(response, status=201),
        rewritten("fapi-2-response", "another"),
        rewritten(SERVER.kid, "another"),
        rewritten(f"created={int(NOW.timestamp())}", f"created={int(NOW.timestamp()) - 90}"),
        rewritten(f"created={int(NOW.timestamp())}", f"created={int(NOW.timestamp()) + 60}"),
        rewritten(f"created={int(NOW.timestamp())};", ""),
        rewritten('"signature";req', '"x"'),
    ],
)
def test_an_answer_that_is_not_as_the_bank_signed_it_is_rejected(spoil: Callable[[HttpResponse], HttpResponse]) -> None:
    with pytest.raises(SignedAnswerRejected):
        transport(Bank(spoil)).send(POST)


def test_an_answer_to_another_request_is_rejected() -> None:
    """What a server in between has kept, it can't show again."""
    key, bank = new_signing_key(), Bank()
    first, second = (signed_request(GET, key, now=NOW) for _ in range(2))
    kept = bank.send(first)
    require_signed(kept, first, SERVER_KEYS, now=NOW)
    with pytest.raises(SignedAnswerRejected):
        require_signed(kept, second, SERVER_KEYS, now=NOW)


@pytest.mark.parametrize("seconds", [-11, 71])
def test_an_answer_is_of_this_moment(seconds: int) -> None:
    asked = signed_request(GET, new_signing_key(), now=NOW)
    answer = Bank().send(asked)
    require_signed(answer, asked, SERVER_KEYS, now=NOW)
    with pytest.raises(SignedAnswerRejected, match="seconds ago"):
        require_signed(answer, asked, SERVER_KEYS, now=NOW + dt.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "missing", ["", '"@status"', '"@method";req', '"@target-uri";req', '"signature";req', '"content-digest"']
)
def test_a_signature_that_covers_too_little_is_none(missing: str) -> None:
    """The bank's own, and good: what it leaves open, anybody may have changed (FAPI 2.0 HTTP Signatures §5.3.2.2)."""

    def signed_less(response: HttpResponse) -> HttpResponse:
        label, _, parameters = response.headers["signature-input"].partition("=")
        kept = [name for name in values if name != missing]
        listed = f"({' '.join(kept)}){parameters.partition(')')[2]}"
        base = "\n".join([*(f"{name}: {values[name]}" for name in kept), f'"@signature-params": {listed}'])
        signature = base64.b64encode(SERVER.signature(base.encode())).decode()
        fields = {"signature-input": f"{label}={listed}", "signature": f"{label}=:{signature}:"}
        return replace(response, headers={**response.headers, **fields})

    asked = signed_request(GET, new_signing_key(), now=NOW)
    answer = Bank().send(asked)
    values = {
        '"@status"': "200",
        '"@method";req': "GET",
        '"@target-uri";req': GET.url,
        '"content-digest"': answer.headers["content-digest"],
        '"signature";req': asked.headers["Signature"],
        '"signature-input";req': asked.headers["Signature-Input"],
    }
    if not missing:
        require_signed(signed_less(answer), asked, SERVER_KEYS, now=NOW)
        return
    with pytest.raises(SignedAnswerRejected):
        require_signed(signed_less(answer), asked, SERVER_KEYS, now=NOW)


def test_a_refusal_may_come_unsigned_and_is_a_refusal() -> None:
    """The gateway signs what the bank answers, not what it refuses with itself."""
    refused = transport(Bank(without("signature", "signature-input"), status=401)).send(GET)
    assert refused.status == 401


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest(method="POST", url=f"{EDGE}/v1/consents", headers={"X-Request-ID": "r-1"}),
        HttpRequest(method="POST", url=f"{EDGE}/token", headers=TOKEN),
        HttpRequest(method="GET", url=f"{ISSUER}/v1/accounts", headers=TOKEN),
    ],
)
def test_what_bears_no_token_or_goes_elsewhere_is_not_signed(request_: HttpRequest) -> None:
    bank = Bank()
    transport(bank).send(request_)
    assert "Signature" not in bank.asked[0].headers


def test_a_client_without_a_key_is_told_how_to_have_one() -> None:
    with pytest.raises(IdentityUnusable, match="fapi2-message-signing"):
        signing_transport(Bank(), None, issuer=ISSUER, edge=EDGE, clock=FixedClock(NOW))
