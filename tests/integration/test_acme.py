"""Certificates from a real ACME server, on both databases: ordered by one process, gone on with, renewed; faults are told."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from gateway.acme.keys import new_key
from gateway.acme.model import KeyType
from gateway.acme.store import SqlChallenges
from gateway.certificates.kind import CERTIFICATES
from psd2.clock import SystemClock
from tests.support.acme import NAMES, Orderer
from tests.support.at_once import at_once
from tests.support.pebble import HMAC_KEY, KEY_ID, needs_pebble, running_pebble
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.acme.model import AcmeAccount, AcmeCertificate, Obtained
    from tests.support.databases import Databases
    from tests.support.pebble import Pebble

pytestmark = needs_pebble


@pytest.fixture
def orderer(databases: Databases, tmp_path: Path) -> Iterator[Orderer]:
    """Lend one on an empty database of each engine."""
    (tmp_path / "certs").mkdir()
    with databases.opened("gateway") as engine:
        yield Orderer(engine, tmp_path)


@pytest.fixture
def http_port(orderer: Orderer) -> Iterator[int]:
    """Answer challenges as the edge does, from the database."""
    challenges = SqlChallenges(orderer.engine)

    class Welcome(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = challenges.answers(SystemClock().now()).get(self.path.rpartition("/")[2])
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write((answer or "").encode())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Welcome) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def pebble(http_port: int, tmp_path: Path) -> Iterator[Pebble]:
    with running_pebble(tmp_path / "pebble", http_port=http_port) as running:
        yield running


def test_a_certificate_is_ordered_by_one_process_and_renewed(orderer: Orderer, pebble: Pebble) -> None:
    """On both databases; of several processes that look at once, one orders."""
    orderer.want(pebble, contact=["mailto:operations@bank.example"])
    processes = [orderer, *(Orderer(orderer.engine, orderer.home) for _ in range(2))]
    done = at_once(*(each.keeper.keep_due for each in processes))
    assert sorted(map(str, done)) == ["0", "0", "1"]
    first = orderer.stored.current
    assert sorted(first.dns_names) == NAMES
    assert len(orderer.stored.versions) == 1

    orderer.clock.advance(first.not_after - orderer.clock.now() - DAY)
    assert orderer.keeper.keep_due() == 1
    assert orderer.stored.current.sha256 != first.sha256
    assert first.stage.PREVIOUS in {each.stage for each in orderer.stored.versions}
    assert orderer.progress.failure is None


def test_what_is_wrong_is_told_and_mended(orderer: Orderer, pebble: Pebble) -> None:
    """Terms that nobody has agreed to, a directory that another CA vouches for, a directory that is down, and none of it."""
    said = []
    for body in (
        {"terms_of_service_agreed": False},
        {"ca_bundle": Authority("Another CA").pem},
        {"directory": "https://localhost:1/dir"},
    ):
        orderer.want(pebble, **body)
        assert orderer.keeper.keep_due() == 0
        said.append(orderer.progress.failure or "")
        orderer.clock.advance(DAY)
    assert "terms_of_service_agreed = true" in said[0]
    assert "CERTIFICATE_VERIFY_FAILED" in said[1]
    assert "Connection refused" in said[2]
    assert orderer.progress.failures == 3
    orderer.want(pebble)
    assert orderer.keeper.keep_due() == 1
    assert (orderer.progress.failures, orderer.progress.failure) == (0, None)


def test_a_name_that_leads_elsewhere_is_refused_by_the_ca(orderer: Orderer, tmp_path: Path) -> None:
    """Nothing answers there; what the CA says is told by name."""
    with running_pebble(tmp_path / "pebble", http_port=1) as pebble:
        orderer.want(pebble)
        assert orderer.keeper.keep_due() == 0
    assert "the CA could not verify shop.example" in (orderer.progress.failure or "")
    assert orderer.configuration.snapshot().of(CERTIFICATES) == {}
    assert SqlChallenges(orderer.engine).answers(SystemClock().now()) == {}


def test_an_order_that_was_refused_is_not_gone_on_with(
    orderer: Orderer, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CA has ended it; the next try is another one."""
    orderer.want(pebble)
    with monkeypatch.context() as unanswered:
        unanswered.setattr(orderer.kept, "publish", lambda _answers, **_times: None)
        assert orderer.keeper.keep_due() == 0
    assert orderer.kept.open_order("shop") is not None
    orderer.kept.hasten("shop", orderer.clock.now())
    assert orderer.keeper.keep_due() == 1, orderer.progress.failure


def test_an_order_that_was_cut_off_is_gone_on_with(orderer: Orderer, pebble: Pebble, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed with the order placed, or with the certificate in hand: no second one is issued."""
    orderer.want(pebble)
    obtained: list[Obtained] = []
    obtain = orderer.ordering.obtain

    def obtain_and_die(account: AcmeAccount, wanted: AcmeCertificate) -> Obtained:
        obtained.append(obtain(account, wanted))
        raise KeyboardInterrupt

    monkeypatch.setattr(orderer.ordering, "obtain", obtain_and_die)
    with pytest.raises(KeyboardInterrupt):
        orderer.keeper.keep_due()
    order = orderer.kept.open_order("shop")
    assert orderer.keeper.keep_due() == 0, "who died has it on lease"

    successor = Orderer(orderer.engine, orderer.home)
    successor.clock.advance(DAY)
    assert successor.keeper.keep_due() == 1
    assert obtained[0].chain_pem.startswith(successor.stored.current.chain_pem[:500])
    assert order is not None
    assert successor.kept.open_order("shop") is None


def test_an_account_that_the_ca_does_not_know_is_made_anew(orderer: Orderer, pebble: Pebble) -> None:
    """At once; and one that it knows already, by its key, is found again."""
    orderer.want(pebble)
    key, _url = orderer.kept.keep_account_key("public", pebble.directory, new_key(KeyType.EC_P256), orderer.clock.now())
    orderer.kept.note_account("public", pebble.directory, f"https://localhost:{pebble.port}/my-account/unknown")
    for _ in range(2):
        assert orderer.keeper.keep_due() == 1
        assert orderer.progress.failure is None
        orderer.kept.note_account("public", pebble.directory, None)
        orderer.clock.advance(orderer.stored.current.not_after - orderer.clock.now() - DAY)
    assert orderer.kept.account_key("public", pebble.directory) == (key, None)


def test_an_account_may_have_to_be_a_customers(orderer: Orderer, http_port: int, tmp_path: Path) -> None:
    """RFC 8555 §7.3.4, as commercial CAs want it."""
    with running_pebble(tmp_path / "pebble", http_port=http_port, external_account=True) as pebble:
        orderer.want(pebble)
        assert orderer.keeper.keep_due() == 0
        assert "external_account" in (orderer.progress.failure or "")
        orderer.want(pebble, external_account={"key_id": KEY_ID, "hmac_key": HMAC_KEY})
        orderer.clock.advance(DAY)
        assert orderer.keeper.keep_due() == 1
