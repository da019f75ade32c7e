"""TPPs for the tests that run whole journeys: stages with their own connection, and a transport that keeps every body."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psd2.clock import SystemClock
from tpp_client.bootstrap import headless_stage, identity_at
from tpp_client.journeys.narration import Recorder
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from tests.support.platform import RunningPlatform
    from tpp_client.identity import TppIdentity
    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import HttpRequest, HttpResponse, Transport

CLOCK = SystemClock()
ANNA = "anna.weber"


@dataclass(slots=True)
class KeepingTransport:
    """Passes on, and keeps every answer for a test to look at."""

    inner: Transport
    kept: list[HttpResponse] = field(default_factory=list)

    def send(self, request: HttpRequest) -> HttpResponse:
        response = self.inner.send(request)
        self.kept.append(response)
        return response


def fresh_number() -> str:
    """Return an authorisation number that no other test has."""
    return f"PSDDE-BAFIN-{secrets.randbelow(9 * 10**9) + 10**9}"


def registered(
    platform: RunningPlatform,
    *,
    roles: str = "AISP,PISP,CBPII",
    seed: int | None = None,
    client: tuple[str, ...] = ("--profile", "berlin"),
) -> TppIdentity:
    """Register a TPP of its own and return its identity."""
    name = f"tpp-{secrets.token_hex(4)}"
    platform.register(name, fresh_number(), roles=roles, seed=seed, client=client)
    return identity_at(platform.home.path, name, clock=CLOCK)


@contextmanager
def open_stage(identity: TppIdentity, *, psu: str = ANNA, tls: ssl.TLSVersion | None = None) -> Iterator[Stage]:
    """Lend a stage with a connection of its own."""
    with transport_for(identity, tls=tls) as transport:
        yield stage_on(identity, transport, psu=psu)


def stage_on(identity: TppIdentity, transport: Transport, *, psu: str = ANNA) -> Stage:
    """Return a stage on any transport."""
    return headless_stage(identity, transport, psu=psu, narrator=Recorder(), clock=CLOCK)
