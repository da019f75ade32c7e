"""Signed requests: each is wrong in exactly one way, and refused for just that."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.admission.request import Connection, Request
from gateway.admission.signatures import SignatureVerdict, SignedRequest, judged_signature
from gateway.policies.model import Listener
from gateway.register.model import Tpp, TppStatus
from gateway.trust.judgement import Judge
from gateway.trust.rules import StoreRules
from gateway.trust.snapshot import CrlInForce, TrustSnapshot
from psd2.http_signatures import SignatureAlgorithm
from psd2.roles import PspRole
from psd2.thumbprints import sha256_hex
from tests.support import signing
from tests.support.pki import DAY, NUMBER, Authority, Issued

NOW = time.time()
# Signed at the moment that they are judged at, however long the other tests take in between.
signed_headers = partial(signing.signed_headers, at=NOW)
ROOT = Authority("Root")
CA = Authority("Issuing", parent=ROOT)
SEAL = CA.qseal()
BODY = b'{"instructedAmount": {"currency": "EUR", "amount": "1.00"}}'
TPP = Tpp(
    authorisation_number=NUMBER,
    name="T",
    country="DE",
    nca_id="DE-BAFIN",
    nca_name="BaFin",
    roles=frozenset({PspRole.PI}),
    status=TppStatus.ACTIVE,
)


def judge(*, revoked: tuple[Issued, ...] = (), blocked: tuple[Issued, ...] = (), crl: bool = True) -> Judge:
    """Return who judges seals by one trust store."""
    serials = frozenset(each.certificate.serial_number for each in revoked)
    in_force = CrlInForce(number=1, this_update=NOW, next_update=NOW + 600, revoked=serials)
    crls = {sha256_hex(each.name.public_bytes()): in_force for each in (ROOT, CA)} if crl else {}
    snapshot = TrustSnapshot(
        anchors=(ROOT.certificate,),
        intermediates=(CA.certificate,),
        crls=crls,
        blocked=frozenset(each.sha256 for each in blocked),
    )
    return Judge(snapshot, StoreRules())


def verdict(
    headers: dict[str, str], *, body: bytes = BODY, judging: Judge | None = None, tpp: Tpp = TPP, query: bytes = b""
) -> SignatureVerdict:
    """Judge a POST with these headers."""
    request = Request(
        connection=Connection(listener=Listener.EDGE, address="", tls=None, leaf=None),
        id="1",
        method="POST",
        path="/v1/payments/sepa-credit-transfers",
        query=query,
        host="localhost",
        authorization=None,
        tpp_request_id=None,
    )
    lines = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return judged_signature(SignedRequest(request, lines, body), tpp, judging or judge(), now=NOW, longest_age=300)


def reason(headers: dict[str, str], **options: object) -> str:
    """Return why the signature is refused."""
    refusal = verdict(headers, **options).refusal  # type: ignore[arg-type]
    assert refusal is not None
    return refusal.reason


def without(name: str) -> dict[str, str]:
    """Return a signed request's headers but one."""
    headers = signed_headers(SEAL, BODY)
    del headers[name]
    return headers


def changed(name: str, value: str) -> dict[str, str]:
    """Return a signed request's headers, one of them changed after the signature."""
    return signed_headers(SEAL, BODY) | {name: value}


@pytest.mark.parametrize("algorithm", list(SignatureAlgorithm))
def test_a_good_signature_is_valid(algorithm: SignatureAlgorithm) -> None:
    """RSA and ECDSA, with SHA-256 and SHA-512."""
    key = rsa.generate_private_key(65537, 2048) if algorithm.is_rsa else ec.generate_private_key(ec.SECP384R1())
    seal = CA.qseal(subject_key=key)

    found = verdict(signed_headers(seal, BODY, algorithm=algorithm))
    assert found.refusal is None
    assert found.seal is not None
    assert found.seal.sha256 == seal.sha256


def test_date_and_target_may_be_signed_and_need_not() -> None:
    """The guidelines name neither, the YAML's example signs the date (docs/divergences.md)."""
    minimal = ("digest", "x-request-id")
    target = "post /v1/payments/sepa-credit-transfers?a=b"
    with_target = signed_headers(SEAL, BODY, covers=("(request-target)", *minimal), target=target)

    assert verdict(signed_headers(SEAL, BODY, covers=minimal)).refusal is None
    assert verdict(with_target, query=b"a=b").refusal is None
    assert reason(with_target, query=b"a=c") == "signature.invalid"


def test_a_request_without_a_date_is_as_old_as_it_likes() -> None:
    """Whether one is wanted is the bank's to say (headers of its personality)."""
    headers = signed_headers(SEAL, BODY, covers=("digest", "x-request-id"))
    del headers["date"]

    assert verdict(headers).refusal is None


def test_the_certificate_may_come_as_pem_on_one_line() -> None:
    """As some libraries write it."""
    encoded = signed_headers(SEAL, BODY)["tpp-signature-certificate"]
    pem = f"-----BEGIN CERTIFICATE-----{encoded}-----END CERTIFICATE-----"

    assert verdict(changed("tpp-signature-certificate", pem)).refusal is None


