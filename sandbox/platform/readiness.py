"""Asking a server whether it is ready: `GET /health`, over internal mutual TLS as its callers do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import requests

from chassis.addresses import Address
from chassis.peers import Peer, PeerAnswer, PeerSession, PeerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from chassis.home import Home
    from sandbox.platform.servers import Server

_PROBE_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.05
_OK = 200


class Health(Protocol):
    """Tells whether one server answers."""

    def complaint(self, server: Server) -> str | None:
        """Return None where the server is healthy, else what is wrong."""


class HealthOverTheWire:
    """The real one: asks on the server's first listener."""

    def __init__(self, home: Home) -> None:
        """Ask with the internal certificates of this home."""
        self._home = home

    def complaint(self, server: Server) -> str | None:
        """Return None where `/health` answers 200, else what is wrong."""
        try:
            response = self._ask(server)
        except (PeerUnavailable, requests.RequestException) as error:
            return str(error)
        return None if response.status_code == _OK else f"/health answered {response.status_code}: {response.text[:200]}"

    def _ask(self, server: Server) -> requests.Response | PeerAnswer:
        port = server.listeners[0].port
        if server.caller is not None:
            peer = Peer(name=server.name, address=Address("localhost", port), home=self._home, caller=server.caller)
            return PeerSession(peer).get("/health", timeout=_PROBE_SECONDS)
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://localhost:{port}/health", timeout=_PROBE_SECONDS)


def wait_until_healthy(health: Health, server: Server, *, until: float, goes_on: Callable[[], bool]) -> str | None:
    """Ask until the server is healthy; return None, or the last complaint once `until` has passed or `goes_on` says no."""
    while True:
        complaint = health.complaint(server)
        if complaint is None or time.monotonic() >= until or not goes_on():
            return complaint
        time.sleep(_LOOK_AGAIN_SECONDS)
