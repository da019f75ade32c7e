"""What a leaf certificate has to be by itself, each check with the reason that a refusal gives (RFC 5280 §4, TS 119 495 §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import Criticality, ExtensionPolicy

from gateway.trust.keys import weakness_of_key
from gateway.trust.verdict import Distrust, Distrusted
from psd2.certificates import MalformedCertificate, NotAQsealc, NotAQwac, parse_certificate, require_qsealc, require_qwac

if TYPE_CHECKING:
    from psd2.certificates import Psd2Certificate


def parsed_leaf(der: bytes) -> Psd2Certificate:
    """Return the certificate; raises `Distrusted` where it can't be read."""
    try:
        return parse_certificate(der)
    except MalformedCertificate as error:
        raise Distrusted(Distrust.MALFORMED, str(error)) from error


def leaf_policy() -> ExtensionPolicy:
    """Return what chain verification asks of a leaf: a TLS client needs no name to connect to, all other defaults stay."""
    return ExtensionPolicy.webpki_defaults_ee().may_be_present(x509.SubjectAlternativeName, Criticality.AGNOSTIC, None)


def require_client_purpose(certificate: Psd2Certificate) -> None:
    """Raise where extendedKeyUsage limits the certificate to other uses."""
    try:
        purposes = certificate.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        found = ", ".join(purpose.dotted_string for purpose in purposes)
        raise Distrusted(Distrust.EKU, f"extendedKeyUsage is {found}, without clientAuth")


def require_in_time(certificate: Psd2Certificate, now: float) -> None:
    """Raise outside the certificate's validity; `now` is epoch seconds."""
    if now < certificate.not_before.timestamp():
        detail = f"valid from {certificate.not_before.isoformat()}"
        raise Distrusted(Distrust.NOT_YET_VALID, detail, holds_until=certificate.not_before.timestamp())
    if now > certificate.not_after.timestamp():  # notAfter itself is inside (RFC 5280 §4.1.2.5)
        raise Distrusted(Distrust.EXPIRED, f"expired at {certificate.not_after.isoformat()}")


def require_strong_key(certificate: x509.Certificate) -> None:
    """Raise unless the leaf's own key is a strong one: chain verification looks at its issuers' only."""
    weakness = weakness_of_key(certificate)
    if weakness is not None:
        raise Distrusted(Distrust.CHAIN, weakness)


def require_web_certificate(certificate: Psd2Certificate) -> None:
    """Raise unless it is a QWAC."""
    try:
        require_qwac(certificate)
    except NotAQwac as error:
        raise Distrusted(Distrust.NOT_A_QWAC, error.reason) from error


def require_seal(certificate: Psd2Certificate) -> None:
    """Raise unless it is a QSealC."""
    try:
        require_qsealc(certificate)
    except NotAQsealc as error:
        raise Distrusted(Distrust.NOT_A_QSEALC, str(error)) from error
