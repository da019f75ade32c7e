"""Where a notification may go: to a host of the TPP's QWAC, and nowhere inside (XS2A `TPP-Notification-URI`; CWE-918)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_HTTPS: Final = 443
_LOOPBACK: Final = ip_address("127.0.0.1")
# Names that nobody can own (RFC 2606 §2, RFC 6761 §6): the QWACs of this sandbox are for such.
_RESERVED: Final = (".example", ".test", ".localhost")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MOST_ADDRESSES: Final = 4

IpAddress = IPv4Address | IPv6Address


class NotNotifiable(ValueError):
    """An address that no notification is sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked, taken apart."""

    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """Which addresses may be called. `own_ports`: the platform's, which answer nobody from in here."""

    allows_loopback: bool
    own_ports: frozenset[int]

    def require_callable(self, address: IpAddress, port: int) -> None:
        """Raise `NotNotifiable` for an address inside: of this machine, of a private network, of a cloud's metadata."""
        plain = _embedded(address)
        if plain.is_loopback and self.allows_loopback:
            if port in self.own_ports:
                raise NotNotifiable(f"port {port} of this machine is the platform's own")
            return
        # RFC 3879: fec0::/10 is nobody's any more, and where it is still in use it is a private network.
        is_site_local = isinstance(plain, IPv6Address) and plain.is_site_local
        if not plain.is_global or plain.is_multicast or plain.is_reserved or is_site_local:
            way = ": BANK_NOTIFICATION_LOOPBACK=true has the bank call its own machine" if plain.is_loopback else ""
            raise NotNotifiable(f"{address} is not an address of the public internet{way}")


def _embedded(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def read_target(uri: str) -> Target:
    """Take an address apart; raises `NotNotifiable` unless it is https without user, fragment and what breaks lines."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise NotNotifiable("it is no address") from None
    if parts.scheme != "https":
        raise NotNotifiable("notifications are sent by https only")
    if not host or not uri.isascii() or not uri.isprintable() or " " in uri or parts.username is not None or parts.fragment:
        raise NotNotifiable("it is no plain address: no user, no fragment, ASCII only")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host=host, port=_HTTPS if port is None else port, path=path)


def require_domain(target: Target, domains: Sequence[str]) -> None:
    """Raise `NotNotifiable` for a host that is under no name of the QWAC."""
    if not any(_is_within(target.host, name.lower()) for name in domains):
        known = ", ".join(domains) or "no domain at all"
        raise NotNotifiable(f"{target.host} is not under what the TPP's QWAC is for: {known}")


def _is_within(host: str, name: str) -> bool:
    # A certificate's `*.example.com` is for the names below, its `example.com` for that and, the YAML says, what is below too.
    parent = name.removeprefix("*.")
    return host.endswith(f".{parent}") or (host == name and not name.startswith("*."))


def leads_here(host: str) -> bool:
    """Whether a name is nobody's, so that it means this machine."""
    return host.endswith(_RESERVED) or host == "localhost"


def names_this_machine(uri: str) -> bool:
    """Whether an address names the machine itself, by name or by number."""
    try:
        host = urlsplit(uri).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(target: Target, policy: AddressPolicy) -> list[IpAddress]:
    """Return the addresses of a host; raises `NotNotifiable` if a single one of them may not be called.

    The caller connects to what it is given here, by number: a name that is asked again may answer otherwise.
    """
    if leads_here(target.host):
        found: list[IpAddress] = [_LOOPBACK]
    else:
        found = _looked_up(target)
    for address in found:
        policy.require_callable(address, target.port)
    return found[:_MOST_ADDRESSES]


def _looked_up(target: Target) -> list[IpAddress]:
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotNotifiable(f"{target.host} is not found") from None
    # A scope (`fe80::1%eth0`) belongs to link-local addresses, which are refused.
    return list(dict.fromkeys(ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))
