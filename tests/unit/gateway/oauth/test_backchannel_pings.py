"""Clients that are told of a decision: once where they listen, a few times where not, by one process, and within limits."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from chassis.sealing import Seal
from gateway.oauth.ciba.bank import AskedPsu, AskStatus
from gateway.oauth.ciba.model import BackchannelRequest
from gateway.oauth.ciba.ping import Notifier, Pings
from gateway.oauth.ciba.store import SqlBackchannelStore
from gateway.trust.fetching import FetchFailed
from psd2.clock import FixedClock
from tests.support.authorization import NUMBER, START

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.trust.fetching import Order

ENDPOINT = "https://tpp.example/ciba"
PINGS = Pings(Seal(lambda: b"k" * 32))


class Listener:
    """A client's endpoint."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.is_down = False

    def fetch(self, order: Order) -> Any:
        self.orders.append(order)
        if self.is_down:
            raise FetchFailed("nobody listens")


class Asked:
    """The bank, as far as it is asked here."""

    status = AskStatus.PENDING

    def asked(self, authorisation: str, *, tenant: str) -> AskedPsu:
        assert (authorisation, tenant) == ("a", NUMBER)
        return AskedPsu(authorisation="a", status=self.status, psu="anna.weber", kind="ais", resource="1")


class World:
    """One request, and who hears of it."""

    def __init__(self, engine: Engine, endpoint: str | None = ENDPOINT) -> None:
        self.store, self.clock = SqlBackchannelStore(engine), FixedClock(START)
        self.listener, self.inside, self.bank = Listener(), Listener(), Asked()
        self.store.add(request())
        self.notifier = Notifier(
            store=self.store,
            bank=self.bank,  # type: ignore[arg-type]
            clients=SimpleNamespace(  # type: ignore[arg-type]
                client=lambda _id: SimpleNamespace(backchannel_client_notification_endpoint=endpoint)
            ),
            pings=PINGS,
            public=lambda: self.listener,
            internal=lambda: self.inside,
            internal_hosts=frozenset({"tpp.internal:443"}),
            clock=self.clock,
        )

    def after(self, seconds: float) -> int:
        """Look again later; returns how often the client has been told by then."""
        self.clock.advance(dt.timedelta(seconds=seconds))
        self.notifier.tell_all()
        return len(self.listener.orders)


@pytest.fixture
def pinging(world: Any) -> World:
    """Lend a request of a client that is pinged."""
    return World(world.engine)


def request() -> BackchannelRequest:
    return BackchannelRequest(
        sha256="0" * 64,
        client_id="c",
        authorisation_number=NUMBER,
        scope="AIS:1",
        subject="anna.weber",
        authorisation="a",
        interval=5,
        created_at=START,
        expires_at=START + dt.timedelta(seconds=300),
        ping=PINGS.sealed("the-id", "the-token"),
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
    (due,) = pinging.store.due_for_ping(pinging.clock.now(), most=10)
    until = pinging.clock.now() + dt.timedelta(seconds=30)
    assert pinging.store.take_for_ping(due, until=until)
    assert not pinging.store.take_for_ping(due, until=until)


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
