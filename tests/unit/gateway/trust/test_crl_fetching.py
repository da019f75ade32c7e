"""Fetching lists: bounded in every way, from a CA that may be slow, huge or lying."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.configuration.model import Document
from gateway.trust.crl_fetching import CrlKeeper
from gateway.trust.crl_points import MOST_POINTS, SqlCrlPoints
from gateway.trust.fetching import Fetched, Fetcher, FetchFailed, Order
from gateway.trust.kind import parse_trust_store
from gateway.trust.service import Trust
from gateway.trust.snapshot_store import read_snapshot
from gateway.trust.store import SqlTrustStore
from psd2.clock import FixedClock
from tests.support.ocsp import HttpAuthority
from tests.support.pki import DAY, Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.trust.kind import TrustStore

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
CA = Authority("Partner CA")


@pytest.fixture(scope="module")
def http() -> Iterator[HttpAuthority]:
    """Lend a web server."""
    server = HttpAuthority()
    yield server
    server.stop()


def order(http: HttpAuthority, path: str, *, url: str | None = None, seconds: float = 20, most: int = 1_000) -> Order:
    return Order(url=url or http.url(path), deadline_seconds=seconds, most_bytes=most, internal_hosts=frozenset({http.host}))


def test_a_file_is_fetched_through_a_redirect(http: HttpAuthority) -> None:
    http.files["/list"] = b"list"
    http.redirects["/moved"] = "/list"

    assert Fetcher().fetch(order(http, "/moved")).body == b"list"


def test_a_redirect_inside_is_not_followed(http: HttpAuthority) -> None:
    """The first address was allowed, the second is checked as well."""
    with socket.create_server(("127.0.0.1", 0)) as inside:
        http.redirects["/inside"] = f"http://127.0.0.1:{inside.getsockname()[1]}/secret"
        with pytest.raises(FetchFailed, match="not on the public internet"):
            Fetcher().fetch(order(http, "/inside"))


@pytest.mark.parametrize(
    ("path", "said"),
    [("/loop", "redirects more than 3 times"), ("/huge", "has more than 1000 bytes"), ("/nothing", "answered 404")],
)
def test_what_goes_too_far_is_given_up(http: HttpAuthority, path: str, said: str) -> None:
    http.redirects["/loop"] = "/loop"
    http.files["/huge"] = bytes(1_001)

    with pytest.raises(FetchFailed, match=said):
        Fetcher().fetch(order(http, path))


def test_what_breaks_off_is_not_taken_for_the_whole() -> None:
    """A list that ends early would un-revoke what it leaves out, could it be read."""

    def answer_half(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(9_000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer_half, args=(server,), daemon=True).start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(FetchFailed, match="broke off after 4 bytes"):
            Fetcher().fetch(Order(url=f"http://{host}/", deadline_seconds=20, most_bytes=100, internal_hosts=frozenset({host})))


@pytest.mark.parametrize(("name", "is_taken"), [("localhost", True), ("other.example", False)])
def test_over_https_a_server_proves_the_name_in_the_address(tmp_path: Path, name: str, *, is_taken: bool) -> None:
    """Whatever number it is called by."""
    trusting, serving = ssl.create_default_context(cadata=CA.pem), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*CA.server(name).write(tmp_path, "server"))

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with suppress(OSError), serving.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(9_000)
            encrypted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlist")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        host = f"localhost:{server.getsockname()[1]}"
        wanted = Order(url=f"https://{host}/", deadline_seconds=20, most_bytes=100, internal_hosts=frozenset({host}))
        if is_taken:
            assert Fetcher(trusting).fetch(wanted).body == b"list"
            return
        with pytest.raises(FetchFailed, match="certificate is not valid for 'localhost'"):
            Fetcher(trusting).fetch(wanted)


def test_a_server_that_drips_is_broken_off_at_the_deadline() -> None:
    """Each octet in time, and never an end: a timeout of the socket alone would wait for ever."""
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while not ended.wait(0.05):
                connection.send(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=(server,), daemon=True).start()
        host = f"127.0.0.1:{server.getsockname()[1]}"
        url = f"http://{host}/"
        with pytest.raises(FetchFailed):
            Fetcher().fetch(Order(url=url, deadline_seconds=0.3, most_bytes=10**9, internal_hosts=frozenset({host})))
        ended.set()


# --- the keeper


class Files:
    """What is at each address; counts how often it is asked."""

    def __init__(self) -> None:
        self.at: dict[str, bytes] = {}
        self.asked: list[str] = []

    def fetch(self, order: Order) -> Fetched:
        self.asked.append(order.url)
        if order.url not in self.at:
            raise FetchFailed(f"{order.url}: answered 404")
        return Fetched(self.at[order.url], None)


class Keeping:
    """A keeper over a database, and what it stands on."""

    def __init__(self, engine: Engine, *points: str, every_seconds: float = 3_600) -> None:
        self.engine = engine
        self.clock, self.files, self.points = FixedClock(NOW), Files(), SqlCrlPoints(engine)
        crl = {"points": list(points), "every_seconds": every_seconds}
        body = {"bundles": {"all": {"anchors": [CA.pem]}}, "revocation": {"crl": crl}}
        self.stores: Mapping[str, TrustStore] = {"partners": parse_trust_store(Document("trust-stores", "partners", body))}
        self.trust = Trust(store=SqlTrustStore(engine), clock=self.clock, described=lambda: self.stores)
        self.keeper = self.another()

    def another(self) -> CrlKeeper:
        return CrlKeeper(points=self.points, trust=self.trust, fetcher=self.files, stores=lambda: self.stores, clock=self.clock)

    def publish(self, url: str, *revoked: int, number: int = 1, by: Authority = CA) -> None:
        crl = by.crl(
            *[leaf for leaf in LEAVES if leaf.certificate.serial_number in revoked], number=number, next_update=NOW + DAY
        )
        self.files.at[url] = crl.public_bytes(Encoding.DER)


LEAVES = [CA.qwac()]
SERIAL = LEAVES[0].certificate.serial_number
URL = "http://crl.example/partners.crl"


def test_a_list_is_fetched_at_once_and_again_in_time(engine: Engine) -> None:
    """In force as if it had been sent; two processes fetch it once."""
    keeping = Keeping(engine, URL)
    keeping.publish(URL, SERIAL)

    assert (keeping.keeper.fetch_due(), keeping.another().fetch_due(), keeping.files.asked) == (1, 0, [URL])
    assert SERIAL in next(iter(read_snapshot(engine, "partners").crls.values())).revoked
    keeping.clock.advance(dt.timedelta(seconds=3_601))
    assert (keeping.keeper.fetch_due(), len(keeping.files.asked)) == (1, 2)


def test_a_list_is_fetched_before_it_runs_out_however_seldom_it_should_be(engine: Engine) -> None:
    """Half of its life later."""
    keeping = Keeping(engine, URL, every_seconds=86_400)
    keeping.publish(URL)
    keeping.keeper.fetch_due()

    keeping.clock.advance(dt.timedelta(hours=11))
    assert keeping.keeper.fetch_due() == 0
    keeping.clock.advance(dt.timedelta(hours=2))
    assert keeping.keeper.fetch_due() == 1


@pytest.mark.parametrize("wrong", ["forged", "older", "gone"])
def test_a_list_that_can_not_be_taken_changes_nothing_and_is_tried_again(engine: Engine, wrong: str) -> None:
    """The one in force stays, and the operator reads why."""
    keeping = Keeping(engine, URL)
    keeping.publish(URL, SERIAL, number=5)
    keeping.keeper.fetch_due()
    if wrong == "forged":
        keeping.publish(URL, number=6, by=Authority("Partner CA"))
    elif wrong == "older":
        keeping.publish(URL, number=4)
    else:
        keeping.files.at.clear()
    keeping.clock.advance(dt.timedelta(seconds=3_601))

    assert keeping.keeper.fetch_due() == 0
    (point,) = keeping.points.of_store("partners")
    assert {"forged": "signature was not made by", "older": "number 5 is in force", "gone": "404"}[wrong] in str(point.failure)
    assert SERIAL in next(iter(read_snapshot(engine, "partners").crls.values())).revoked
    keeping.publish(URL, number=7)
    keeping.clock.advance(dt.timedelta(seconds=31))
    assert keeping.keeper.fetch_due() == 1
    assert keeping.points.of_store("partners")[0].failure is None


def test_an_address_that_nobody_wants_any_more_is_forgotten(engine: Engine) -> None:
    """What certificates have named is fetched only as long as the store says so."""
    keeping = Keeping(engine)
    keeping.points.name("partners", ["http://named.example/by-a-leaf"], NOW)

    assert (keeping.keeper.fetch_due(), keeping.files.asked, keeping.points.of_store("partners")) == (0, [], [])


def test_addresses_of_a_store_are_bounded(engine: Engine) -> None:
    """Each certificate could name another."""
    points = SqlCrlPoints(engine)
    for start in (0, 40):
        points.name("partners", [f"http://crl.example/{number}" for number in range(start, start + 40)], NOW)

    assert len(points.of_store("partners")) == MOST_POINTS
