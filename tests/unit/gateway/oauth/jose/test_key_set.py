"""Only public keys that are strong enough verify anything (RFC 7517, FAPI 2.0 SP §5.4.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.oauth.jose.key_set import MOST_BYTES, MOST_KEYS, read_key_set, read_registered_keys
from gateway.oauth.jose.refusals import KeySetRefused
from gateway.register.model import SigningAlg
from tests.support.jose import Signer, eddsa, es256, jwks, key_set, ps256
from tests.support.pki import key_of, self_issued


def fault(text: str | bytes) -> tuple[str, str]:
    with pytest.raises(KeySetRefused) as refused:
        read_key_set(text)
    return refused.value.field, refused.value.reason


def registered_fault(**changes: object) -> tuple[str, str]:
    """Return why a key is not registered that is P-256 but for `changes`, beside one that is right."""
    with pytest.raises(KeySetRefused) as refused:
        read_registered_keys(jwks(ps256(), {**es256().jwk, **changes}))
    return refused.value.field, refused.value.reason


def test_each_kind_of_key_has_its_one_algorithm() -> None:
    """RFC 8725 §3.1."""
    keys = read_registered_keys(jwks(ps256(), es256(), eddsa())).keys

    assert [(key.kid, key.algorithm) for key in keys] == [
        ("rsa-1", SigningAlg.PS256),
        ("ec-1", SigningAlg.ES256),
        ("ed-1", SigningAlg.EDDSA),
    ]


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_member_refuses_the_whole_set(member: str) -> None:
    """It is known to others now; using the rest in silence would hide that."""
    field, reason = fault(jwks(ps256(), {**es256().jwk, member: "AQAB"}))

    assert field == f"keys.1.{member}"
    assert "private" in reason


def test_a_shared_secret_is_no_public_key() -> None:
    """`oct` has nothing but a private member."""
    assert fault(jwks(es256(), {"kty": "oct", "k": "c2VjcmV0"}))[0] == "keys.1.k"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"use": "enc"}, "use"),
        ({"key_ops": ["encrypt"]}, "key_ops"),
        ({"key_ops": "verify-not"}, "key_ops"),
        ({"alg": "ES512"}, "ES512"),
        ({"alg": "PS256"}, "PS256"),
        ({"alg": ["ES256"]}, "ES256"),
        ({"kty": "unheard-of"}, "no JWK"),
        ({"kty": None}, "no JWK"),
        ({"kty": ["EC"]}, "no JWK"),
        ({"crv": "P-384"}, "no JWK"),
        ({"crv": "unheard-of"}, "no JWK"),
        ({"x": "AAAA"}, "no JWK"),
        ({"x": 7}, "no JWK"),
        ({"y": "not base64!"}, "no JWK"),
        ({"x": es256("another").jwk["x"]}, "no JWK"),  # no point of the curve
    ],
)
def test_a_key_that_could_not_be_used_is_not_registered(changes: dict[str, object], said: str) -> None:
    """Its owner hears at once what is wrong and where, and not only when something fails."""
    field, reason = registered_fault(**changes)

    assert field == "keys.1"
    assert said in reason


@pytest.mark.parametrize(
    ("jwk", "said"),
    [
        (RSAKey(rsa.generate_private_key(65_537, 1024).public_key(), None).as_dict(), "1024 bits"),  # noqa: S505 - the point
        (ECKey(ec.generate_private_key(ec.SECP384R1()).public_key(), None).as_dict(), "P-256"),
        (ECKey(ec.generate_private_key(ec.SECP256K1()).public_key(), None).as_dict(), "P-256"),
        (OKPKey(ed448.Ed448PrivateKey.generate().public_key(), None).as_dict(), "Ed25519"),
        ({**ps256().jwk, "e": "AQ"}, "no JWK"),
        ({**ps256().jwk, "e": "AQAAAAAAAAAB"}, "exponent"),
    ],
    ids=["rsa-1024", "p-384", "secp256k1", "ed448", "exponent-1", "exponent-of-65-bits"],
)
def test_weak_keys_and_other_curves_are_passed_over(jwk: dict[str, Any], said: str) -> None:
    """In a set that is fetched, the rest goes on (RFC 7517 §5); alone, nothing is left."""
    published = key_set(es256(), {**jwk, "kid": "weak"})

    assert [key.kid for key in published.keys] == ["ec-1"]
    assert [(passed.kid, said in passed.reason) for passed in published.passed_over] == [("weak", True)]
    assert fault(jwks(jwk))[0] == "keys.0"


def test_an_rsa_key_that_takes_forever_to_verify_is_passed_over() -> None:
    """A number of 16,384 bits is as good a modulus as any to whoever wants to cost time."""
    huge = {"kty": "RSA", "n": "-" + "_" * 2729 + "w", "e": "AQAB"}

    assert "RSA keys need 2048 to 8192" in key_set(es256(), huge).passed_over[0].reason


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "jwks"),
        ("[]", "jwks"),
        (b"\xff", "jwks"),
        ('{"keys":[],"keys":[]}', "jwks"),
        ("{}", "keys"),
        ('{"keys": {}}', "keys"),
        ('{"keys": []}', "keys"),
        ('{"keys": [7]}', "keys.0"),
        (json.dumps({"keys": [es256().jwk] * (MOST_KEYS + 1)}), "keys"),
        (jwks({**es256().jwk, "kid": ""}), "keys.0.kid"),
        (jwks({**es256().jwk, "kid": 7}), "keys.0.kid"),
        (jwks({**es256().jwk, "kid": "x" * 201}), "keys.0.kid"),
        (jwks({**es256().jwk, "pad": "x" * MOST_BYTES}), "jwks"),
    ],
)
def test_what_is_no_set_of_keys_is_refused_by_field(text: str | bytes, field: str) -> None:
    """Each wrong in one way."""
    assert fault(text)[0] == field


def test_a_certificate_beside_a_key_changes_nothing() -> None:
    """`x5c`, `x5u` and the like may stand there: it is the key that is registered."""
    key = read_registered_keys(jwks({**es256().jwk, "x5c": ["MIIB"], "x5t#S256": "abc", "use": "sig", "alg": "ES256"})).keys[0]

    assert key.algorithm is SigningAlg.ES256


def test_signers_of_the_tests_publish_nothing_private() -> None:
    """The test's own support does what it says."""
    assert {"d", "p", "q"}.isdisjoint(Signer("PS256", "k", ps256().key).jwk)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1()])
