"""A client's keys: registered, or published at its `jwks_uri` and fetched with limits for all workers together."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from gateway.oauth.jose.client_keys import ClientKeys
from gateway.oauth.jose.key_fetching import KeysNotFetched
from gateway.oauth.jose.published_keys import FETCHED_AT_MOST_EVERY, FRESH, LONGEST
from gateway.oauth.jose.refusals import JwsRefused
from gateway.oauth.jose.store import SqlPublishedKeys
from gateway.oauth.lanes import Bounds, Lanes
from psd2.clock import FixedClock
from tests.support.jose import Signer, es256, jwks

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
URL = "https://tpp.example/jwks"
CLAIMS = {"iss": "client-1"}


@dataclass(frozen=True)
class Holder:
    authorisation_number: str = "PSDDE-BAFIN-100001"
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None


@dataclass
class Source:
    """The client's server: gives what stands there, counts how often it is asked."""

    text: str | None = None
    asked: int = 0
    before: Callable[[], None] = field(default=lambda: None)

    def fetch(self, url: str, *, party: str) -> str:
        assert (url, party) == (URL, "PSDDE-BAFIN-100001")
        self.asked += 1
        self.before()
        if self.text is None:
            raise KeysNotFetched("jwks_uri gave nothing", detail="refused")
        return self.text


class World:
    def __init__(self, engine: Engine) -> None:
        self.clock = FixedClock(START)
        self.source = Source(jwks(es256()))
        self.store = SqlPublishedKeys(engine)
        self.lanes = Lanes(Bounds(overall=4, each=2, slow=1))
        self.keys, self.elsewhere = self.worker(), self.worker()

    def worker(self) -> ClientKeys:
        return ClientKeys(store=self.store, source=self.source, lanes=self.lanes, clock=self.clock)

    def is_believed(self, signer: Signer, *, by: ClientKeys | None = None) -> bool:
        try:
            return (by or self.keys).verified(signer.sign(CLAIMS), Holder(jwks_uri=URL)).values == CLAIMS
        except JwsRefused:
            return False

    def refusal(self, signer: Signer) -> JwsRefused:
        with pytest.raises(JwsRefused) as refused:
            self.keys.verified(signer.sign(CLAIMS), Holder(jwks_uri=URL))
        return refused.value


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


def test_registered_keys_need_nobody(world: World) -> None:
    assert world.keys.verified(es256().sign(CLAIMS), Holder(jwks={"keys": [es256().jwk]})).values == CLAIMS
    assert world.source.asked == 0


def test_without_keys_nothing_is_believed(world: World) -> None:
    with pytest.raises(JwsRefused, match="has no keys"):
        world.keys.verified(es256().sign(CLAIMS), Holder())


def test_published_keys_are_fetched_once_for_all_workers(world: World) -> None:
    assert world.is_believed(es256())
    assert world.is_believed(es256(), by=world.elsewhere)
    assert world.source.asked == 1


def test_an_unknown_kid_is_looked_for_at_once_so_that_clients_can_rotate(world: World) -> None:
    assert world.is_believed(es256())
    world.source.text = jwks(es256("ec-2"))
    world.clock.advance(FETCHED_AT_MOST_EVERY)

    assert world.is_believed(es256("ec-2"))
    assert not world.is_believed(es256())  # taken back by its owner
    assert world.source.asked == 2


def test_invented_kids_do_not_make_this_server_call_somebody_over_and_over(world: World) -> None:
    """The bound holds for all workers together."""
    assert world.is_believed(es256())
    world.clock.advance(FETCHED_AT_MOST_EVERY - dt.timedelta(seconds=1))
    for number in range(5):
        assert not world.is_believed(es256(f"invented-{number}"), by=world.elsewhere)
    assert world.source.asked == 1

    world.clock.advance(dt.timedelta(seconds=1))
    for number in range(5):
        assert not world.is_believed(es256(f"invented-{number}"), by=[world.keys, world.elsewhere][number % 2])
    assert world.source.asked == 2


