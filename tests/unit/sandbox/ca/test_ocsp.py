"""OCSP: good, revoked, unknown, signed by a responder that the authority has appointed; errors are answers too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.ca.errors import UnknownAuthority
from sandbox.ca.model import RevocationReason, TppCertificateKind
from tests.support.certificate_authority import NOW, TPP, Setting

if TYPE_CHECKING:
    from sandbox.ca.service import CertificateAuthority

QWAC = TppCertificateKind.QWAC


def issuer_of(authority: CertificateAuthority, ca: str = "tpp-issuing") -> x509.Certificate:
    return x509.load_der_x509_certificate(authority.ca_certificate(ca))


def leaf_of(authority: CertificateAuthority) -> x509.Certificate:
    issued = authority.issue_tpp_certificate(tpp=TPP, kind=QWAC)
    return x509.load_pem_x509_certificate(issued.certificate.encode())


def asked(
    leaf: x509.Certificate,
    issuer: x509.Certificate,
    *,
    algorithm: hashes.HashAlgorithm | None = None,
    nonce: bytes | None = None,
) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, algorithm or hashes.SHA256())  # type: ignore[arg-type]
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def answered(authority: CertificateAuthority, request: bytes, ca: str = "tpp-issuing") -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(authority.ocsp_response(ca, request))


@pytest.mark.parametrize("algorithm", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])  # noqa: S303 - what clients use
def test_a_valid_certificate_is_good(authority: CertificateAuthority, algorithm: hashes.HashAlgorithm) -> None:
    leaf = leaf_of(authority)

    response = answered(authority, asked(leaf, issuer_of(authority), algorithm=algorithm))

    assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL
    assert response.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert response.serial_number == leaf.serial_number
    assert response.this_update_utc == NOW.replace(microsecond=0)
    assert response.next_update_utc == NOW.replace(microsecond=0) + timedelta(minutes=5)


def test_a_revoked_certificate_is_revoked_at_once_and_says_since_when_and_why(authority: CertificateAuthority) -> None:
    leaf = leaf_of(authority)
    authority.revoke(f"{leaf.serial_number:x}", RevocationReason.PRIVILEGE_WITHDRAWN)

    response = answered(authority, asked(leaf, issuer_of(authority)))

    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_time_utc == NOW.replace(microsecond=0)
    assert response.revocation_reason is x509.ReasonFlags.privilege_withdrawn


def test_an_unspecified_reason_is_left_out(authority: CertificateAuthority) -> None:
    leaf = leaf_of(authority)
    authority.revoke(f"{leaf.serial_number:x}", RevocationReason.UNSPECIFIED)

    assert answered(authority, asked(leaf, issuer_of(authority))).revocation_reason is None


def test_a_certificate_that_was_never_issued_is_unknown_not_good(authority: CertificateAuthority) -> None:
    builder = ocsp.OCSPRequestBuilder()
    right = ocsp.load_der_ocsp_request(asked(leaf_of(authority), issuer_of(authority)))
    builder = builder.add_certificate_by_hash(right.issuer_name_hash, right.issuer_key_hash, 4_711, hashes.SHA256())

    response = answered(authority, builder.build().public_bytes(Encoding.DER))

    assert response.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_another_authoritys_certificate_is_not_answered_for(authority: CertificateAuthority) -> None:
    request = asked(leaf_of(authority), issuer_of(authority))

    response = answered(authority, request, ca="server-issuing")

    assert response.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_a_serial_number_of_another_authority_is_unknown(authority: CertificateAuthority) -> None:
    """The root has issued the issuing authorities only."""
    leaf, root = leaf_of(authority), issuer_of(authority, "root")
    right = ocsp.load_der_ocsp_request(asked(root, root))
    by_hash = (right.issuer_name_hash, right.issuer_key_hash, leaf.serial_number, hashes.SHA256())
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*by_hash).build().public_bytes(Encoding.DER)

    assert answered(authority, request, ca="root").certificate_status is ocsp.OCSPCertStatus.UNKNOWN


def test_the_answer_is_signed_by_a_responder_of_the_authoritys_own(authority: CertificateAuthority) -> None:
    """RFC 6960 §4.2.2.2: issued by that authority, for OCSP signing, with id-pkix-ocsp-nocheck."""
    issuer = issuer_of(authority)
    response = answered(authority, asked(leaf_of(authority), issuer))

    (responder,) = response.certificates
    responder.verify_directly_issued_by(issuer)
    purposes = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_class(x509.OCSPNoCheck)
    key, digest = responder.public_key(), response.signature_hash_algorithm
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert digest is not None
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
    named = responder.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert response.responder_key_hash == named


@pytest.mark.parametrize("length", [1, 32, 128])
def test_a_nonce_comes_back(authority: CertificateAuthority, length: int) -> None:
    request = asked(leaf_of(authority), issuer_of(authority), nonce=b"n" * length)

    nonce = answered(authority, request).extensions.get_extension_for_class(x509.OCSPNonce).value

    assert nonce.nonce == b"n" * length


@pytest.mark.parametrize("length", [0, 129])
def test_a_nonce_of_the_wrong_length_is_malformed(authority: CertificateAuthority, length: int) -> None:
    """RFC 9654 §2.1."""
    request = asked(leaf_of(authority), issuer_of(authority), nonce=b"n" * length)

    assert answered(authority, request).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_request_that_is_too_large_is_malformed(authority: CertificateAuthority) -> None:
    """Right in everything but an extension of 4 KiB that nobody asked for."""
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x00" * 2_048)
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf_of(authority), issuer_of(authority), hashes.SHA256())
    request = builder.add_extension(padding, critical=False).build().public_bytes(Encoding.DER)

    assert answered(authority, request).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_a_negative_serial_number_is_malformed(authority: CertificateAuthority) -> None:
    """RFC 5280 §4.1.2.2: positive. The library writes none, so the sign bit is set by hand."""
    right = ocsp.load_der_ocsp_request(asked(leaf_of(authority), issuer_of(authority)))
    by_hash = (right.issuer_name_hash, right.issuer_key_hash, 0x7FAB_CDEF, hashes.SHA256())
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*by_hash).build().public_bytes(Encoding.DER)
    negative = request.replace(bytes.fromhex("02047fabcdef"), bytes.fromhex("0204ffabcdef"))
    assert negative != request

    assert answered(authority, negative).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize("request_der", [b"", b"noise", b"\x30\x80", b"\x30\x03\x02\x01\x01"])
def test_noise_gets_an_answer_that_says_so(authority: CertificateAuthority, request_der: bytes) -> None:
    assert answered(authority, request_der).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_request_is_always_answered(standing: Setting, data: st.DataObject) -> None:
    """The responder stands on plain HTTP: nothing anybody sends may make it fall over."""
    root = issuer_of(standing.authority, "root")
    damaged = bytearray(asked(root, root, nonce=b"12345678"))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))

    assert answered(standing.authority, bytes(damaged), ca="root").response_status


def test_a_responder_that_expired_is_renewed_when_it_is_asked(standing: Setting) -> None:
    leaf = leaf_of(standing.authority)
    standing.clock.advance(timedelta(days=31))

    response = answered(standing.authority, asked(leaf, issuer_of(standing.authority)))

    (responder,) = response.certificates
    assert responder.not_valid_after_utc > standing.clock.now()


def test_the_internal_authority_answers_nothing(authority: CertificateAuthority) -> None:
    with pytest.raises(UnknownAuthority, match="publishes no revocations"):
        authority.ocsp_response("internal", b"")