def test_a_key_that_signs_no_message_may_name_a_certificate(curve: ec.EllipticCurve) -> None:
    """FAPI 2.0 SP §5.4.1 is about messages; a TLS certificate may be on any curve that is strong (RFC 8705 §2.2)."""
    named = key_of(self_issued(key=ec.generate_private_key(curve))) | {"kid": "own"}

    published = key_set(named)
    registered = read_registered_keys(jwks(named), for_certificates=True)

    assert (published.keys, registered.keys) == ((), ())
    assert [passed.names_certificate for passed in published.passed_over] == [True]
    with pytest.raises(KeySetRefused, match="P-256"):
        read_registered_keys(jwks(named))


@pytest.mark.parametrize(
    "changes",
    [
        {"x5c": None},
        {"x5c": ["AAAA"]},
        {"x5c": key_of(self_issued())["x5c"]},
        {"use": "enc"},
        key_of(self_issued(key=ec.generate_private_key(ec.SECP256K1()))),
        {"d": "AQAB"},
    ],
    ids=["none", "no DER", "another key's", "for encryption", "weak curve", "private"],
)
def test_a_certificate_that_is_not_the_key_s_own_or_not_strong_helps_nobody(changes: dict[str, object]) -> None:
    """Nothing else is let in by it."""
    named = key_of(self_issued(key=ec.generate_private_key(ec.SECP384R1())))

    with pytest.raises(KeySetRefused):
        read_registered_keys(jwks(named | changes), for_certificates=True)
