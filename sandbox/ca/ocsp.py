"""OCSP answers: one certificate a request, signed by a responder of the authority's own (RFC 6960, nonces RFC 9654)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sandbox.ca.keys import signature_hash
from sandbox.ca.model import CertificateStatus, RevocationReason, serial_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sandbox.ca.keys import PrivateKey
    from sandbox.ca.model import CertificateRecord
    from sandbox.ca.profiles import OcspRules

MAX_REQUEST_BYTES: Final = 4_096
_MAX_NONCE_BYTES: Final = 128  # RFC 9654 §2.1
_MALFORMED: Final = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
_UNAUTHORIZED: Final = ocsp.OCSPResponseStatus.UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class Responder:
    """Who answers for which authority."""

    authority: x509.Certificate
    certificate: x509.Certificate
    key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Status:
    status: ocsp.OCSPCertStatus
    revoked_at: datetime | None = None
    reason: x509.ReasonFlags | None = None


_UNKNOWN: Final = _Status(ocsp.OCSPCertStatus.UNKNOWN)
_GOOD: Final = _Status(ocsp.OCSPCertStatus.GOOD)


def answer(
    request_der: bytes,
    *,
    responder: Responder,
    look_up: Callable[[str], CertificateRecord | None],
    now: datetime,
    rules: OcspRules,
) -> bytes:
    """Answer one request as DER; what cannot be answered gets an error answer of RFC 6960 §4.2.1, never an exception."""
    try:
        request = _readable(request_der)
        nonce = _nonce(request)
    except (ValueError, UnsupportedAlgorithm, NotImplementedError, x509.DuplicateExtension):
        return _unsuccessful(_MALFORMED)
    if not _is_about(request, responder.authority):
        return _unsuccessful(_UNAUTHORIZED)
    status = _status_of(look_up(serial_text(request.serial_number)))
    return _signed(request, status, responder=responder, nonce=nonce, now=now, rules=rules)


def _readable(der: bytes) -> ocsp.OCSPRequest:
    if len(der) > MAX_REQUEST_BYTES:
        raise ValueError("the request is too large")
    request = ocsp.load_der_ocsp_request(der)
    if request.serial_number <= 0:
        raise ValueError("a serial number is positive (RFC 5280 §4.1.2.2)")
    # An algorithm that the library doesn't know is found when it is first read: here, not later.
    if request.hash_algorithm.digest_size != len(request.issuer_name_hash):
        raise ValueError("the hash is not of the length that its algorithm gives")
    return request


def _nonce(request: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
    try:
        nonce = request.extensions.get_extension_for_class(x509.OCSPNonce).value
    except x509.ExtensionNotFound:
        return None
    if not 1 <= len(nonce.nonce) <= _MAX_NONCE_BYTES:
        raise ValueError("a nonce has 1 to 128 octets (RFC 9654 §2.1)")
    return nonce


def _is_about(request: ocsp.OCSPRequest, authority: x509.Certificate) -> bool:
    """Compare the request's CertID with the authority's, under the hash that the client chose (RFC 6960 §4.1.1)."""
    right = ocsp.OCSPRequestBuilder().add_certificate(authority, authority, request.hash_algorithm).build()
    right_name = _digest(authority.subject.public_bytes(), request.hash_algorithm)
    return (request.issuer_name_hash, request.issuer_key_hash) == (right_name, right.issuer_key_hash)


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _status_of(record: CertificateRecord | None) -> _Status:
    if record is None:
        return _UNKNOWN
    if record.status is not CertificateStatus.REVOKED:
        return _GOOD
    is_told = record.reason is not None and record.reason is not RevocationReason.UNSPECIFIED
    reason = x509.ReasonFlags(record.reason.value) if is_told and record.reason else None
    return _Status(ocsp.OCSPCertStatus.REVOKED, revoked_at=record.revoked_at, reason=reason)


def _signed(
    request: ocsp.OCSPRequest,
    status: _Status,
    *,
    responder: Responder,
    nonce: x509.OCSPNonce | None,
    now: datetime,
    rules: OcspRules,
) -> bytes:
    this_update = now.replace(microsecond=0)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status.status,
            this_update=this_update,
            next_update=this_update + timedelta(minutes=rules.valid_minutes),
            revocation_time=status.revoked_at.replace(microsecond=0) if status.revoked_at else None,
            revocation_reason=status.reason,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
        .certificates([responder.certificate])
    )
    if nonce is not None:
        builder = builder.add_extension(nonce, critical=False)
    return builder.sign(responder.key, signature_hash(responder.key)).public_bytes(Encoding.DER)


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