OTHER = CA.qseal()
FAULTS = {
    "no signature beside a digest": (without("signature"), "signature.missing"),
    "no certificate": (without("tpp-signature-certificate"), "signature.certificate_missing"),
    "no digest": (without("digest"), "signature.digest_missing"),
    "no request id": (without("x-request-id"), "signature.headers"),
    "a signed header taken out": (without("date"), "signature.headers"),
    "an unreadable signature": (changed("signature", "keyId=1"), "signature.malformed"),
    "an unknown algorithm": (
        changed("signature", signed_headers(SEAL, BODY)["signature"].replace("ecdsa-sha256", "hs2019")),
        "signature.algorithm",
    ),
    "SHA-1": (
        changed("signature", signed_headers(SEAL, BODY)["signature"].replace("ecdsa-sha256", "rsa-sha1")),
        "signature.algorithm",
    ),
    "another key's algorithm": (
        changed("signature", signed_headers(SEAL, BODY)["signature"].replace("ecdsa-sha256", "rsa-sha256")),
        "signature.algorithm",
    ),
    "an unreadable certificate": (changed("tpp-signature-certificate", "!"), "signature.certificate_malformed"),
    "no certificate but base64": (changed("tpp-signature-certificate", "AAAA"), "signature.certificate_malformed"),
    "an endless certificate": (changed("tpp-signature-certificate", "A" * 16_004), "signature.certificate_malformed"),
    "a foreign authority's seal": (signed_headers(Authority("Foreign").qseal(), BODY), "signature.certificate_untrusted"),
    "a QWAC as seal": (signed_headers(CA.qwac(), BODY), "signature.not_a_seal"),
    "an expired seal": (
        signed_headers(
            CA.qseal(
                not_before=SEAL.certificate.not_valid_before_utc - 9 * DAY, not_after=SEAL.certificate.not_valid_before_utc
            ),
            BODY,
        ),
        "signature.certificate_expired",
    ),
    "tomorrow's seal": (
        signed_headers(CA.qseal(not_before=SEAL.certificate.not_valid_before_utc + 2 * DAY), BODY),
        "signature.certificate_not_yet_valid",
    ),
    "another TPP's seal": (signed_headers(CA.qseal(number="PSDFR-ACPR-2"), BODY), "signature.other_tpp"),
    "another certificate's keyId": (signed_headers(SEAL, BODY, key_id="SN=1,CA=CN=Issuing,C=DE"), "signature.key_id"),
    "a digest that is not covered": (signed_headers(SEAL, BODY, covers=("x-request-id",)), "signature.headers"),
    "a request id that is not covered": (signed_headers(SEAL, BODY, covers=("digest",)), "signature.headers"),
    "a PSU that is not covered": (signed_headers(SEAL, BODY, PSU_ID="anna"), "signature.headers"),
    "a company that is not covered": (signed_headers(SEAL, BODY, PSU_Corporate_ID="c"), "signature.headers"),
    "a way back that is not covered": (signed_headers(SEAL, BODY, TPP_Redirect_URI="https://x"), "signature.headers"),
    "an old date": (signed_headers(SEAL, BODY, at=NOW - 302), "signature.date"),
    "a date ahead": (signed_headers(SEAL, BODY, at=NOW + 302), "signature.date"),
    "an old date, not signed": (signed_headers(SEAL, BODY, covers=("digest", "x-request-id"), at=NOW - 302), "signature.date"),
    "no date": (signed_headers(SEAL, BODY, date="yesterday"), "signature.date"),
    "a digest in MD5": (signed_headers(SEAL, BODY, digest="MD5=AAAA"), "signature.digest_algorithm"),
    "another body's digest": (signed_headers(SEAL, b"{}"), "signature.digest_mismatch"),
    "a signed header changed": (changed("x-request-id", "0d2a0c1e-6f5b-4d55-8a71-0a5f1d2e3c4b"), "signature.invalid"),
    "another key": (signed_headers(SEAL, BODY, signed_with=OTHER), "signature.invalid"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_own_reason(fault: str) -> None:
    """Wrong in one way, refused for that."""
    headers, expected = FAULTS[fault]

    assert reason(headers) == expected


def test_a_header_of_the_signature_given_twice_is_refused() -> None:
    """Of two signatures somebody else could read the other."""
    headers = signed_headers(SEAL, BODY)
    request = SignedRequest(
        Request(
            connection=Connection(listener=Listener.EDGE, address="", tls=None, leaf=None),
            id="1",
            method="POST",
            path="/v1/consents",
            query=b"",
            host="localhost",
            authorization=None,
            tpp_request_id=None,
        ),
        [(name.encode(), value.encode()) for name, value in headers.items()],
        BODY,
    )
    for name in ("signature", "digest", "tpp-signature-certificate", "date"):
        doubled = replace(request, headers=[*request.headers, (name.encode(), headers[name].encode())])
        refusal = judged_signature(doubled, TPP, judge(), now=NOW, longest_age=300).refusal
        assert refusal is not None
        assert refusal.reason == "signature.malformed"


def test_a_revoked_seal_signs_nothing_any_more() -> None:
    """Nor one that is blocked, or of which nobody knows whether it is revoked."""
    headers = signed_headers(SEAL, BODY)

    assert reason(headers, judging=judge(revoked=(SEAL,))) == "signature.certificate_revoked"
    assert reason(headers, judging=judge(blocked=(SEAL,))) == "signature.certificate_blocked"
    assert reason(headers, judging=judge(crl=False)) == "signature.certificate_status_unknown"


def test_a_seal_opens_no_connection_and_a_qwac_seals_nothing_whichever_is_judged_first() -> None:
    """One judge remembers verdicts of both kinds, and each for its own purpose."""
    judging, qwac = judge(), CA.qwac()
    judging.require_trusted(qwac.der, digest=hashlib.sha256(qwac.der).digest(), now=NOW)

    assert reason(signed_headers(qwac, BODY), judging=judging) == "signature.not_a_seal"
    assert verdict(signed_headers(SEAL, BODY), judging=judging).refusal is None
