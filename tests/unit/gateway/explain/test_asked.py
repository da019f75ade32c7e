"""The question of a dry run: read strictly, every fault named, no secret in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.admission.refusal import Refusal
from gateway.explain.asked import read_asked
from tests.support.pki import self_signed

QUESTION = {"method": "GET", "path": "/v1/accounts?withBalance=true"}
KEY = "-----BEGIN PRIVATE KEY-----\n"


def asked(**more: Any) -> Any:
    return read_asked(json.dumps(QUESTION | more).encode())


def test_a_question_is_read() -> None:
    """Path and query apart, names in small letters, a certificate as DER."""
    certificate = self_signed()
    read = asked(headers={"Consent-ID": "1"}, body="ä", certificate=certificate.pem)
    assert (read.path, read.query) == ("/v1/accounts", b"withBalance=true")
    assert read.headers == ((b"consent-id", b"1"),)
    assert (read.body, read.der) == ("ä".encode(), certificate.der)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"method": "get"}, "method"),
        ({"path": "v1"}, "path"),
        ({"path": "/a b"}, "path"),
        ({"query": "x"}, "query"),
        ({"headers": {"Authorization": "Bearer x"}}, "authorization is taken from the request that asks"),
        ({"headers": {"a": "1\r\nb: 2"}}, "headers"),
        ({"headers": {"a": "1", "A": "2"}}, "twice"),
        ({"headers": {str(number): "" for number in range(51)}}, "headers"),
        ({"certificate": "MIIB"}, "certificate"),
        ({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "certificate"),
        ({"certificate": self_signed().pem + KEY}, "private key"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, Any], named: str) -> None:
    """In the answer, with what would be right."""
    with pytest.raises(Refusal) as refused:
        asked(**wrong)
    assert refused.value.reason == "explain.body"
    assert named in refused.value.public_text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"method": "GET"}'])
def test_what_is_no_question_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal):
        read_asked(body)
