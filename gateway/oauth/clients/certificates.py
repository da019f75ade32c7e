"""What a client's certificate must be beyond one of its TPP (RFC 8705 §2.1, §2.2)."""

from __future__ import annotations

import hmac
import json
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.oauth.refusals import invalid_client
from gateway.register.distinguished_names import is_same_name, parse_name
from gateway.register.key_certificates import certificate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.register.model import Client
    from psd2.certificates import Psd2Certificate


def require_registered_subject(certificate: Psd2Certificate, client: Client) -> None:
    """Raise `OAuthRefused` unless the certificate has the subject that the client registered, where it registered one."""
    for field, is_matched in _MATCHERS.items():
        wanted = getattr(client, field)
        if wanted is not None and not is_matched(certificate.x509, wanted):
            raise invalid_client(
                f"the certificate does not hold what the client registered as {field}",
                reason="client.certificate_subject",
                hint=f"present the certificate with that name, or register another {field}",
            )


def require_registered_certificate(certificate: Psd2Certificate, jwks: str) -> None:
    """Raise `OAuthRefused` unless the certificate is one that a key of the set names as its own (RFC 8705 §2.2)."""
    if is_registered_certificate(certificate, jwks):
        return
    raise invalid_client(
        "the certificate is none of those that the client registered in x5c of its keys",
        reason="client.certificate_unregistered",
        hint="present a registered certificate, or register this one: x5c of a key in jwks or at jwks_uri",
        clause="RFC 8705 §2.2.2",
    )


def is_registered_certificate(certificate: Psd2Certificate, jwks: str) -> bool:
    """Answer whether a key of the set names the certificate as its own."""
    registered = (_certificate_in(key) for key in json.loads(jwks)["keys"])
    return any(each is not None and hmac.compare_digest(each, certificate.der) for each in registered)


def _certificate_in(key: Mapping[str, Any]) -> bytes | None:
    try:
        certificate = certificate_of(key)
    except ValueError:
        return None  # published so at jwks_uri; the register takes no such key
    return certificate.public_bytes(Encoding.DER) if certificate is not None else None


def _has_subject(certificate: x509.Certificate, wanted: str) -> bool:
    return is_same_name(certificate.subject, parse_name(wanted))


def _has_dns(certificate: x509.Certificate, wanted: str) -> bool:
    return wanted.lower() in {name.lower() for name in _names(certificate, x509.DNSName)}


def _has_uri(certificate: x509.Certificate, wanted: str) -> bool:
    return wanted in _names(certificate, x509.UniformResourceIdentifier)


def _has_ip(certificate: x509.Certificate, wanted: str) -> bool:
    return ip_address(wanted) in _names(certificate, x509.IPAddress)


def _has_email(certificate: x509.Certificate, wanted: str) -> bool:
    # The part before the @ is the mailbox's own affair and compared as it is (RFC 5280 §7.5).
    local, _, domain = wanted.rpartition("@")
    return any(
        name.rpartition("@")[0] == local and name.rpartition("@")[2].lower() == domain.lower()
        for name in _names(certificate, x509.RFC822Name)
    )


def _names(certificate: x509.Certificate, kind: type[x509.GeneralName]) -> Sequence[Any]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return [name.value for name in names if isinstance(name, kind)]


_MATCHERS: Final[Mapping[str, Callable[[x509.Certificate, str], bool]]] = {
    "tls_client_auth_subject_dn": _has_subject,
    "tls_client_auth_san_dns": _has_dns,
    "tls_client_auth_san_uri": _has_uri,
    "tls_client_auth_san_ip": _has_ip,
    "tls_client_auth_san_email": _has_email,
}
