"""Signing requests: against the drafts' and the guidelines' own examples, and wrong in exactly one way each."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from psd2.certificates import NotAQsealc, parse_certificate, require_qsealc
from psd2.digests import DigestAlgorithm, UnknownDigest, WrongDigest, digest_header, require_digest
from psd2.http_signatures import (
    KeyMismatch,
    MalformedSignature,
    MissingField,
    SignatureAlgorithm,
    SignatureHeader,
    WrongSignature,
    sign,
    signing_string,
    verify,
)
from psd2.key_ids import WrongKeyId, key_id_of, require_key_id
from psd2.qualified import QcType
from tests.support.pki import Authority

# draft-cavage-http-signatures-12, appendix C.
DRAFT_KEY = b"""-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----
"""
DRAFT_VALUES = {
    "(request-target)": ["post /foo?param=value&pet=dog"],
    "host": ["example.com"],
    "date": ["Sun, 05 Jan 2014 21:31:40 GMT"],
    "content-type": ["application/json"],
    "digest": ["SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
    "content-length": ["18"],
}
DRAFT_BASIC = (
    'keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date",'
    'signature="qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7ndmw2iicw3HMbe8VfEdKFYRqzic+efkb3'
    'nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="'
)
DRAFT_ALL = (
    'keyId="Test",algorithm="rsa-sha256",created=1402170695, expires=1402170699,'
    'headers="(request-target) host date content-type digest content-length",'
    'signature="vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLEEzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaE'
    'RZFukWgHoBTLMhYS2Gb51gWxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="'
)
# BG IG 1.3.8 §12: the request's body in base64, and its digest.
GUIDELINES_BODY = base64.b64decode(
    "eyAgICANCiAgICJpbnN0cnVjdGVkQW1vdW50IjogeyJjdXJyZW5jeSI6ICJFVVIiLCAiYW1vdW50IjogIjEyMyJ9LA0KICAgImRlYnRvckFjY291bnQiOiB7ImliYW4iOiAi"
    "REUyMzEwMDEwMDEwMTIzNDU2Nzg5In0sDQogICAiY3JlZGl0b3IiOiB7Im5hbWUiOiAiTWVyY2hhbnQxMjMifSwNCiAgICJjcmVkaXRvckFjY291bnQiOiB7ImliYW4iOiAi"
    "REUyMzEwMDEyMDAyMDEyMzQ1Njc4OSJ9LA0KICAgInJlbWl0dGFuY2VJbmZvcm1hdGlvblVuc3RydWN0dXJlZCI6ICJSZWYgTnVtYmVyIE1lcmNoYW50Ig0KfQ=="
)
GUIDELINES_DIGEST = "SHA-256=iXhCYo105ae/y5v/UJkQWuBe1I+mdKG0JxwU35vwsgo="
CA = Authority("Seal CA, of Test & Sons")


@pytest.mark.parametrize("text", [DRAFT_BASIC, DRAFT_ALL])
def test_the_drafts_own_signatures_verify(text: str) -> None:
    """The signing string, the parameters and RSA are as the draft has them."""
    header = SignatureHeader.parse(text)

    message = signing_string(header.fields, DRAFT_VALUES)
    verify(load_pem_public_key(DRAFT_KEY), SignatureAlgorithm(header.algorithm), message, header.signature)


def test_the_guidelines_own_signing_string() -> None:
    """BG IG §12.2, example."""
    values = {
        "digest": [GUIDELINES_DIGEST],
        "x-request-id": [" 99391c7e-ad88-49ec-a2ad-99ddcb1f7721 "],
        "psu-id": ["PSU-1234"],
        "date": ["Sun, 06 Aug 2017 15:02:37 GMT"],
    }

    assert signing_string(("digest", "x-request-id", "psu-id"), values) == (
        f"digest: {GUIDELINES_DIGEST}\nx-request-id: 99391c7e-ad88-49ec-a2ad-99ddcb1f7721\npsu-id: PSU-1234".encode()
    )


def test_the_guidelines_own_digest() -> None:
    """BG IG §12.2, example; and the draft's (appendix C)."""
    assert digest_header(GUIDELINES_BODY) == GUIDELINES_DIGEST
    assert digest_header(b'{"hello": "world"}') == DRAFT_VALUES["digest"][0]
    require_digest(GUIDELINES_DIGEST, GUIDELINES_BODY)


def test_a_request_without_a_body_has_the_digest_of_nothing() -> None:
    """BG IG §12.1."""
    assert digest_header(b"") == "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    require_digest(digest_header(b"", DigestAlgorithm.SHA_512), b"")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (GUIDELINES_DIGEST, WrongDigest),
        ("MD5=1B2M2Y8AsgTpgAmY7PhCfg==", UnknownDigest),
        ("SHA-256=not base64", UnknownDigest),
        ("", UnknownDigest),
        (f"{digest_header(b'x')},{digest_header(b'y', DigestAlgorithm.SHA_512)}", WrongDigest),
    ],
)
def test_a_digest_that_is_not_the_bodys(value: str, fault: type[Exception]) -> None:
    """Of another body, in another algorithm, unreadable; of several each must be right."""
    with pytest.raises(fault):
        require_digest(value, b"x")


def test_of_several_digests_those_that_are_known_must_be_right() -> None:
    """RFC 3230 §4.3.2; names come in any case."""
    require_digest(f"MD5=1B2M2Y8AsgTpgAmY7PhCfg==, {digest_header(b'x').replace('SHA', 'sha')}", b"x")


