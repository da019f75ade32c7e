"""Upstreams as the edge knows them: parsed once, frozen, nothing left to validate."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.policies.model import Upstream as Service

if TYPE_CHECKING:
    from chassis.addresses import Address
    from gateway.policies.names import NamePattern

BUILT_IN: Final = frozenset(service.value for service in Service)


class Balancing(StrEnum):
    """Which of several targets gets the next request."""

    LEAST_BUSY = "least_busy"
    ROUND_ROBIN = "round_robin"


class TlsVersion(StrEnum):
    """A version of TLS that may be spoken with an upstream."""

    TLS_1_2 = "1.2"
    TLS_1_3 = "1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """Which certificate the gateway shows to which hosts; `port` None means every port.

    `name` is that of a document of `certificates` where it `is_stored`, else of the files `certs/upstreams/NAME.crt` and
    `.key` in the gateway's home.
    """

    name: str
    hosts: tuple[NamePattern, ...]
    port: int | None = None
    is_stored: bool = False

    def is_for(self, host: str, port: int) -> bool:
        """Whether it is shown there."""
        return self.port in {None, port} and any(pattern.matches(host) for pattern in self.hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a target proves who it is: chain to one of `authorities` (PEM), the name, and one of `pins` where there are any.

    `server_name` None is the target's own host. `pins` are SHA-256 of the leaf's SubjectPublicKeyInfo.
    """

    authorities: tuple[str, ...]
    system_authorities: bool
    server_name: str | None
    pins: frozenset[bytes]
    lowest: TlsVersion
    highest: TlsVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long each step may take, in seconds; None is the gateway's own setting."""

    connect: float | None = None
    head: float | None = None
    stall: float | None = None
    idle: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """After how many failures in a row a target is left alone, and for how long."""

    failures: int = 3
    seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One or several targets that answer for the same.

    `service` is the internal service that they are instances of, None for everybody else: those prove themselves by `proof`,
    and are told of the client what the client itself has sent, and who it is only where `passes_identity`.
    """

    name: str
    description: str = ""
    targets: tuple[Address, ...]
    service: Service | None = None
    proof: Proof | None = None
    client_certificates: tuple[ClientCertificate, ...] = ()
    passes_identity: bool = False
    host: bytes | None = None
    balancing: Balancing = Balancing.LEAST_BUSY
    retries: int = 1
    times: Times = field(default_factory=Times)
    health: Health = field(default_factory=Health)
    connections: int | None = None

    def certificate_for(self, target: Address) -> ClientCertificate | None:
        """Return what the gateway shows to a target, None where it shows nothing."""
        return next((each for each in self.client_certificates if each.is_for(target.host, target.port)), None)
