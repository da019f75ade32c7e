"""Reads the certificates of a trust store as they are delivered; one that is no usable CA refuses the whole store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.authorities import fault_of_authority, fault_of_place, fault_of_time
from gateway.trust.model import TrustCertificate, TrustKind, TrustRefusal
from gateway.trust.pem import UnreadablePem, read_certificates
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography import x509

MOST_CERTIFICATES: Final = 200


def read_trust_store(*, anchors: Sequence[str], intermediates: Sequence[str], now: datetime) -> tuple[TrustCertificate, ...]:
    """Read PEM texts as CA certificates; raises `TrustRefusal` naming the first that can't be one."""
    if not anchors:
        raise TrustRefusal("anchors", "at least one trust anchor is needed: an empty store would refuse every TPP")
    if len(anchors) + len(intermediates) > MOST_CERTIFICATES:
        raise TrustRefusal("anchors", f"at most {MOST_CERTIFICATES} certificates are taken in one store")
    given = {f"anchors[{place}]": _authority(pem, f"anchors[{place}]", now) for place, pem in enumerate(anchors)}
    below = {
        f"intermediates[{place}]": _authority(pem, f"intermediates[{place}]", now) for place, pem in enumerate(intermediates)
    }
    _require_different([*given.values(), *below.values()])
    for field, certificate in below.items():
        _require(field, fault_of_place(certificate, [*given.values(), *below.values()]))
    return (
        *(trust_certificate(each, TrustKind.ANCHOR) for each in given.values()),
        *(trust_certificate(each, TrustKind.INTERMEDIATE) for each in below.values()),
    )


def trust_certificate(certificate: x509.Certificate, kind: TrustKind) -> TrustCertificate:
    """Return the certificate as it is kept."""
    text = certificate.public_bytes(Encoding.PEM).decode("ascii")
    return TrustCertificate(sha256=sha256_hex(certificate.public_bytes(Encoding.DER)), kind=kind, pem=text)


def _authority(pem: str, field: str, now: datetime) -> x509.Certificate:
    try:
        certificates = read_certificates(pem)
    except UnreadablePem as error:
        raise TrustRefusal(field, str(error)) from error
    if len(certificates) != 1:
        raise TrustRefusal(field, f"holds {len(certificates)} certificates: write one in each entry")
    _require(field, fault_of_authority(certificates[0]))
    _require(field, fault_of_time(certificates[0], now))
    return certificates[0]


def _require(field: str, fault: str | None) -> None:
    if fault is not None:
        raise TrustRefusal(field, fault)


def _require_different(certificates: Sequence[x509.Certificate]) -> None:
    seen: set[str] = set()
    for certificate in certificates:
        sha256 = sha256_hex(certificate.public_bytes(Encoding.DER))
        if sha256 in seen:
            raise TrustRefusal("anchors", f"certificate {sha256} is listed twice: as anchor or intermediate, once")
        seen.add(sha256)
