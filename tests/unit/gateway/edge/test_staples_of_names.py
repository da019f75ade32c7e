"""Each of a listener's certificates goes out with its own staple, chosen by the name that the client asks for."""

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID

from gateway.edge.tls.stapler import Stapler
from gateway.edge.tls.staplers import Staplers
from gateway.edge.tls.stapling import Staple, stapled_to
from gateway.policies.model import Listener
from gateway.trust.fetching import Fetched, FetchFailed
from psd2.clock import SystemClock
from tests.support.ocsp import Responder
from tests.support.pki import DAY, Authority, Issued
from tests.support.stored_certificates import version
from tests.unit.gateway.edge.test_server_names import Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.trust.fetching import Order

VERSIONS = pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
DEADLINE_SECONDS = 30
CA = Authority("Server CA")


def certificate(responder: str) -> Issued:
    """Return a certificate for shop.example that names its responder."""
    key, now = ec.generate_private_key(ec.SECP256R1()), SystemClock().now()
    location = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(responder))
    builder = (
        x509.CertificateBuilder(CA.name, x509.Name([]), key.public_key(), x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example")]), critical=False)
        .add_extension(x509.AuthorityInformationAccess([location]), critical=False)
    )
    return Issued(builder.sign(CA.key, hashes.SHA256()), key, chain=(CA.certificate,))


SHOP, RENEWED, SLOW = (
    certificate("http://ocsp.example/"),
    certificate("http://ocsp.example/"),
    certificate("http://slow.example/"),
)


class Wire:
    """Fetches from a responder in this process; one that is slow keeps whoever asks waiting until `released`."""

    def __init__(self) -> None:
        self.responder, self.released = Responder(CA), threading.Event()

    def fetch(self, order: Order) -> Fetched:
        if "slow" in order.url:
            self.released.wait(DEADLINE_SECONDS)
            raise FetchFailed("nobody listens")
        assert order.body is not None
        return Fetched(self.responder.answer(order.body), None)


@pytest.fixture
def side(tmp_path: Path) -> Side:
    return Side(tmp_path)


def only_staple(side: Side) -> Staple:
    (staple,) = side.names.staples.values()
    return staple


@VERSIONS
def test_a_name_is_sent_its_certificates_staple(side: Side, tls: ssl.TLSVersion) -> None:
    """And the default certificate's goes with that alone: the other one's would end the handshake."""
    side.show(SHOP, "shop.example")
    context = side.tls.contexts[Listener.EDGE]
    assert side.tls.staple is not None
    side.tls.staple.response = b"of the default one"
    assert stapled_to(context, tls, "shop.example") is None
    only_staple(side).response = b"of the shop"
    assert [stapled_to(context, tls, name) for name in ("shop.example", None)] == [b"of the shop", b"of the default one"]


@VERSIONS
def test_a_rotated_certificate_never_goes_out_with_the_old_ones_staple(side: Side, tls: ssl.TLSVersion) -> None:
    """Rules that change leave it its own; connections that begin meanwhile end well."""
    side.show(SHOP, "shop.example")
    only_staple(side).response = b"of the shop"
    side.rule(suites=["ECDHE-ECDSA-AES256-GCM-SHA384"])
    context = side.tls.contexts[Listener.EDGE]
    assert stapled_to(context, tls, "shop.example") == b"of the shop"
    old = side.names.context_of(Listener.EDGE, "shop.example")
    assert old is not None
    side.show(RENEWED, "shop.example")
    gc.collect()
    assert stapled_to(context, tls, "shop.example") is None
    assert stapled_to(old, tls) == b"of the shop"


def test_staples_are_kept_of_what_is_in_force(side: Side) -> None:
    """Of a new certificate too, and although another one's responder is slow."""
    wire = Wire()
    staplers = Staplers(lambda: side.names.staples, lambda chain, staple: stapler(wire, chain, staple))

    async def run() -> None:
        keeping = asyncio.get_running_loop().create_task(staplers.keep(look_seconds=0.01))
        side.documents["certificates", "slow"] = {"versions": [version(SLOW)]}
        side.put("server-names", "slow", {"names": ["shop.example"], "listeners": ["front"], "certificate": "slow"})
        for issued in (SHOP, RENEWED):
            side.show(issued, "shop.example")
            await until(lambda issued=issued: side.names.staples[issued.pem].response is not None)  # type: ignore[misc]
        assert side.names.staples[SLOW.pem].response is None
        wire.released.set()
        keeping.cancel()

    asyncio.run(run())


def stapler(wire: Wire, chain: str, staple: Staple) -> Stapler:
    return Stapler(lambda: chain, staple, fetcher=wire, internal_hosts=frozenset(), clock=SystemClock())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is done by another thread
            await asyncio.sleep(0.01)
