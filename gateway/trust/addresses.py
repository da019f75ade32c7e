"""Where lists and answers may be fetched from: the internet, and hosts that the operator names (CWE-918)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = IPv6Network("64:ff9b::/96")
_RELAYED: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))
_LAST_PORT: Final = 65_535
# Names that no public name server answers for (RFC 6761 §6.3, RFC 6762 §3; `.internal` is set aside for such by ICANN).
_NAMES_INSIDE: Final = (".localhost", ".local", ".internal")

IpAddress = IPv4Address | IPv6Address


class AddressRefused(ValueError):
    """An address that nothing is fetched from; the message says why."""


@dataclass(frozen=True, slots=True)
class Location:
    """A URL, taken apart."""

    text: str
    is_encrypted: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return `host:port`, as operators name hosts."""
        return f"{self.host}:{self.port}"


def read_location(text: str) -> Location:
    """Take a URL apart; raises `AddressRefused` unless it is plain http or https."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused(f"is no address: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise AddressRefused("has to begin with http:// or https://")
    if not host or not text.isascii() or not text.isprintable() or " " in text or parts.username is not None or parts.fragment:
        raise AddressRefused("is no plain address: a host, no user, no fragment, ASCII only")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Location(text, parts.scheme == "https", host, _DEFAULT_PORTS[parts.scheme] if port is None else port, path)


def read_host(text: str) -> str:
    """Return `host:port` in lower case; raises `AddressRefused`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= _LAST_PORT or not text.isascii() or "/" in text:
        raise AddressRefused("write host:port, such as ca.internal:8080")
    return f"{host.strip('[]').lower()}:{int(port)}"


def require_allowed(location: Location, found: Iterable[IpAddress], internal_hosts: frozenset[str]) -> None:
    """Raise `AddressRefused` where one of a host's addresses is inside and the host is not among those named.

    The caller connects to what it has been found at, by number: a name that is asked again may answer otherwise.
    """
    if location.authority not in internal_hosts:
        for address in found:
            _require_public(address)


def is_inside(host: str) -> bool:
    """Tell whether a host is inside as far as its name says: nothing is looked up, and a name may lead anywhere later."""
    address = _written_address(host)
    if address is None:
        name = host.rstrip(".").lower()
        return "." not in name or name.endswith(_NAMES_INSIDE)
    try:
        _require_public(address)
    except AddressRefused:
        return True
    return False


def _written_address(host: str) -> IpAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))  # as resolvers read it: 127.1, 0x7f.0.0.1
    except OSError:
        return None


def _require_public(address: IpAddress) -> None:
    plain = _embedded(address)
    # RFC 3879: fec0::/10 is nobody's any more, and where it is still in use it is a private network.
    is_site_local = isinstance(plain, IPv6Address) and plain.is_site_local
    # 6to4 and Teredo lead to whatever IPv4 address they name. Not left to `is_global`: Python's versions differ in it.
    is_relayed = any(plain in network for network in _RELAYED)
    if not plain.is_global or plain.is_multicast or plain.is_reserved or is_site_local or is_relayed:
        raise AddressRefused(f"{address} is not on the public internet: name the host under internal_hosts if that is meant")


def _embedded(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
