"""Whom an address stands for: an IPv4 address for itself, an IPv6 address for its /64, which is what one subscriber has."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_SUBSCRIBER_PREFIX: Final = 64
_REMEMBERED: Final = 10_000


@lru_cache(maxsize=_REMEMBERED)
def counted_address(text: str) -> str:
    """Return what counters call the holder of an address: `192.0.2.1`, `2001:db8:1:2::/64`; what is no address, itself."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        mapped: IPv4Address | None = address.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Network((address, _SUBSCRIBER_PREFIX), strict=False))
    return str(address)
