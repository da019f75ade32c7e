"""What a route asks of a trusted certificate beyond trust.

A refusal says what was seen; whom the lists name is not told to strangers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.admission.refusal import Refusal
from gateway.policies.names import is_allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.policies.model import CertificatePolicy
    from gateway.trust.verdict import Trusted
    from psd2.certificates import Psd2Certificate

_MOST_SHOWN: Final = 10
_MOST_CHARACTERS: Final = 100


def require_conditions(trusted: Trusted, policy: CertificatePolicy) -> None:
    """Raise 401 unless the certificate is one that the route takes; the order decides which of several faults is named."""
    require_chain_depth(trusted, policy)
    require_purposes(trusted.certificate, policy)
    require_alternative_name(trusted.certificate, policy)
    require_common_name(trusted.certificate, policy)
    require_listed(trusted.certificate, policy)
    require_listed_issuer(trusted, policy)


def require_chain_depth(trusted: Trusted, policy: CertificatePolicy) -> None:
    """Raise where more CAs stand above the certificate than the route takes."""
    depth, most = len(trusted.issuers), policy.max_chain_depth
    if most is not None and depth > most:
        seen = f"{depth} CAs stand above it, at most {most} may"
        raise Refusal("mtls.chain", seen, public_text=f"The client certificate's chain is too long here: {seen}.")


def require_purposes(certificate: Psd2Certificate, policy: CertificatePolicy) -> None:
    """Raise where the certificate lacks an extended key usage (RFC 5280 §4.2.1.12)."""
    if not policy.extended_key_usages:
        return
    present = frozenset(_key_usages(certificate.x509))
    missing = policy.extended_key_usages - present
    if missing:
        seen = f"its extended key usages are {_shown(sorted(present))}, and {_shown(sorted(missing))} is needed"
        raise Refusal("mtls.eku", seen, public_text=f"The client certificate is not meant for this: {seen}.")


def require_alternative_name(certificate: Psd2Certificate, policy: CertificatePolicy) -> None:
    """Raise where none of the certificate's alternative names is allowed."""
    if not policy.allowed_sans:
        return
    names = tuple(_alternative_names(certificate.x509))
    if not is_allowed(policy.allowed_sans, names):
        seen = f"its subject alternative names are {_shown(names)}"
        raise Refusal("mtls.san", seen, public_text=f"The client certificate's name is not on this deployment's list: {seen}.")


def require_common_name(certificate: Psd2Certificate, policy: CertificatePolicy) -> None:
    """Raise where the subject's common name is not allowed; of several, all have to be."""
    if not policy.allowed_cns:
        return
    names = tuple(str(name.value) for name in certificate.x509.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
    if not names or not all(is_allowed(policy.allowed_cns, [name]) for name in names):
        seen = f"its common name is {_shown(names)}"
        raise Refusal("mtls.san", seen, public_text=f"The client certificate's name is not on this deployment's list: {seen}.")


def require_listed(certificate: Psd2Certificate, policy: CertificatePolicy) -> None:
    """Raise where certificates are listed one by one, and this is none of them."""
    if policy.allowed_certificates and certificate.sha256 not in policy.allowed_certificates:
        seen = f"its SHA-256 is {certificate.sha256}"
        text = f"The client certificate is not on this deployment's list: {seen}."
        raise Refusal("mtls.not_allowed", seen, public_text=text)


def require_listed_issuer(trusted: Trusted, policy: CertificatePolicy) -> None:
    """Raise where CAs are listed, and none of them stands in the certificate's chain."""
    if policy.allowed_issuers and policy.allowed_issuers.isdisjoint(trusted.issuers):
        seen = f"it was issued by {_shown([trusted.certificate.issuer])}"
        text = f"None of the authorities above the client certificate is on this deployment's list: {seen}."
        raise Refusal("mtls.not_allowed", f"{seen}, SHA-256 {', '.join(trusted.issuers)}", public_text=text)


def _key_usages(certificate: x509.Certificate) -> Iterator[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    yield from (usage.dotted_string for usage in usages)


def _alternative_names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names:
        if isinstance(name, x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier | x509.IPAddress):
            yield str(name.value)


def _shown(values: Iterable[str]) -> str:
    """Write values that a stranger chose: not too many, not too long, nothing that would break a line."""
    plain = ["".join(letter if letter.isprintable() else "?" for letter in value)[:_MOST_CHARACTERS] for value in values]
    more = f" and {len(plain) - _MOST_SHOWN} more" if len(plain) > _MOST_SHOWN else ""
    return ", ".join(plain[:_MOST_SHOWN]) + more if plain else "none"
