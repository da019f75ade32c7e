"""IP rules of a route: networks allowed and denied. A look-up costs the same for one network and for a thousand."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network


class NetworkSet:
    """Networks of both versions. Frozen: nothing is added after it is made."""

    __slots__ = ("_by_shift", "networks")

    def __init__(self, networks: Iterable[Network]) -> None:
        """Sort the networks by version and length of their prefix."""
        self.networks = tuple(networks)
        by_shift: dict[tuple[int, int], set[int]] = {}
        for network in self.networks:
            shift = network.max_prefixlen - network.prefixlen
            by_shift.setdefault((network.version, shift), set()).add(int(network.network_address) >> shift)
        self._by_shift = tuple((version, shift, frozenset(prefixes)) for (version, shift), prefixes in by_shift.items())

    def __bool__(self) -> bool:
        return bool(self.networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NetworkSet) and self.networks == other.networks

    def __hash__(self) -> int:
        return hash(self.networks)

    def __repr__(self) -> str:
        return f"NetworkSet({[str(network) for network in self.networks]})"

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        number = int(address)
        return any(version == address.version and number >> shift in prefixes for version, shift, prefixes in self._by_shift)


@dataclass(frozen=True, slots=True, kw_only=True)
class IpRules:
    """Who may call, by address: none that is denied, and where some are allowed, no others."""

    allow: NetworkSet
    deny: NetworkSet

    def allows(self, text: str) -> bool:
        """Whether the client at this address may call; a text that is no address may not."""
        try:
            address = client_address(text)
        except ValueError:
            return False
        return address not in self.deny and (not self.allow or address in self.allow)


def client_address(text: str) -> IPv4Address | IPv6Address:
    """Read an address as a socket tells it; an IPv4 client of an IPv6 socket is an IPv4 client. Raises `ValueError`."""
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def read_network(text: str) -> Network:
    """Read a CIDR block or an address; raises `ValueError` with what is wrong."""
    network = ip_network(text, strict=True)
    if network.version == 6 and network.network_address.ipv4_mapped is not None:  # noqa: PLR2004 - the IP version
        msg = f"{text} is an IPv4 network in IPv6 notation: write it as IPv4"
        raise ValueError(msg)
    return network
