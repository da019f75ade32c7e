"""Clients that are told of a decision: once where they listen, a few times where not, by one process, and within limits."""

from __future__ import annotations

import datetime as dt
import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import OperationalError

from chassis.sealing import Seal
from gateway.config import GatewaySettings
from gateway.documents import document_seal
from gateway.oauth.bootstrap import notifier
from gateway.oauth.ciba.bank import AskedPsu, AskStatus
from gateway.oauth.ciba.model import BackchannelRequest
from gateway.oauth.ciba.ping import BOUNDS, Notifier, Pings
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.oauth.lanes import Lanes
from gateway.register.model import DeliveryMode, GrantType
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.trust.fetching import FetchFailed
from psd2.clock import FixedClock
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, START, client
from tests.support.notification_receiver import Receiver
from tests.support.pki import Authority
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.trust.fetching import Order
    from tests.support.authorization import AuthorizationWorld

ENDPOINT = "https://tpp.example/ciba"
PINGS = Pings(Seal(lambda: b"k" * 32))
CA = Authority("Own CA")
SECONDS = 30


class Listener:
    """The clients' endpoints; `stalls` are the TPPs whose answer comes when `released` says so."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.is_down = False
        self.stalls: set[str] = set()
        self.released = threading.Event()

    def fetch(self, order: Order) -> Any:
        self.orders.append(order)
        if order.party in self.stalls:
            assert self.released.wait(SECONDS)
        if self.is_down:
            raise FetchFailed("nobody listens")

    def let_go(self, threads: list[threading.Thread]) -> None:
        """Answer those who wait, and let them end."""
        self.released.set()
        for thread in threads:
            thread.join(SECONDS)


class Asked:
    """The bank, as far as it is asked here."""

    status = AskStatus.PENDING

    def asked(self, authorisation: str, *, tenant: str) -> AskedPsu:
        assert (authorisation, tenant) in {("a", NUMBER), ("a", OTHER_NUMBER)}
        return AskedPsu(authorisation="a", status=self.status, psu="anna.weber", kind="ais", resource="1")


class World:
    """One request, and who hears of it."""

    def __init__(self, engine: Engine, endpoint: str | None = ENDPOINT) -> None:
        self.store, self.clock = SqlBackchannelStore(engine), FixedClock(START)
        self.listener, self.inside, self.bank = Listener(), Listener(), Asked()
        self.endpoint = endpoint
        self.store.add(request())
        self.notifier = self.process()

    def process(self) -> Notifier:
        """Start another process that tells."""
        return Notifier(
            store=self.store,
            bank=self.bank,  # type: ignore[arg-type]
            clients=SimpleNamespace(client=lambda _id: SimpleNamespace(backchannel_client_notification_endpoint=self.endpoint)),
            pings=PINGS,
            public=lambda: self.listener,
            internal=lambda: self.inside,
            internal_hosts=frozenset({"tpp.internal:443"}),
            lanes=Lanes(BOUNDS),
            clock=self.clock,
        )

    def after(self, seconds: float) -> int:
        """Look again later; returns how often the client has been told by then."""
        self.clock.advance(dt.timedelta(seconds=seconds))
        for thread in self.notifier.tell_all():
            thread.join(SECONDS)
        return len(self.listener.orders)


@pytest.fixture
def pinging(world: Any) -> World:
    """Lend a request of a client that is pinged."""
    return World(world.engine)


def request(number: int = 0, *, tpp: str = NUMBER, ping: str | None = None) -> BackchannelRequest:
    return BackchannelRequest(
        sha256=f"{number:064}",
        client_id=CLIENT,
        authorisation_number=tpp,
        scope="AIS:1",
        subject="anna.weber",
        authorisation="a",
        interval=5,
        created_at=START,
        expires_at=START + dt.timedelta(seconds=300),
        ping=ping or PINGS.sealed("the-id", "the-token"),
        ping_at=START,
    )


def test_a_client_is_told_once(pinging: World) -> None:
    """CIBA Core §10.2: with its token, which request, and nothing else; then what it was told is forgotten."""
    assert pinging.after(0) == 0
    pinging.bank.status = AskStatus.APPROVED
    assert pinging.after(1) == 1
    assert pinging.after(100) == 1

    (order,) = pinging.listener.orders
    assert (order.url, json.loads(order.body or b"")) == (ENDPOINT, {"auth_req_id": "the-id"})
    assert order.headers["Authorization"] == "Bearer the-token"
    kept = pinging.store.find("0" * 64)
    assert kept is not None
    assert (kept.ping, kept.ping_at, kept.pings) == (None, None, 1)


@pytest.mark.parametrize("status", [AskStatus.REJECTED, AskStatus.EXPIRED])
def test_a_client_is_told_of_a_no_too(pinging: World, status: AskStatus) -> None:
    """CIBA Core §10.2: it asks the token endpoint what became of it."""
    pinging.bank.status = status
    assert pinging.after(1) == 1


def test_nobody_is_told_for_ever(pinging: World) -> None:
    """Four times, with growing pauses."""
    pinging.bank.status, pinging.listener.is_down = AskStatus.APPROVED, True
    assert [pinging.after(seconds) for seconds in (1, 3, 1, 16, 64, 1000)] == [1, 1, 2, 3, 4, 4]


def test_one_process_tells(pinging: World) -> None:
    """Two that look at the same moment: one has it."""
    (due,) = pinging.store.due_for_ping(pinging.clock.now(), most=10, most_each=10)
    until = pinging.clock.now() + dt.timedelta(seconds=30)
    assert pinging.store.moved_ping(due, to=until, pings=1)
    assert pinging.store.moved_ping(due, to=until, pings=1) is None


def test_who_is_killed_while_it_tells_leaves_it_to_another(pinging: World) -> None:
    """At least once: the attempt was written down, and is made again when nobody can be at it any more; but not for ever."""
    pinging.bank.status, pinging.listener.stalls = AskStatus.APPROVED, {NUMBER}
    threads = pinging.notifier.tell_all()
    assert len(threads) == 1
    for told in (2, 3, 4):
        process = pinging.process()
        assert process.tell_all() == []  # it may still be under way
        pinging.clock.advance(dt.timedelta(seconds=30))
        threads += process.tell_all()
        wait_until(lambda told=told: len(pinging.listener.orders) == told, seconds=SECONDS, what="another attempt")  # type: ignore[misc]
    pinging.clock.advance(dt.timedelta(seconds=30))
    assert pinging.process().tell_all() == []
    kept = pinging.store.find("0" * 64)
    assert kept is not None
    assert (kept.ping, kept.ping_at, kept.pings) == (None, None, 4)
    pinging.listener.let_go(threads)


def test_a_slow_endpoint_holds_up_no_other_tpps(pinging: World) -> None:
    """However many of its requests are decided."""
    pinging.bank.status, pinging.listener.stalls = AskStatus.APPROVED, {NUMBER}
    for number in range(1, 40):
        pinging.store.add(request(number))
    pinging.store.add(request(50, tpp=OTHER_NUMBER))
    begun = pinging.notifier.tell_all()
    assert len(begun) == BOUNDS.each + 1
    begun[-1].join(SECONDS)
    kept = pinging.store.find(f"{50:064}")
    assert kept is not None
    assert (kept.ping, kept.pings) == (None, 1)
    assert pinging.notifier.tell_all() == []  # until one of them is done
    pinging.listener.let_go(begun)


def test_an_attempt_that_can_not_be_written_down_takes_no_place(pinging: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the database fails just then: the client is told once it is back."""
    pinging.bank.status, move = AskStatus.APPROVED, pinging.store.moved_ping

    def fail(held: BackchannelRequest, *, to: dt.datetime, pings: int) -> BackchannelRequest | None:
        if pings:
            raise OperationalError("", None, OSError("gone"))
        return move(held, to=to, pings=pings)

    with monkeypatch.context() as failing:
        failing.setattr(pinging.store, "moved_ping", fail)
        for _ in range(BOUNDS.each):
            with pytest.raises(OperationalError):
                pinging.after(1)

    assert pinging.after(1) == 1


