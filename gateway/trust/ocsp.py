"""OCSP as a client: what is asked, and what of an answer is believed (RFC 6960 §3.2, §4.2.2; nonces RFC 9654)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.trust.authorities import extension_of, has_issued
from gateway.trust.keys import weakness_of_key
from gateway.trust.ocsp_status import Answer, OcspStatus
from gateway.trust.rules import Nonce

if TYPE_CHECKING:
    from collections.abc import Container
    from datetime import datetime

    from gateway.trust.ocsp_status import Question
    from gateway.trust.rules import OcspRules

MOST_BYTES: Final = 64 * 1024
_NONCE_BYTES: Final = 32  # RFC 9654 §2.1
_CLOCK_SKEW: Final = timedelta(minutes=5)
# An answer without nextUpdate says that there is always a newer one (RFC 6960 §4.2.2.1).
_WITHOUT_NEXT_UPDATE: Final = timedelta(minutes=10)
_REFRESH_AT: Final = 0.75  # of an answer's life
_LEAST_REFRESH_SECONDS: Final = 2.0
_VERDICTS: Final = {
    ocsp.OCSPCertStatus.GOOD: Answer.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Answer.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Answer.UNKNOWN,
}


class OcspFault(Exception):
    """An answer that is not believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is sent: `der`, and the nonce that the answer should repeat."""

    question: Question
    request: ocsp.OCSPRequest
    nonce: bytes | None

    @property
    def der(self) -> bytes:
        """Return what is sent."""
        return self.request.public_bytes(Encoding.DER)


def ask(question: Question, nonce: Nonce) -> Asked:
    """Return the request for one certificate."""
    # The hash only tells which CA is meant, and SHA-1 is what every responder understands (RFC 5019 §2.1.1).
    naming = hashes.SHA1()  # noqa: S303 - a name, no signature
    builder = ocsp.OCSPRequestBuilder().add_certificate(question.certificate, question.issuer, naming)
    sent = secrets.token_bytes(_NONCE_BYTES) if nonce is not Nonce.OFF else None
    if sent is not None:
        builder = builder.add_extension(x509.OCSPNonce(sent), critical=False)
    return Asked(question, builder.build(), sent)


def read_answer(
    der: bytes, asked: Asked, *, rules: OcspRules, responder: str, revoked: Container[int], now: datetime
) -> OcspStatus:
    """Return what the answer says of the certificate; raises `OcspFault` unless every word of it can be believed.

    `revoked` are the serial numbers that the issuer's CRL lists: a delegated responder may stand on it.
    """
    response = _successful(der)
    _require_nonce(response, asked, rules.nonce)
    signer = _signer(response, asked.question.issuer, revoked, now)
    _require_signature(response, signer)
    single = _about(response, asked.request)
    status = _status(single, rules=rules, responder=responder, now=now)
    return status if signer == asked.question.issuer else replace(status, signer=f"{signer.serial_number:x}")


def _successful(der: bytes) -> ocsp.OCSPResponse:
    if len(der) > MOST_BYTES:
        raise OcspFault(f"has {len(der)} bytes: at most {MOST_BYTES} are read")
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise OcspFault(f"the responder answers {response.response_status.name.lower()}")
        critical = [each.oid.dotted_string for each in response.extensions if each.critical]
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise OcspFault(f"is no readable OCSP response: {error}") from error
    if critical:
        raise OcspFault(f"has critical extensions {', '.join(critical)} that are not understood")
    return response


def _require_nonce(response: ocsp.OCSPResponse, asked: Asked, rule: Nonce) -> None:
    if asked.nonce is None:
        return
    try:
        found = response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        if rule is Nonce.REQUIRED:
            raise OcspFault("does not repeat the nonce, which is required here") from None
        return
    if found != asked.nonce:
        raise OcspFault("repeats another nonce: it was made for another request")


def _signer(response: ocsp.OCSPResponse, issuer: x509.Certificate, revoked: Container[int], now: datetime) -> x509.Certificate:
    """Return the certificate of whoever signed: the issuer itself, or whom it has delegated (RFC 6960 §4.2.2.2)."""
    if _is_named(response, issuer):
        return issuer
    named = [each for each in response.certificates if _is_named(response, each)]
    if not named:
        raise OcspFault("does not hold the certificate of its signer")
    _require_delegated(named[0], issuer, revoked, now)
    return named[0]


def _is_named(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    return response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _require_delegated(signer: x509.Certificate, issuer: x509.Certificate, revoked: Container[int], now: datetime) -> None:
    if not has_issued(issuer, signer):
        raise OcspFault("its signer's certificate was not issued by the CA whose certificate is asked about")
    purposes = extension_of(signer, x509.ExtendedKeyUsage)
    if purposes is None or ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
        raise OcspFault("its signer may not sign OCSP responses: its extendedKeyUsage lacks OCSPSigning")
    if not signer.not_valid_before_utc - _CLOCK_SKEW <= now <= signer.not_valid_after_utc:
        raise OcspFault("its signer's certificate is not valid now")
    weakness = weakness_of_key(signer)
    if weakness is not None:
        raise OcspFault(f"its signer's certificate is too weak: {weakness}")
    # RFC 6960 §4.2.2.2.1: with ocsp-nocheck nobody need ask about the signer. But here its CA has said so unasked.
    if signer.serial_number in revoked:
        raise OcspFault("its signer's certificate has been revoked")


def _require_signature(response: ocsp.OCSPResponse, signer: x509.Certificate) -> None:
    key, signature, signed = signer.public_key(), response.signature, response.tbs_response_bytes
    try:
        algorithm = response.signature_hash_algorithm
        if isinstance(algorithm, hashes.SHA1 | hashes.MD5):
            raise OcspFault(f"is signed with {algorithm.name}, which can be forged")
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(signature, signed)
        else:
            raise OcspFault("its signer's key does not fit its signature algorithm")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise OcspFault("its signature does not verify") from error


def _about(response: ocsp.OCSPResponse, request: ocsp.OCSPRequest) -> ocsp.OCSPSingleResponse:
    """Return the newest word about the certificate that was asked for."""
    wanted = (request.issuer_name_hash, request.issuer_key_hash, request.serial_number, request.hash_algorithm.name)
    try:
        found = [
            each
            for each in response.responses
            if (each.issuer_name_hash, each.issuer_key_hash, each.serial_number, each.hash_algorithm.name) == wanted
        ]
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OcspFault(f"names a certificate by an algorithm that is not taken: {error}") from error
    if not found:
        raise OcspFault("is about other certificates than the one that was asked for")
    return max(found, key=lambda each: each.this_update_utc)


def _status(single: ocsp.OCSPSingleResponse, *, rules: OcspRules, responder: str, now: datetime) -> OcspStatus:
    if single.this_update_utc > now + _CLOCK_SKEW:
        raise OcspFault(f"its thisUpdate {single.this_update_utc.isoformat()} lies in the future")
    until = single.next_update_utc or single.this_update_utc + _WITHOUT_NEXT_UPDATE
    if until <= now:
        raise OcspFault(f"it ran out at {until.isoformat()}")
    life = (until - now).total_seconds()
    return OcspStatus(
        verdict=_VERDICTS[single.certificate_status],
        as_of=single.this_update_utc.timestamp(),
        known_until=until.timestamp(),
        refresh_at=now.timestamp() + max(_LEAST_REFRESH_SECONDS, min(rules.refresh_seconds, life * _REFRESH_AT)),
        responder=responder,
        revoked_at=single.revocation_time_utc.timestamp() if single.revocation_time_utc else 0,
    )
