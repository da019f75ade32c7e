"""The dry run of a request, asked and told."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from psd2.clock import FixedClock
from tests.unit.tpp_client.fakes import EDGE, ISSUER, ScriptedTransport, answer
from tpp_client.dpop import DpopKey, ProvingTransport
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.explaining import Question, dressed, explain_request, process_explain_response, question_about, told
from tpp_client.http_signatures import MessageSigningTransport
from tpp_client.readable import unverified_claims
from tpp_client.signing_keys import new_signing_key
from tpp_client.wire import HttpRequest

if TYPE_CHECKING:
    from tpp_client.wire import Transport

CLOCK = FixedClock(dt.datetime(2026, 11, 22, tzinfo=dt.UTC))

CHECKS: list[dict[str, Any]] = [
    {
        "check": "certificate",
        "label": "Certificate trusted",
        "verdict": "failed",
        "clause": "RFC 5280 §6.1",
        "seen": [{"what": "issuer", "value": "CN=Nobody"}],
        "reason": "mtls.untrusted",
        "text": "It was not issued by an authority that is trusted here.",
        "hint": "Use the QWAC of this sandbox.",
    },
    {"check": "role", "label": "PSP role granted", "verdict": "not_reached", "clause": "TS 119 495 §5.1", "seen": []},
]
REFUSED = {
    "verdict": "refused",
    "answer": {"status": 401, "reason": "mtls.untrusted"},
    "certificate": {"departures": [{"variant": "flat-roles", "text": "its roles stand flat", "clause": "TS 119 495 §5.2.2"}]},
    "checks": CHECKS,
}


def test_the_token_goes_along_and_stays_out_of_the_question() -> None:
    """As with the request itself; what is written down of a question holds no secret."""
    transport = ScriptedTransport(answer(200, REFUSED))
    question = Question(method="GET", path="/v1/accounts", headers={"Consent-ID": "1"}, authorization="Bearer secret")
    explain_request(transport, EDGE, question)
    (request,) = transport.requests
    assert (request.url, request.headers["Authorization"]) == (f"{EDGE}/explain", "Bearer secret")
    assert transport.json() == {"method": "GET", "path": "/v1/accounts", "headers": {"Consent-ID": "1"}}
    assert "secret" not in repr(question)


def test_an_explanation_is_told_check_by_check() -> None:
    """What failed, why, what helps, what was not reached, and how the certificate departs from the standard."""
    explanation = process_explain_response(answer(200, REFUSED))
    assert (explanation.is_admitted, explanation.reason) == (False, "mtls.untrusted")
    assert list(told(explanation)) == [
        "     failed  Certificate trusted (issuer: CN=Nobody) [RFC 5280 §6.1]",
        "             It was not issued by an authority that is trusted here.",
        "             Use the QWAC of this sandbox.",
        "not reached  PSP role granted [TS 119 495 §5.1]",
        "  departure  of the certificate: flat-roles: its roles stand flat [TS 119 495 §5.2.2]",
        "The gateway would refuse: mtls.untrusted",
    ]


def test_a_request_that_would_pass_is_told_so() -> None:
    admitted = process_explain_response(
        answer(200, {"verdict": "admitted", "answer": None, "certificate": None, "checks": CHECKS[1:]})
    )
    assert list(told(admitted))[-1] == "The gateway would let it through."


def test_an_answer_of_another_kind_is_no_explanation() -> None:
    with pytest.raises(Refused):
        process_explain_response(answer(429, {"code": "limit.rate"}))
    with pytest.raises(UnexpectedResponse):
        process_explain_response(answer(200, {"verdict": "refused", "certificate": None, "checks": []}))


# --- as it would be sent ----------------------------------------------------------------------------------------------

ACCOUNTS = HttpRequest(
    method="GET", url=f"{EDGE}/v1/accounts?withBalance=true", headers={"Authorization": "Bearer secret", "Consent-ID": "1"}
)


def test_a_question_holds_all_of_the_request_but_its_token() -> None:
    """The desk takes the token from the request that asks."""
    question = question_about(replace(ACCOUNTS, body=b"{}"), certificate="PEM")

    assert (question.method, question.path, question.body) == ("GET", "/v1/accounts?withBalance=true", "{}")
    assert (question.headers, question.authorization) == ({"Consent-ID": "1"}, "Bearer secret")
    assert "secret" not in repr(question)


def test_a_token_that_is_bound_to_a_key_is_asked_about_with_a_proof() -> None:
    """RFC 9449 §7.1: for the request that is asked about, and this token, not for the one that asks."""
    key = DpopKey(CLOCK)

    question = question_about(dressed(ACCOUNTS, lambda plain: ProvingTransport(transport=plain, key=key, edge=EDGE)))

    claims = unverified_claims(question.headers["DPoP"])
    assert question.authorization == "DPoP secret"
    assert (claims["htm"], claims["htu"]) == ("GET", f"{EDGE}/v1/accounts")
    assert "ath" in claims


def test_a_signature_is_asked_about_too() -> None:
    """RFC 9421: over the request and its proof, as it would be sent."""
    key, proving = new_signing_key(), DpopKey(CLOCK)

    def dress(plain: Transport) -> Transport:
        signing = MessageSigningTransport(transport=plain, key=key, issuer=ISSUER, edge=EDGE, clock=CLOCK)
        return ProvingTransport(transport=signing, key=proving, edge=EDGE)

    headers = question_about(dressed(ACCOUNTS, dress)).headers
    assert {"DPoP", "Signature", "Signature-Input"} <= headers.keys()
    assert '"dpop"' in headers["Signature-Input"]
