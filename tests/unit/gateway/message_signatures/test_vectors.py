"""The examples of RFC 9421 appendix B and RFC 9530 appendix B: what others have made is read as they mean it."""

from __future__ import annotations

import json

import pytest

from gateway.message_signatures.content_digest import require_content_digest
from gateway.message_signatures.faults import SignatureFault
from gateway.message_signatures.fields import presented_signature
from gateway.message_signatures.judgement import require_verified
from gateway.message_signatures.messages import RequestMessage
from gateway.oauth.jose.key_set import read_key_set

BODY = b'{"hello": "world"}'
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
# RFC 9421 §B.1.4: test-key-ed25519
ED25519 = {"kty": "OKP", "crv": "Ed25519", "kid": "test-key-ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
# RFC 9421 §B.2.6
INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
SIGNATURE = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"
LINES = (
    ("host", "example.com"),
    ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("content-type", "application/json"),
    ("content-digest", DIGEST),
    ("content-length", "18"),
    ("signature-input", INPUT),
    ("signature", SIGNATURE),
)


def request(*, method: str = "POST") -> RequestMessage:
    return RequestMessage(method=method, url="https://example.com/foo?param=Value&Pet=dog", lines=LINES, body=BODY)


def test_the_example_b26_verifies() -> None:
    (key,) = read_key_set(json.dumps({"keys": [ED25519]})).keys
    presented = presented_signature(LINES, tag=None)
    require_verified(presented, key, request())
    with pytest.raises(SignatureFault):
        require_verified(presented, key, request(method="PUT"))


def test_the_digest_of_the_examples_is_that_of_their_body() -> None:
    require_content_digest(DIGEST, BODY)
    with pytest.raises(SignatureFault):
        require_content_digest(DIGEST, BODY + b"\n")