def test_requests_of_one_tpp_crowd_out_no_other_tpps(pinging: World) -> None:
    """Those that nobody has decided on are looked at again and again: a share of each look is another TPP's."""
    for number in range(1, 60):
        pinging.store.add(request(number))
    pinging.store.add(request(99, tpp=OTHER_NUMBER))
    looked_at = pinging.store.due_for_ping(pinging.clock.now(), most=50, most_each=10)
    assert [each.authorisation_number for each in looked_at].count(NUMBER) == 10
    assert [each.authorisation_number for each in looked_at].count(OTHER_NUMBER) == 1


def test_addresses_inside_are_the_operators_to_name(world: Any) -> None:
    """As for `jwks_uri`: https only, hosts inside only where they are named."""
    inside = World(world.engine, "https://tpp.internal/ciba")
    inside.bank.status = AskStatus.APPROVED
    inside.after(1)
    assert len(inside.inside.orders) == 1
    assert inside.listener.orders == []


def test_a_plain_address_is_never_called(world: Any) -> None:
    """A token goes over https alone."""
    plain = World(world.engine, "http://tpp.example/ciba")
    plain.bank.status = AskStatus.APPROVED
    assert plain.after(1) == 0


def test_what_a_client_is_told_opens_with_the_homes_key_alone() -> None:
    """Who reads the database learns nothing of it."""
    sealed = PINGS.sealed("the-id", "the-token")
    assert PINGS.opened(sealed) == ("the-id", "the-token")
    assert "the-id" not in sealed


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Lend a client's endpoint."""
    receiver = Receiver(usual=204)
    yield receiver
    receiver.stop()


