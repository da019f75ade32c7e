"""The port table of a platform, and addresses of peers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

DEFAULT_BASE_PORT = 8440
_HOST_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LOWEST_BASE, _HIGHEST_BASE, _HIGHEST_PORT = 1025, 65_527, 65_535


class InvalidAddress(ValueError):
    """A text that is no `host:port`, or a port out of range."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write `host:port`."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class PortTable:
    """Every port of a platform, by its distance to `base`; one number shifts them all."""

    base: int = DEFAULT_BASE_PORT

    def __post_init__(self) -> None:
        """Refuse a base whose block would leave the unprivileged ports."""
        if not _LOWEST_BASE <= self.base <= _HIGHEST_BASE:
            msg = f"base port {self.base} is out of range: choose one from {_LOWEST_BASE} to {_HIGHEST_BASE}"
            raise InvalidAddress(msg)

    @property
    def all(self) -> range:
        """From the first to the last."""
        return range(self.welcome, self.demo_internal + 1)

    @property
    def welcome(self) -> int:
        """Plain HTTP: welcome page, CRL, OCSP, CA certificates."""
        return self.base - 1

    @property
    def portal(self) -> int:
        """Browsers: the developer portal."""
        return self.base

    @property
    def front(self) -> int:
        """Browsers: `/authorize`, discovery, the bank's PSU pages."""
        return self.base + 1

    @property
    def authorization(self) -> int:
        """Internal: authorization server."""
        return self.base + 2

    @property
    def edge(self) -> int:
        """TPPs: mutual TLS."""
        return self.base + 3

    @property
    def admin(self) -> int:
        """Internal: gateway control API."""
        return self.base + 4

    @property
    def bank(self) -> int:
        """Internal: the mock bank."""
        return self.base + 5

    @property
    def demo(self) -> int:
        """Browsers: the TPP demo app."""
        return self.base + 6

    @property
    def portal_internal(self) -> int:
        """Internal: portal and registration."""
        return self.base + 7

    @property
    def demo_internal(self) -> int:
        """Internal: the TPP demo app."""
        return self.base + 8


def parse_address(text: str) -> Address:
    """Read `host:port` (`[::1]:8443` for IPv6); raises `InvalidAddress`."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) <= _HIGHEST_PORT:
        msg = f"{text!r} is no address: write host:port, for example localhost:8443"
        raise InvalidAddress(msg)
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def parse_peer(text: str, *, default_port: int) -> Address:
    """Read `host:port`, or a host name alone, which listens where the port table says; raises `InvalidAddress`."""
    if _HOST_NAME.fullmatch(text):
        return Address(text, default_port)
    return parse_address(text)
