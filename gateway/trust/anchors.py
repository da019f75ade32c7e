"""Reads the certificates of a new trust store; one that is no usable CA refuses the whole store (RFC 5280 §4.2.1.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.model import TrustCertificate, TrustKind, TrustRefusal
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_CERTIFICATES: Final = 200
MOST_PEM_CHARACTERS: Final = 20_000
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


def read_trust_store(*, anchors: Sequence[str], intermediates: Sequence[str], now: datetime) -> tuple[TrustCertificate, ...]:
    """Read PEM texts as CA certificates; raises `TrustRefusal` naming the first that can't be one."""
    if not anchors:
        raise TrustRefusal("anchors", "at least one trust anchor is needed: an empty store would refuse every TPP")
    if len(anchors) + len(intermediates) > MOST_CERTIFICATES:
        raise TrustRefusal("anchors", f"at most {MOST_CERTIFICATES} certificates are taken in one store")
    read = [_certificate(pem, TrustKind.ANCHOR, f"anchors[{place}]", now) for place, pem in enumerate(anchors)]
    read += [
        _certificate(pem, TrustKind.INTERMEDIATE, f"intermediates[{place}]", now) for place, pem in enumerate(intermediates)
    ]
    _require_different(read)
    return tuple(read)


def _certificate(pem: str, kind: TrustKind, field: str, now: datetime) -> TrustCertificate:
    certificate = _load(pem, field)
    _require_ca(certificate, field)
    if certificate.not_valid_after_utc <= now:
        raise TrustRefusal(field, f"expired at {certificate.not_valid_after_utc.isoformat()}")
    der = certificate.public_bytes(Encoding.DER)
    text = certificate.public_bytes(Encoding.PEM).decode("ascii")
    return TrustCertificate(sha256=sha256_hex(der), kind=kind, pem=text)


def _load(pem: str, field: str) -> x509.Certificate:
    if len(pem) > MOST_PEM_CHARACTERS:
        raise TrustRefusal(field, f"has {len(pem)} characters: at most {MOST_PEM_CHARACTERS} are read")
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode("utf-8", "surrogatepass"))
        extensions = certificates[0].extensions
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise TrustRefusal(field, f"no readable certificate in PEM: {error}") from error
    if len(certificates) != 1 or extensions is None:
        raise TrustRefusal(field, f"holds {len(certificates)} certificates: write one in each entry")
    return certificates[0]


def _require_ca(certificate: x509.Certificate, field: str) -> None:
    name = certificate.subject.rfc4514_string()
    constraints = _optional(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise TrustRefusal(field, f"{name} is no CA: its basicConstraints don't say so")
    usage = _optional(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise TrustRefusal(field, f"{name} may not sign certificates: its keyUsage lacks keyCertSign")


def _optional(certificate: x509.Certificate, type_: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(type_).value
    except x509.ExtensionNotFound:
        return None


def _require_different(certificates: Sequence[TrustCertificate]) -> None:
    seen: set[str] = set()
    for certificate in certificates:
        if certificate.sha256 in seen:
            raise TrustRefusal("anchors", f"certificate {certificate.sha256} is listed twice: as anchor or intermediate, once")
        seen.add(certificate.sha256)