class Wire:
    """The notifier as the server has it, and a client's endpoint over TLS on this machine, which the operator has named."""

    def __init__(self, world: AuthorizationWorld, receiver: Receiver, home: Path, *, name: str = "localhost") -> None:
        certs = home / "certs"
        certs.mkdir()
        (certs / "trust.pem").write_text(CA.pem)
        receiver.start(CA, home, name)
        self.world, self.receiver = world, receiver
        endpoint = f"https://localhost:{receiver.port}/ciba"
        pinged = {"backchannel_token_delivery_mode": DeliveryMode.PING, "backchannel_client_notification_endpoint": endpoint}
        settings = GatewaySettings(internal_client_hosts=f"localhost:{receiver.port}")
        register = Register(store=SqlRegisterStore(world.engine), clock=world.clock, internal_hosts=settings.client_hosts)
        register.save_client(client(grant_types=(GrantType.CIBA,), redirect_uris=(), **pinged))
        self.store = SqlBackchannelStore(world.engine)
        self.store.add(request(ping=Pings(document_seal(settings)).sealed("the-id", "the-token")))
        bank: Any = Asked()
        bank.status = AskStatus.APPROVED
        self._notifier = notifier(settings, engine=world.engine, bank=bank, clock=world.clock)

    def is_told(self) -> bool:
        """Let one attempt be made; tell whether it was taken as good."""
        for thread in self._notifier.tell_all():
            thread.join(SECONDS)
        kept = self.store.find("0" * 64)
        assert kept is not None
        return kept.ping_at is None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEWAY_HOME", str(tmp_path))
    return tmp_path


def _wordy(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**6))
    handler.end_headers()
    handler.wfile.write(b"x")


@pytest.mark.parametrize("answer", [204, 200, _wordy])
def test_over_the_wire_the_client_takes_it_with_200_or_204(
    world: AuthorizationWorld, receiver: Receiver, home: Path, answer: int | Callable[[BaseHTTPRequestHandler], None]
) -> None:
    """CIBA Core §10.2: with the bearer token that the client gave, as JSON; what it answers besides is left alone."""
    wire = Wire(world, receiver, home)
    receiver.answers = [answer]
    assert wire.is_told()
    (received,) = receiver.received
    assert (received.path, received.body) == ("/ciba", {"auth_req_id": "the-id"})
    assert received.headers["authorization"] == "Bearer the-token"
    assert received.headers["content-type"] == "application/json"


@pytest.mark.parametrize("answer", [503, 429])
def test_over_the_wire_who_can_not_listen_now_is_told_again(
    world: AuthorizationWorld, receiver: Receiver, home: Path, answer: int
) -> None:
    wire = Wire(world, receiver, home)
    receiver.answers = [answer]
    assert not wire.is_told()
    assert [each.path for each in receiver.received] == ["/ciba"]
    world.clock.advance(dt.timedelta(seconds=4))
    assert wire.is_told()


@pytest.mark.parametrize("answer", [302, 307, 401, 403])
def test_over_the_wire_who_wants_none_of_it_is_told_once(
    world: AuthorizationWorld, receiver: Receiver, home: Path, answer: int
) -> None:
    """Nor is a redirect followed: the token is for the address that was registered. The tokens wait for it all the same."""
    wire = Wire(world, receiver, home)
    receiver.answers = [answer]
    assert wire.is_told()
    assert [each.path for each in receiver.received] == ["/ciba"]


def test_over_the_wire_the_endpoint_proves_its_name(world: AuthorizationWorld, receiver: Receiver, home: Path) -> None:
    """A certificate of the same CA for another host gets no token."""
    wire = Wire(world, receiver, home, name="other.example")
    assert not wire.is_told()
    assert receiver.received == []
