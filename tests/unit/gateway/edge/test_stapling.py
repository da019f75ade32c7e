"""Stapling: what a client is sent that asks for it, and that nothing is stapled that a client would not believe."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.edge.tls.stapler import Stapler
from gateway.edge.tls.stapling import Staple, StaplingUnavailable, require_staples_arrive, stapled_to
from gateway.trust.fetching import Fetched, FetchFailed
from psd2.clock import FixedClock
from tests.support.ocsp import HOUR, Responder
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.trust.fetching import Order

CA = Authority("Server CA")
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*CA.server("localhost").write(tmp_path, "server"))
    return context


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_a_client_that_asks_is_sent_the_staple(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """The one of that moment; none while there is none, and the handshake ends well all the same."""
    staple = Staple()
    staple.attach(context)
    assert stapled_to(context, version) is None
    for response in (b"first", b"second" * 1_000):
        staple.response = response
        assert stapled_to(context, version) == response


def test_the_self_test_notices_a_staple_that_does_not_arrive(context: ssl.SSLContext) -> None:
    """On a Python where the callback is never called."""
    with pytest.raises(StaplingUnavailable, match="did not arrive"):
        require_staples_arrive(context, Staple())


class Wire:
    """Fetches from a responder in this process; down where it is None."""

    def __init__(self) -> None:
        self.responder: Responder | None = Responder(CA)

    def fetch(self, order: Order) -> Fetched:
        if self.responder is None:
            raise FetchFailed("nobody listens")
        assert order.body is not None
        return Fetched(self.responder.answer(order.body), None)


def certificate_with_responder() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    location = x509.AccessDescription(
        x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example/")
    )
    builder = x509.CertificateBuilder(CA.name, x509.Name([]), key.public_key(), x509.random_serial_number())
    now = dt.datetime.now(dt.UTC)
    builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.AuthorityInformationAccess([location]), critical=False)
    return builder.sign(CA.key, hashes.SHA256())


class Stapling:
    """A stapler, and what it stands on."""

    def __init__(self, folder: Path) -> None:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)  # of this test: the responder answers by the real time
        self.file, self.wire, self.clock, self.staple = folder / "edge.crt", Wire(), FixedClock(now), Staple()
        self.stapler = Stapler(
            self.file.read_text, self.staple, fetcher=self.wire, internal_hosts=frozenset(), clock=self.clock
        )
        self.certificate = self.renew()

    def renew(self) -> x509.Certificate:
        certificate = certificate_with_responder()
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM) + CA.pem.encode())
        return certificate

    def after(self, wait: dt.timedelta) -> bytes | None:
        self.clock.advance(wait)
        self.stapler.look()
        return self.staple.response


@pytest.fixture
def stapling(tmp_path: Path) -> Stapling:
    return Stapling(tmp_path)


def test_an_answer_is_stapled_until_it_runs_out(stapling: Stapling) -> None:
    """A responder that is down for less than that is not noticed."""
    first = stapling.after(HOUR * 0)
    assert first is not None
    stapling.wire.responder = None

    assert stapling.after(HOUR * 0.9) == first
    assert stapling.after(HOUR * 0.2) is None


def test_a_new_certificate_never_goes_out_with_the_old_ones_staple(stapling: Stapling) -> None:
    """Clients would break off."""
    assert stapling.after(HOUR * 0) is not None
    stapling.renew()
    stapling.wire.responder = None

    assert stapling.after(HOUR * 0) is None


def test_an_answer_that_comes_once_the_certificate_is_another_one_is_not_stapled(stapling: Stapling) -> None:
    """It was renewed while the responder was asked about the old one."""
    fetch = stapling.wire.fetch

    def fetch_slowly(order: Order) -> Fetched:
        fetched = fetch(order)
        stapling.renew()
        return fetched

    stapling.wire.fetch = fetch_slowly  # type: ignore[method-assign]
    assert stapling.after(HOUR * 0) is None
    stapling.wire.fetch = fetch  # type: ignore[method-assign]
    assert stapling.after(HOUR * 0) is not None


@pytest.mark.parametrize("wrong", ["revoked", "forged"])
def test_what_a_client_would_not_believe_is_not_stapled(stapling: Stapling, wrong: str) -> None:
    """Better none than one that ends handshakes."""
    if wrong == "revoked":
        stapling.wire.responder = Responder(CA, revoked={stapling.certificate.serial_number})
    else:
        stapling.wire.responder = Responder(Authority("Server CA"))

    assert stapling.after(HOUR * 0) is None
