"""Reads a CRL and judges it against the CA that issued it (RFC 5280 §5, §6.3.3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.trust.crl_bounds import FIELD, require_bounded
from gateway.trust.model import PUSHED, RevocationList, TrustRefusal
from gateway.trust.serials import RevokedSerials, SerialTooLong
from psd2.thumbprints import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

_CLOCK_SKEW: Final = timedelta(minutes=5)
# DER of `critical TRUE`: where these octets are nowhere, no entry's extensions need to be read, which takes half a second.
_CRITICAL: Final = b"\x01\x01\xff"


def read_crl(der: bytes, *, authorities: Sequence[x509.Certificate], now: datetime, source: str = PUSHED) -> RevocationList:
    """Read a complete CRL that one of `authorities` signed and that is in force now; raises `TrustRefusal`."""
    crl = _load(der)
    _require_complete(crl)
    _require_signed(crl, authorities)
    next_update = _require_in_force(crl, now)
    return RevocationList(
        issuer=sha256_hex(crl.issuer.public_bytes()),
        number=_number(crl),
        this_update=crl.last_update_utc,
        next_update=next_update,
        revoked=_revoked(crl),
        der=der,
        sha256=sha256_hex(der),
        source=source,
    )


def _load(der: bytes) -> x509.CertificateRevocationList:
    require_bounded(der)
    try:
        crl = x509.load_der_x509_crl(der)
        # Extensions are parsed when first read: an unreadable one must be found here.
        crl.extensions  # noqa: B018
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise TrustRefusal(FIELD, f"no readable CRL in DER (application/pkix-crl): {error}") from error
    return crl


def _require_complete(crl: x509.CertificateRevocationList) -> None:
    """Refuse delta, indirect and partial CRLs: taken for complete, they would un-revoke what they leave out."""
    if any(extension.oid == x509.DeltaCRLIndicator.oid for extension in crl.extensions):
        raise TrustRefusal(FIELD, "this is a delta CRL: send the complete one")
    critical = [extension.oid.dotted_string for extension in crl.extensions if extension.critical]
    if critical:
        raise TrustRefusal(FIELD, f"critical extensions {', '.join(critical)} limit what it covers: send a complete CRL")
    if _is_partial(crl):
        raise TrustRefusal(FIELD, "its issuingDistributionPoint limits what it covers: send a complete CRL")


def _is_partial(crl: x509.CertificateRevocationList) -> bool:
    """Whether the CRL says that it is for some certificates or reasons only, be it in an extension marked non-critical."""
    points = [each.value for each in crl.extensions if isinstance(each.value, x509.IssuingDistributionPoint)]
    return any(
        point.only_contains_user_certs
        or point.only_contains_ca_certs
        or point.only_contains_attribute_certs
        or point.only_some_reasons is not None
        or point.indirect_crl
        for point in points
    )


def _revoked(crl: x509.CertificateRevocationList) -> RevokedSerials:
    _require_plain_entries(crl)
    try:
        return RevokedSerials.of(entry.serial_number for entry in crl)
    except SerialTooLong as error:
        raise TrustRefusal(FIELD, str(error)) from error


def _require_plain_entries(crl: x509.CertificateRevocationList) -> None:
    """Refuse entries with a critical extension: they are of another issuer, or mean what we don't know (RFC 5280 §5.3)."""
    if _CRITICAL not in crl.tbs_certlist_bytes:
        return
    for entry in crl:
        if any(extension.critical for extension in entry.extensions):
            raise TrustRefusal(FIELD, f"its entry for serial number {entry.serial_number:x} has a critical extension")


def _require_signed(crl: x509.CertificateRevocationList, authorities: Sequence[x509.Certificate]) -> None:
    candidates = [authority for authority in authorities if authority.subject == crl.issuer]
    name = crl.issuer.rfc4514_string()
    if not candidates:
        raise TrustRefusal(FIELD, f"its issuer {name} is not in the trust store")
    if not any(_may_sign_crls(candidate) and _has_signed(crl, candidate) for candidate in candidates):
        raise TrustRefusal(
            FIELD, f"its signature was not made by {name} of the trust store, or that CA's keyUsage lacks cRLSign"
        )


def _may_sign_crls(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _has_signed(crl: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    try:
        return crl.is_signature_valid(cast("CertificateIssuerPublicKeyTypes", authority.public_key()))
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _require_in_force(crl: x509.CertificateRevocationList, now: datetime) -> datetime:
    if crl.last_update_utc > now + _CLOCK_SKEW:
        raise TrustRefusal(FIELD, f"its thisUpdate {crl.last_update_utc.isoformat()} lies in the future")
    if crl.next_update_utc is None:
        raise TrustRefusal(FIELD, "it has no nextUpdate: RFC 5280 §5.1.2.5 asks for one")
    if crl.next_update_utc <= now:
        raise TrustRefusal(FIELD, f"it ran out at {crl.next_update_utc.isoformat()}")
    return crl.next_update_utc


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound as error:
        raise TrustRefusal(FIELD, "it has no CRL number (RFC 5280 §5.2.3): an older list could replace it") from error
