"""Whether a certificate can stand in a trust store as a CA (RFC 5280 §4.2, §6.1); each reason says what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from gateway.trust.keys import weakness_of_key, weakness_of_signature

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
# What chain verification understands where it is critical (cryptography.x509.verification).
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)


def fault_of_authority(certificate: x509.Certificate) -> str | None:
    """Return why this can be no CA of a trust store at any time, None where it can."""
    name = certificate.subject.rfc4514_string()
    constraints = extension_of(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        return f"{name} is no CA: its basicConstraints don't say so, as of a leaf; send the certificate of its issuer"
    usage = extension_of(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return f"{name} may not sign certificates: its keyUsage lacks keyCertSign"
    unknown = _unknown_critical(certificate)
    if unknown:
        return f"{name} has the critical extension {', '.join(unknown)}, not understood here: no chain through it verifies"
    weakness = weakness_of_key(certificate)
    # An anchor is trusted as it stands: what signed it proves nothing to us.
    if weakness is None and certificate.subject != certificate.issuer:
        weakness = weakness_of_signature(certificate)
    return f"{name} is too weak: {weakness}" if weakness else None


def fault_of_time(certificate: x509.Certificate, now: datetime) -> str | None:
    """Return why it can't be taken now, None where it can; one of the future is taken, to be there when its time comes."""
    if certificate.not_valid_after_utc <= now:
        return f"expired at {certificate.not_valid_after_utc.isoformat()}: send the certificate that took its place"
    return None


def fault_of_place(certificate: x509.Certificate, store: Iterable[x509.Certificate]) -> str | None:
    """Return why no chain of this store leads through an intermediate CA, None where one does."""
    issuers = [each for each in store if each != certificate and has_issued(each, certificate)]
    if not issuers:
        return f"no CA of this store has issued it: send its issuer, {certificate.issuer.rfc4514_string()}, as an anchor too"
    if all(_allows_no_ca_below(issuer) for issuer in issuers):
        return f"its issuer {certificate.issuer.rfc4514_string()} permits no CA below it: its pathLenConstraint is 0"
    return None


def has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Tell whether the authority's key has signed the certificate, under its name."""
    if authority.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def extension_of(certificate: x509.Certificate, type_: type[_Extension]) -> _Extension | None:
    """Return an extension's value, None where the certificate has none such."""
    try:
        return certificate.extensions.get_extension_for_class(type_).value
    except x509.ExtensionNotFound:
        return None


def _unknown_critical(certificate: x509.Certificate) -> list[str]:
    return [each.oid.dotted_string for each in certificate.extensions if each.critical and each.oid not in _UNDERSTOOD]


def _allows_no_ca_below(authority: x509.Certificate) -> bool:
    constraints = extension_of(authority, x509.BasicConstraints)
    return constraints is not None and constraints.path_length == 0
