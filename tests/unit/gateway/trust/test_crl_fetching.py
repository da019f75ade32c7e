"""Fetching lists: bounded in every way, from a CA that may be slow, huge or lying."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.configuration.model import Document
from gateway.trust.addresses import AddressRefused
from gateway.trust.crl_fetching import CrlKeeper
from gateway.trust.crl_points import MOST_POINTS, SqlCrlPoints
from gateway.trust.crl_turns import OF_A_STORE
from gateway.trust.fetching import Fetched, Fetcher, FetchFailed, Order
from gateway.trust.kind import parse_trust_store
from gateway.trust.names import Names, looked_up
from gateway.trust.rules import CrlRules, RevocationRules, StoreRules
from gateway.trust.service import Trust
from gateway.trust.snapshot_store import read_snapshot
from gateway.trust.store import SqlTrustStore
from psd2.clock import FixedClock
from tests.support.ocsp import HttpAuthority
from tests.support.pki import DAY, Authority
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.trust.addresses import IpAddress
    from gateway.trust.kind import TrustStore

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
CA = Authority("Partner CA")
DEADLINE_SECONDS = 30


@pytest.fixture(scope="module")
def http() -> Iterator[HttpAuthority]:
    """Lend a web server."""
    server = HttpAuthority()
    yield server
    server.stop()


def order(http: HttpAuthority, path: str, *, url: str | None = None, seconds: float = 20, most: int = 1_000) -> Order:
    return Order(url=url or http.url(path), deadline_seconds=seconds, most_bytes=most, internal_hosts=frozenset({http.host}))


def test_which_answer_is_a_good_one_the_order_says(http: HttpAuthority) -> None:
    """Whoever is told something may answer otherwise than who is asked for something (CIBA Core §10.2: 204)."""
    told = order(http, "/nothing")
    with pytest.raises(FetchFailed, match="answered 404"):
        Fetcher().fetch(told)
    assert Fetcher().fetch(replace(told, taken=frozenset({404}))).etag is None


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


def hanging(started: threading.Semaphore, ended: threading.Event) -> Names:
    def look_up(_host: str, _port: int) -> list[IpAddress]:
        started.release()
        ended.wait(DEADLINE_SECONDS)
        return [ip_address("127.0.0.1")]

    return Names(look_up, most=2)


def test_a_name_that_is_not_found_in_time_is_given_up() -> None:
    """The system's resolver goes on by itself: it holds a thread, one for each name, and two at most here."""
    started, ended = threading.Semaphore(0), threading.Event()
    fetcher = Fetcher(names=hanging(started, ended))

    def fails(host: str, said: str) -> None:
        with pytest.raises(FetchFailed, match=said):
            fetcher.fetch(Order(url=f"http://{host}/", deadline_seconds=0.05, most_bytes=100))

    for host in ("a.example", "a.example", "b.example"):
        fails(host, "is not found in time")
    fails("c.example", "2 other names have not been found yet")
    assert [started.acquire(timeout=DEADLINE_SECONDS) for _ in range(2)] == [True, True]
    assert not started.acquire(blocking=False)
    ended.set()
    wait_until(lambda: _is_room_for_a_name(fetcher), seconds=DEADLINE_SECONDS, what="room for another name")


def test_names_that_one_party_gives_hold_up_nobody_elses() -> None:
    """Whoever names hosts whose servers say nothing has its own share of threads wait for them."""
    ended = threading.Event()

    def look_up(host: str, _port: int) -> list[IpAddress]:
        if host.startswith("slow"):
            ended.wait(DEADLINE_SECONDS)
        return [ip_address("127.0.0.1")]

    names = Names(look_up, most=4, most_each=2)
    for host, said in (("slow-1", "in time"), ("slow-2", "in time"), ("slow-3", "is not looked up")):
        with pytest.raises(AddressRefused, match=said):
            names.addresses_of(host, 443, seconds=0.02, party="greedy")
    assert names.addresses_of("quick", 443, seconds=DEADLINE_SECONDS, party="other") == [ip_address("127.0.0.1")]
    ended.set()


def _is_room_for_a_name(fetcher: Fetcher) -> bool:
    with pytest.raises(FetchFailed) as failed:
        fetcher.fetch(Order(url="http://d.example/", deadline_seconds=1, most_bytes=100))
    return "not on the public internet" in str(failed.value)


def test_the_deadline_is_for_all_redirects_together(http: HttpAuthority) -> None:
    """A chain of slow redirects would otherwise have one for each."""
    http.redirects |= {"/once": "/twice", "/twice": "/here"}
    http.files["/here"] = b"list"
    waits = iter([0.0, 0.4])
    names = Names(lambda host, port: _found_after(next(waits, 0.4), host, port))
    with pytest.raises(FetchFailed):
        Fetcher(names=names).fetch(order(http, "/once", seconds=0.6))


def _found_after(seconds: float, host: str, port: int) -> list[IpAddress]:
    threading.Event().wait(seconds)
    return looked_up(host, port)


# --- the keeper