@pytest.mark.parametrize("algorithm", list(SignatureAlgorithm))
def test_what_is_signed_verifies_and_nothing_else_does(algorithm: SignatureAlgorithm) -> None:
    """RSA and ECDSA, SHA-256 and SHA-512."""
    key = rsa.generate_private_key(65537, 2048) if algorithm.is_rsa else ec.generate_private_key(ec.SECP256R1())
    signature = sign(key, algorithm, b"message")

    verify(key.public_key(), algorithm, b"message", signature)
    for message, wrong in ((b"massage", signature), (b"message", signature[:-1] + b"\0"), (b"message", b"")):
        with pytest.raises(WrongSignature):
            verify(key.public_key(), algorithm, message, wrong)


def test_the_algorithm_is_the_keys() -> None:
    """BG IG §12.2: as the certificate's public key says."""
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(KeyMismatch):
        sign(key, SignatureAlgorithm.RSA_SHA256, b"")
    with pytest.raises(KeyMismatch):
        verify(key.public_key(), SignatureAlgorithm.RSA_SHA256, b"", b"")
    with pytest.raises(KeyMismatch):
        verify(ed25519.Ed25519PrivateKey.generate().public_key(), SignatureAlgorithm.RSA_SHA256, b"", b"")
    assert SignatureAlgorithm.of(key) is SignatureAlgorithm.ECDSA_SHA256


GOOD = 'keyId="SN=1,CA=CN=x",algorithm="rsa-sha256",headers="Digest X-Request-ID",signature="AA=="'


def test_a_signature_header_is_read_and_written() -> None:
    """Commas within quotes are no separators; names are signed in small letters."""
    header = SignatureHeader.parse(GOOD)

    assert header.key_id == "SN=1,CA=CN=x"
    assert header.fields == ("digest", "x-request-id")
    assert SignatureHeader.parse(str(header)) == header


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no keyId and no algorithm and no headers and no signature"),
        (GOOD.replace("keyId", "keyID"), "no keyId"),
        (GOOD.replace('algorithm="rsa-sha256",', ""), "no algorithm"),
        (GOOD.replace("Digest X-Request-ID", ""), "no headers"),
        (GOOD.replace("AA==", "A"), "no base64"),
        (GOOD.replace("AA==", "A A="), "no base64"),
        (GOOD + "," + GOOD, "keyId twice"),
        (GOOD.replace("X-Request-ID", "Digest"), "a header twice"),
        (GOOD.replace("X-Request-ID", "x:y"), "no header's name"),
        (GOOD.replace("X-Request-ID", " ".join(f"h{number}" for number in range(30))), "at most 30"),
        (GOOD.replace('"', "'"), "can't be read from character 1"),
        ("Signature " + GOOD, "can't be read"),
        (GOOD + "x" * 8000, "at most 8000"),
    ],
)
def test_a_signature_header_that_cannot_be_read_says_why(text: str, says: str) -> None:
    """Each in its own words."""
    with pytest.raises(MalformedSignature, match=says):
        SignatureHeader.parse(text)


def test_a_field_that_is_signed_has_to_be_there() -> None:
    """Nothing is signed as empty."""
    with pytest.raises(MissingField, match="psu-id"):
        signing_string(("digest", "psu-id"), {"digest": ["x"]})


def test_a_key_id_names_the_certificate() -> None:
    """Written as the guidelines have it; the issuer's parts in either order, blanks or not."""
    certificate = parse_certificate(CA.qseal().der)
    serial = f"{certificate.serial:X}"

    for key_id in (
        key_id_of(certificate),
        f"SN=00{serial},CA=CN=Seal%20CA%5C%2C%20of%20Test%20%26%20Sons,C=DE",
        f"SN={serial}, CA=C=DE, CN=Seal CA\\, of Test & Sons",
    ):
        require_key_id(key_id, certificate)


@pytest.mark.parametrize(
    ("key_id", "says"),
    [
        ("my-key", "not written like"),
        ("SN=xyz,CA=CN=x", "not written like"),
        ("SN=1,CA=CN=x", "serial number 1"),
        ("SN={serial},CA=CN=Other,C=DE", "another issuer"),
        ("SN={serial},CA=C=DE", "another issuer"),
        ("SN={serial},CA=nonsense", "no distinguished name"),
    ],
)
def test_a_key_id_of_something_else(key_id: str, says: str) -> None:
    """Another number, another issuer, no such form."""
    certificate = parse_certificate(CA.qseal().der)

    with pytest.raises(WrongKeyId, match=says):
        require_key_id(key_id.replace("{serial}", f"{certificate.serial:x}"), certificate)


def test_only_a_qsealc_signs() -> None:
    """QcType eseal and a PSD2 statement; a QWAC identifies sites."""
    require_qsealc(parse_certificate(CA.qseal().der))
    for other, says in (
        (CA.qwac(), "a QWAC"),
        (CA.qwac(types=frozenset()), "QcType eseal"),
        (CA.qwac(types=frozenset({QcType.WEB, QcType.ESEAL})), "QcType eseal"),
        (CA.qseal(number=None), "organizationIdentifier"),
        (CA.qseal(usages=("crl_sign",)), "keyUsage"),
    ):
        with pytest.raises(NotAQsealc, match=says):
            require_qsealc(parse_certificate(other.der))
