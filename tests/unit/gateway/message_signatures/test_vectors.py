"""The examples of RFC 9421 appendix B and RFC 9530 appendix B: what others have made is read as they mean it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from http_message_signatures.algorithms import RSA_PSS_SHA512

from gateway.message_signatures.algorithms import CLASSES
from gateway.message_signatures.base import ResponseBase
from gateway.message_signatures.content_digest import require_content_digest
from gateway.message_signatures.faults import SignatureFault, UnknownKeyId
from gateway.message_signatures.fields import presented_signature
from gateway.message_signatures.judgement import require_verified, verified_request
from gateway.message_signatures.messages import RequestMessage
from gateway.oauth.jose.jws import REGISTRY
from gateway.oauth.jose.key_set import PublicKey, read_key_set
from gateway.oauth.jose.refusals import KeySetRefused
from gateway.register.model import SigningAlg

BODY = b'{"hello": "world"}'
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
# RFC 9421 §B.1.4: test-key-ed25519
ED25519 = {"kty": "OKP", "crv": "Ed25519", "kid": "test-key-ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}
# §B.1.3: test-key-ecc-p256
P256 = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "test-key-ecc-p256",
    "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
    "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0",
}
# §B.1.2: test-key-rsa-pss
RSA_PSS = {
    "kty": "RSA",
    "kid": "test-key-rsa-pss",
    "e": "AQAB",
    "n": "r4tmm3r20Wd_PbqvP1s2-QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct-Lh1GH45x28Rw3Ry53mm-oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAv"
    "Lkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL-Wokqltd11nqqzi-bJ9cvSKADYdUAAN5WUtzdpiy6LbTgSxP7ociU4Tn0"
    "g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d-nb4bnNkQVklLQ3fVAvJm-xdDOp9LCNCN48V2pnDOkFV6-U9nV5oyc6XI2w",
}
# §B.2.1 to §B.2.3: minimal, selective and full coverage, by rsa-pss-sha512
BY_RSA_PSS = {
    "b21": (
        '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
        (
            "d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFx"
            "ykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmA"
            "vtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q=="
        ),
    ),
    "b22": (
        (
            '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss"'
            ';tag="header-example"'
        ),
        (
            "LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/"
            "0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6w"
            "iKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw=="
        ),
    ),
    "b23": (
        (
            '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")'
            ';created=1618884473;keyid="test-key-rsa-pss"'
        ),
        (
            "bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC"
            "59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ld"
            "mlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA=="
        ),
    ),
}
# §B.2.5: by a shared secret
BY_SECRET = (
    '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
    "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=",
)
# §B.2.6
BY_ED25519 = (
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==",
)
REQUEST = (
    ("host", "example.com"),
    ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
    ("content-type", "application/json"),
    ("content-digest", DIGEST),
    ("content-length", "18"),
)


def lines(example: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    said, signature = example
    return (*REQUEST, ("signature-input", f"sig={said}"), ("signature", f"sig=:{signature}:"))


def request(example: tuple[str, str], **changes: str) -> RequestMessage:
    said = {"method": "POST", "url": "https://example.com/foo?param=Value&Pet=dog"} | changes
    return RequestMessage(lines=lines(example), body=BODY, **said)


def key_of(jwk: dict[str, str]) -> PublicKey:
    (key,) = read_key_set(json.dumps({"keys": [jwk]})).keys
    return key


def require(example: tuple[str, str], key: PublicKey, *, tag: str | None = None, **changes: str) -> None:
    require_verified(presented_signature(lines(example), tag=tag), key, request(example, **changes))


def test_the_example_b26_verifies() -> None:
    require(BY_ED25519, key_of(ED25519))
    with pytest.raises(SignatureFault):
        require(BY_ED25519, key_of(ED25519), method="PUT")


@pytest.mark.parametrize(
    ("name", "tag", "changed"),
    [
        ("b21", None, None),
        ("b22", "header-example", {"url": "https://example.com/foo?param=Value&Pet=cat"}),
        ("b23", None, {"url": "https://example.com/foo?param=Value&Pet=cat"}),
    ],
)
def test_the_examples_by_rsa_pss_have_the_base_that_is_signed(
    name: str, tag: str | None, changed: dict[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rsa-pss-sha512 is none of FAPI 2.0's: with it in the place of PS256 they verify, and what they cover is what counts."""
    example, key = BY_RSA_PSS[name], key_of(RSA_PSS)
    with pytest.raises(SignatureFault):
        require(example, key, tag=tag)
    monkeypatch.setitem(CLASSES, SigningAlg.PS256, RSA_PSS_SHA512)  # type: ignore[arg-type]
    require(example, key, tag=tag)
    if changed is not None:
        with pytest.raises(SignatureFault):
            require(example, key, tag=tag, **changed)


def test_the_example_b24_has_our_base_and_verifies() -> None:
    """An answer: as it is put together here, the key's name last."""
    covered = {
        "@status": "200",
        "content-type": "application/json",
        "content-digest": "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
        "content-length": "23",
    }
    listed = " ".join(f'"{name}"' for name in covered)
    answer = ResponseBase(
        lines=tuple(f'"{name}": {value}' for name, value in covered.items()), parameters=f"({listed});created=1618884473"
    )
    signature = base64.b64decode("wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==")
    key = key_of(P256)
    algorithm = REGISTRY.get_alg(key.algorithm.value)

    assert algorithm.verify(answer.text("test-key-ecc-p256").encode(), signature, key.key)
    assert not algorithm.verify(answer.text("another").encode(), signature, key.key)
    require_content_digest(covered["content-digest"], b'{"message": "good dog"}')


def test_the_example_b25_by_a_shared_secret_is_by_no_key_here() -> None:
    """What both sides know proves nothing to a third: no secret can stand in a set of keys."""
    secret = {"kty": "oct", "kid": "test-shared-secret", "k": "c2VjcmV0"}
    with pytest.raises(KeySetRefused):
        key_of(secret)
    with pytest.raises(UnknownKeyId):
        verified_request(fit(BY_SECRET), read_key_set(json.dumps({"keys": [P256]})), now=1618884473, seconds=60)


def fit(example: tuple[str, str]) -> RequestMessage:
    """Return the request of an example, but for what this profile asks for before it looks for the key."""
    said, signature = example
    covering = said.replace("(", '("@method" "@target-uri" "authorization" "content-digest" ') + ';tag="fapi-2-request"'
    found = request((covering, signature))
    return replace(found, lines=(*found.lines, ("authorization", "Bearer token")))


def test_the_digest_of_the_examples_is_that_of_their_body() -> None:
    require_content_digest(DIGEST, BODY)
    with pytest.raises(SignatureFault):
        require_content_digest(DIGEST, BODY + b"\n")
