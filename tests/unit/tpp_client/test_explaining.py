"""The dry run of a request, asked and told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tpp_client.fakes import EDGE, ScriptedTransport, answer
from tpp_client.errors import Refused, UnexpectedResponse
from tpp_client.explaining import Question, explain_request, process_explain_response, told

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
    question = Question(method="GET", path="/v1/accounts", headers={"Consent-ID": "1"}, token="secret")
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