class Files:
    """What is at each address; counts how often it is asked. Whoever asks for one that is slow waits until `released`."""

    def __init__(self) -> None:
        self.at: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.slow: set[str] = set()
        self.released = threading.Event()

    def fetch(self, order: Order) -> Fetched:
        self.asked.append(order.url)
        if order.url in self.slow:
            self.released.wait(DEADLINE_SECONDS)
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

    def fetch_due(self, keeper: CrlKeeper | None = None) -> int:
        """Fetch what is due; returns how many lists came into force."""
        return sum(each.result(DEADLINE_SECONDS) for each in (keeper or self.keeper).begin_due())

    def publish(self, url: str, *revoked: int, number: int = 1, by: Authority = CA) -> None:
        crl = by.crl(
            *[leaf for leaf in LEAVES if leaf.certificate.serial_number in revoked], number=number, next_update=NOW + DAY
        )
        self.files.at[url] = crl.public_bytes(Encoding.DER)


LEAVES = [CA.qwac()]
SERIAL = LEAVES[0].certificate.serial_number
URL = "http://crl.example/partners.crl"
OTHERS_URL = "http://crl.example/others.crl"
OTHERS_RULES = StoreRules(revocation=RevocationRules(crl=CrlRules(points=(OTHERS_URL,))))


def test_a_list_is_fetched_at_once_and_again_in_time(engine: Engine) -> None:
    """In force as if it had been sent; two processes fetch it once."""
    keeping = Keeping(engine, URL)
    keeping.publish(URL, SERIAL)

    assert (keeping.fetch_due(), keeping.fetch_due(keeping.another()), keeping.files.asked) == (1, 0, [URL])
    assert SERIAL in next(iter(read_snapshot(engine, "partners").crls.values())).revoked
    keeping.clock.advance(dt.timedelta(seconds=3_601))
    assert (keeping.fetch_due(), len(keeping.files.asked)) == (1, 2)


def test_a_list_is_fetched_before_it_runs_out_however_seldom_it_should_be(engine: Engine) -> None:
    """Half of its life later."""
    keeping = Keeping(engine, URL, every_seconds=86_400)
    keeping.publish(URL)
    keeping.fetch_due()

    keeping.clock.advance(dt.timedelta(hours=11))
    assert keeping.fetch_due() == 0
    keeping.clock.advance(dt.timedelta(hours=2))
    assert keeping.fetch_due() == 1


@pytest.mark.parametrize("wrong", ["forged", "older", "gone"])
def test_a_list_that_can_not_be_taken_changes_nothing_and_is_tried_again(engine: Engine, wrong: str) -> None:
    """The one in force stays, and the operator reads why."""
    keeping = Keeping(engine, URL)
    keeping.publish(URL, SERIAL, number=5)
    keeping.fetch_due()
    if wrong == "forged":
        keeping.publish(URL, number=6, by=Authority("Partner CA"))
    elif wrong == "older":
        keeping.publish(URL, number=4)
    else:
        keeping.files.at.clear()
    keeping.clock.advance(dt.timedelta(seconds=3_601))

    assert keeping.fetch_due() == 0
    (point,) = keeping.points.of_store("partners")
    assert {"forged": "signature was not made by", "older": "number 5 is in force", "gone": "404"}[wrong] in str(point.failure)
    assert SERIAL in next(iter(read_snapshot(engine, "partners").crls.values())).revoked
    keeping.publish(URL, number=7)
    keeping.clock.advance(dt.timedelta(seconds=31))
    assert keeping.fetch_due() == 1
    assert keeping.points.of_store("partners")[0].failure is None


def test_slow_addresses_delay_no_other_list(engine: Engine) -> None:
    """Begun anew while they are under way, they are not asked twice."""
    slow = [f"http://slow.example/{number}" for number in range(3)]
    keeping = Keeping(engine, *slow, URL)
    keeping.stores = {**keeping.stores, "others": replace(keeping.stores["partners"], name="others", rules=OTHERS_RULES)}
    keeping.files.slow = {*slow}
    for url in (URL, OTHERS_URL):
        keeping.publish(url)
    keeping.points.name("partners", slow, NOW - DAY)
    begun = keeping.keeper.begin_due()
    waiting = [each for each in begun if not each.done()]

    # As many of one store as may be are under way; the others' list is here all the same.
    wait_until(lambda: len(keeping.trust.lists("others")) == 1, seconds=DEADLINE_SECONDS, what="the others' list")
    assert keeping.keeper.begin_due() == []
    assert len(waiting) >= OF_A_STORE
    keeping.files.released.set()
    for each in begun:
        each.result(DEADLINE_SECONDS)
    assert [keeping.files.asked.count(url) for url in slow] == [1, 1, 0]


def test_an_address_that_nobody_wants_any_more_is_forgotten(engine: Engine) -> None:
    """What certificates have named is fetched only as long as the store says so."""
    keeping = Keeping(engine)
    keeping.points.name("partners", ["http://named.example/by-a-leaf"], NOW)

    assert (keeping.fetch_due(), keeping.files.asked, keeping.points.of_store("partners")) == (0, [], [])


def test_addresses_of_a_store_are_bounded(engine: Engine) -> None:
    """Each certificate could name another."""
    points = SqlCrlPoints(engine)
    for start in (0, 40):
        points.name("partners", [f"http://crl.example/{number}" for number in range(start, start + 40)], NOW)

    assert len(points.of_store("partners")) == MOST_POINTS
