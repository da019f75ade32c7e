"""The edge tells of self-signed certificates that nobody knows: of no others, and now and then only."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.admission.refusal import Refusal
from gateway.admission.request import Leaf
from gateway.edge import unknown_certificates
from gateway.edge.unknown_certificates import EVERY_SECONDS, UnknownCertificates
from gateway.policies.model import SelfSigned
from gateway.upstreams.faults import UpstreamFault
from tests.support.pki import Authority, Issued, self_issued

OWN = self_issued()


class Edge:
    """One worker's, and what it has said to the authorization server."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.told: list[tuple[bytes, bytes]] = []
        self.is_down = False
        self.noting = UnknownCertificates(SimpleNamespace(), monotonic=lambda: self.now)  # type: ignore[arg-type]

    async def answer_of(self, _upstreams: object, path: bytes, body: bytes) -> bytes:
        self.told.append((path, body))
        if self.is_down:
            raise UpstreamFault("upstream.connect", "refused")
        return b"{}"

    def refused(
        self, certificate: Issued | None = OWN, *, reason: str = "mtls.untrusted", rule: SelfSigned = SelfSigned.REGISTERED
    ) -> int:
        """Refuse a request; returns how often the authorization server has heard of such by then."""
        leaf = None if certificate is None else Leaf(certificate.der)
        connection = SimpleNamespace(leaf=leaf)
        route = SimpleNamespace(self_signed=rule)
        exchange: Any = SimpleNamespace(request=SimpleNamespace(connection=connection), admission=SimpleNamespace(route=route))

        async def note() -> None:
            self.noting.note(exchange, Refusal(reason))
            await asyncio.sleep(0)

        asyncio.run(note())
        return len(self.told)


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    edge = Edge()
    monkeypatch.setattr(unknown_certificates, "answer_of", edge.answer_of)
    return edge


def test_it_names_nobody(edge: Edge) -> None:
    """What a stranger shows goes no further."""
    edge.refused()
    assert edge.told == [(b"/internal/unknown-certificates", b"{}")]


def test_a_flood_is_told_now_and_then(edge: Edge) -> None:
    assert [edge.refused(self_issued()) for _ in range(3)] == [1, 1, 1]
    edge.now += EVERY_SECONDS
    assert [edge.refused(self_issued()) for _ in range(3)] == [2, 2, 2]


def test_of_others_nothing_is_said(edge: Edge) -> None:
    """Of an authority that is not trusted, of no certificate, for another reason, or where self-signed ones are not taken."""
    assert edge.refused(Authority().qwac()) == 0
    assert edge.refused(None) == 0
    assert edge.refused(reason="mtls.expired") == 0
    assert edge.refused(rule=SelfSigned.OFF) == 0


def test_an_authorization_server_that_is_away_is_no_harm(edge: Edge) -> None:
    """The refusal stands as it is, and the next one is told again."""
    edge.is_down = True
    edge.refused()
    edge.now += EVERY_SECONDS
    assert edge.refused() == 2
