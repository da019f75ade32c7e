"""What the platform itself presents: its public server, its internal servers and callers, its OCSP signers."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509

from chassis.serving.callers import HEALTH_CALLER
from sandbox.ca.profiles import AuthorityName, ProfileName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chassis.home import Home, KeyPairPaths

PUBLISHING: Final = (AuthorityName.ROOT, AuthorityName.TPP_ISSUING, AuthorityName.SERVER_ISSUING)
"""Authorities with CRL and OCSP. The internal one has none: what it issues lives for days, and nobody outside sees it."""

_INTERNAL_SERVERS: Final = ("authorization", "admin", "bank", "portal", "demo")
_INTERNAL_CALLERS: Final = ("gateway", "portal", "operator", HEALTH_CALLER)
_LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class PlatformCertificate:
    """Where it lies, who issues it, and what it is called."""

    paths: KeyPairPaths
    profile: ProfileName
    issuer: AuthorityName
    common_name: str
    names: tuple[str, ...] = ()
    ip_addresses: tuple[Address, ...] = ()

    @property
    def is_published(self) -> bool:
        """Whether it says where its revocation is published; an OCSP signer says not to ask (RFC 6960 §4.2.2.2.1)."""
        return self.issuer in PUBLISHING and self.profile is not ProfileName.OCSP_SIGNER

    def is_named_in(self, certificate: x509.Certificate) -> bool:
        """Tell whether `certificate` has exactly these names."""
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return not self.names and not self.ip_addresses
        found = (tuple(names.get_values_for_type(x509.DNSName)), tuple(names.get_values_for_type(x509.IPAddress)))
        return found == (self.names, self.ip_addresses)


def platform_certificates(home: Home, *, public_host: str) -> Iterator[PlatformCertificate]:
    """List what the platform presents; `public_host` is the name or address that browsers and TPPs call."""
    yield _edge(home, public_host)
    for name in _INTERNAL_SERVERS:
        names = (f"{name}.internal", name, "localhost")
        yield PlatformCertificate(home.server(name), ProfileName.INTERNAL_SERVER, AuthorityName.INTERNAL, names[0], names)
    for name in _INTERNAL_CALLERS:
        alias = f"{name}.internal"
        yield PlatformCertificate(home.internal(name), ProfileName.INTERNAL_CLIENT, AuthorityName.INTERNAL, alias, (alias,))
    for ca in PUBLISHING:
        paths = ocsp_signer_paths(home, ca)
        yield PlatformCertificate(paths, ProfileName.OCSP_SIGNER, ca, f"PSD2 Sandbox OCSP {ca}")


def listener_certificate(paths: KeyPairPaths) -> PlatformCertificate:
    """Return what a TPP's own server on this machine presents, where the bank calls it: a website certificate for localhost."""
    return PlatformCertificate(paths, ProfileName.SERVER, AuthorityName.SERVER_ISSUING, "localhost", ("localhost",))


def ocsp_signer_paths(home: Home, ca: AuthorityName) -> KeyPairPaths:
    """Return where the OCSP signer of `ca` lies."""
    return home.ca(f"ocsp-{ca}")


def _edge(home: Home, public_host: str) -> PlatformCertificate:
    try:
        addresses: tuple[Address, ...] = tuple(dict.fromkeys((*_LOOPBACK, ip_address(public_host))))
        names: tuple[str, ...] = ("localhost",)
    except ValueError:
        addresses, names = _LOOPBACK, tuple(dict.fromkeys((public_host, "localhost")))
    return PlatformCertificate(
        home.server("edge"), ProfileName.SERVER, AuthorityName.SERVER_ISSUING, names[0], names, addresses
    )
