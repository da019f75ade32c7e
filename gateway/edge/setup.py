"""What the edge's workers inherit from the process that forks them: settings, TLS, and which port is which listener."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.edge.tls.contexts import PublicTls
from gateway.policies.model import Listener

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.config import GatewaySettings


@dataclass(frozen=True, slots=True)
class EdgeSetup:
    """Made once, before the first fork."""

    settings: GatewaySettings
    tls: PublicTls
    listener_of_port: Mapping[int, Listener]


def edge_setup(settings: GatewaySettings) -> EdgeSetup:
    """Return the set-up; raises `OSError`, `ssl.SSLError` for a certificate that can't be used."""
    return EdgeSetup(settings, PublicTls(settings.home), {port: listener for listener, port in ports_of(settings).items()})


def ports_of(settings: GatewaySettings) -> dict[Listener, int]:
    """Return the port of each public listener."""
    ports = settings.ports
    return {
        Listener.WELCOME: ports.welcome,
        Listener.PORTAL: ports.portal,
        Listener.FRONT: ports.front,
        Listener.EDGE: ports.edge,
        Listener.DEMO: ports.demo,
    }
