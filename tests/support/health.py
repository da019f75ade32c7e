"""The platform's health for tests of the portal: servers that answer as a test wants, real revocation lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import Encoding

from chassis.peers import PeerAnswer, PeerUnavailable
from sandbox.health.service import Health
from tests.support.pki import Authority

if TYPE_CHECKING:
    from chassis.home import Home
    from sandbox.trust.service import TrustDelivery
    from tests.support.register import RegisterWorld


class FakePeer:
    """Answers `/health` with a status, or not at all."""

    def __init__(self, name: str, status: int | None) -> None:
        self._name = name
        self._status = status

    def get(self, path: str, *, timeout: float) -> PeerAnswer:
        assert (path, timeout) == ("/health", 2.0)
        if self._status is None:
            raise PeerUnavailable(self._name, "connection refused")
        return PeerAnswer(self._status, headers={}, content=b"")


class FakeNeighbours:
    """The gateway, on the servers that answer to it alone."""

    def __init__(self, *, is_down: bool = False) -> None:
        self._is_down = is_down

    def servers(self) -> list[dict[str, Any]]:
        if self._is_down:
            raise PeerUnavailable("admin", "connection refused")
        return [{"name": "authorization", "healthy": True, "complaint": None, "milliseconds": 1.5}]


class RealLists:
    """Revocation lists that can be read."""

    def crl(self, ca_name: str) -> bytes:
        return Authority(ca_name).crl(number=7).public_bytes(Encoding.DER)


def health_of(home: Home, world: RegisterWorld, trust: TrustDelivery, *, gateway_is_down: bool = False) -> Health:
    """Return the health of a platform whose bank is well and whose portal is not there."""
    return Health(
        home=home,
        clock=world.clock,
        peers={"bank": FakePeer("bank", 200), "admin": FakePeer("admin", 503), "portal": FakePeer("portal", None)},
        neighbours=FakeNeighbours(is_down=gateway_is_down),
        lists=RealLists(),
        trust=trust,
    )