def test_a_wrong_signature_makes_nobody_fetch(world: World) -> None:
    assert world.is_believed(es256())
    world.clock.advance(FETCHED_AT_MOST_EVERY)

    assert not world.is_believed(Signer("ES256", "ec-1", es256("other").key))
    assert world.source.asked == 1


def test_a_withdrawn_key_works_no_longer_than_the_set_is_fresh(world: World) -> None:
    assert world.is_believed(es256())
    world.source.text = jwks(es256("ec-2"))
    world.clock.advance(FRESH - dt.timedelta(seconds=1))
    assert world.is_believed(es256())

    world.clock.advance(dt.timedelta(seconds=1))

    assert not world.is_believed(es256())


@pytest.mark.parametrize("by", [dt.timedelta(minutes=5), dt.timedelta(days=1)])
def test_a_clock_that_is_set_back_keeps_no_withdrawn_key_alive_and_no_new_one_out(world: World, by: dt.timedelta) -> None:
    """What was kept before is of the time to come then: it must not count as fresh, or as asked for just now, until that."""
    assert world.is_believed(es256())
    world.source.text = jwks(es256("ec-2"))
    world.clock.advance(-by)

    assert world.is_believed(es256("ec-2"))
    assert not world.is_believed(es256())
    assert world.source.asked == 2


def test_while_the_address_fails_the_known_keys_serve_for_a_while_and_then_no_more(world: World) -> None:
    """Whoever keeps it from answering can't keep a withdrawn key alive."""
    assert world.is_believed(es256())
    world.source.text = None
    world.clock.advance(LONGEST - dt.timedelta(seconds=1))
    assert world.is_believed(es256())

    world.clock.advance(dt.timedelta(seconds=1))

    assert world.refusal(es256()).reason == "jose.keys"


def test_a_failure_is_told_and_not_tried_again_at_once(world: World) -> None:
    world.source.text = None
    refused = world.refusal(es256())
    assert (refused.reason, refused.text) == ("jose.keys", "jwks_uri gave nothing")

    world.source.text = jwks(es256())
    assert world.refusal(es256()).text == "jwks_uri gave nothing"
    assert world.source.asked == 1

    world.clock.advance(FETCHED_AT_MOST_EVERY)
    assert world.is_believed(es256())


def test_who_comes_while_another_worker_fetches_waits_for_what_that_one_brings(world: World) -> None:
    """Two first requests at once: both are served, one asks."""
    begun, answer = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        assert answer.wait(30)

    world.source.before = hold
    results: list[bool] = []
    first = threading.Thread(target=lambda: results.append(world.is_believed(es256())))
    first.start()
    assert begun.wait(30)
    second = threading.Thread(target=lambda: results.append(world.is_believed(es256(), by=world.elsewhere)))
    second.start()
    answer.set()
    first.join(30)
    second.join(30)

    assert results == [True, True]
    assert world.source.asked == 1


def test_where_no_thread_may_wait_the_others_go_on_being_served(world: World) -> None:
    """Who needs a fetch is refused at once, and a client with known keys is served all the same."""
    assert world.is_believed(es256())
    world.clock.advance(FRESH)
    for _ in range(2):
        world.lanes.enter(Holder.authorisation_number)
    assert world.is_believed(es256())
    assert world.refusal(es256("invented")).text == "other requests of this TPP wait for its jwks_uri"

    for other in ("PSDDE-BAFIN-100002", "PSDDE-BAFIN-100003"):
        world.lanes.enter(other)
    fresh = ClientKeys(store=world.store, source=world.source, lanes=world.lanes, clock=world.clock)
    with pytest.raises(JwsRefused, match="too many clients' keys are being fetched"):
        fresh.of(Holder(authorisation_number="PSDDE-BAFIN-100004", jwks_uri="https://other.example/jwks"))
    assert world.source.asked == 1


def test_addresses_that_nobody_asks_any_more_are_forgotten(world: World) -> None:
    assert world.is_believed(es256())
    assert world.store.prune(START, 10) == 0
    assert world.store.prune(START + dt.timedelta(seconds=1), 10) == 1
    assert world.store.read(URL) is None
