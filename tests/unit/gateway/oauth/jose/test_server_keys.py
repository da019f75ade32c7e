"""The server's signing keys: the same in all workers, published before and after they sign, withdrawn at once."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from chassis.sealing import Seal, SealBroken
from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import verified_jws
from gateway.oauth.jose.key_set import read_registered_keys
from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.jose.rotation import KEPT, LONGEST_LIFE, REMEMBERED, RotationRefused, SigningKey, signing_key
from gateway.oauth.jose.server_keys import ServerKeys
from gateway.register.model import SigningAlg
from psd2.clock import FixedClock
from tests.support.jose import SCHEDULE, server_keys

if TYPE_CHECKING:
    from sqlalchemy import Engine

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
ES256 = SigningAlg.ES256


class World:
    def __init__(self, engine: Engine) -> None:
        self.clock = FixedClock(START)
        self.engine = engine
        self.store = SqlSigningKeys(engine)
        self.keys, self.elsewhere = server_keys(engine, self.clock), server_keys(engine, self.clock)

    def signer(self, *, by: ServerKeys | None = None, alg: SigningAlg = ES256) -> str:
        """Return the kid of who signs, having verified it as a client would, by what is published at this moment."""
        keys = by or self.keys
        compact = keys.sign({"iss": "issuer"}, typ="JWT", alg=alg)
        published = read_registered_keys(json.dumps(self.elsewhere.jwks()))
        kid = verified_jws(compact, published, algs=[alg]).kid
        assert kid is not None
        return kid

    def published(self, alg: SigningAlg = ES256) -> list[str]:
        return [each["kid"] for each in self._jwks() if each["alg"] == alg]

    def pass_on(self, by: dt.timedelta) -> None:
        self.clock.advance(by)
        self.keys.keep_up()

    def _jwks(self) -> list[dict[str, Any]]:
        return self.keys.jwks()["keys"]  # type: ignore[return-value]


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


@pytest.mark.parametrize("alg", sorted(SUPPORTED))
def test_what_is_signed_is_verified_by_what_is_published(world: World, alg: SigningAlg) -> None:
    """By each algorithm that a client may ask for."""
    assert world.signer(alg=alg) in world.published(alg)


def test_what_is_published_is_public_and_says_what_it_is_for(world: World) -> None:
    """Two keys for each algorithm: who signs, and its successor."""
    keys = world.keys.jwks()["keys"]

    assert isinstance(keys, list)
    assert sorted(key["alg"] for key in keys) == ["ES256", "ES256", "EdDSA", "EdDSA", "PS256", "PS256"]
    assert {key["use"] for key in keys} == {"sig"}
    assert not {"d", "p", "q", "dp", "dq", "qi"} & {member for key in keys for member in key}


def test_all_workers_sign_with_the_same_key(world: World) -> None:
    assert world.signer() == world.signer(by=world.elsewhere)


def test_the_next_key_signs_when_its_time_comes_and_was_published_all_along(world: World) -> None:
    first = world.signer()
    [_, successor] = world.published()

    world.pass_on(SCHEDULE.period - dt.timedelta(seconds=1))
    assert world.signer() == first

    world.pass_on(dt.timedelta(seconds=1))
    world.clock.advance(REMEMBERED)
    assert world.signer() == world.signer(by=world.elsewhere) == successor
    assert len(world.published()) == 3  # the old one, the present, and its successor


def test_no_key_signs_that_clients_can_not_know_yet(world: World) -> None:
    """The server was away when the successor should have been made: the present key goes on until the new one is known."""
    world.signer()
    world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=True)
    world.pass_on(SCHEDULE.period)
    [present, late] = world.published()

    world.pass_on(SCHEDULE.ahead - dt.timedelta(seconds=1))
    assert world.signer() == present

    world.pass_on(dt.timedelta(seconds=1))
    world.clock.advance(REMEMBERED)
    assert world.signer() == late


def test_an_old_key_is_published_until_the_last_thing_it_signed_has_ended(world: World) -> None:
    """A worker that remembers it signs with it for a moment longer, and what it signs lives as long as anything may."""
    first = world.signer()
    world.clock.advance(SCHEDULE.period - dt.timedelta(seconds=1))
    world.signer(by=world.elsewhere)
    world.pass_on(dt.timedelta(seconds=1))

    world.clock.advance(REMEMBERED - dt.timedelta(seconds=2))
    late = world.elsewhere.sign({"exp": (world.clock.now() + LONGEST_LIFE).timestamp()}, typ="JWT", alg=ES256)
    world.pass_on(LONGEST_LIFE)
    assert verified_jws(late, read_registered_keys(json.dumps(world.keys.jwks())), algs=SUPPORTED).kid == first

    world.pass_on(KEPT - LONGEST_LIFE)
    assert first not in world.published()
    assert first not in [key.kid for key in world.store.all()]


def test_nothing_is_signed_that_would_outlive_its_key(world: World) -> None:
    ends = (world.clock.now() + LONGEST_LIFE).timestamp()
    world.keys.sign({"exp": ends}, typ="JWT", alg=ES256)

    with pytest.raises(ValueError, match="at most"):
        world.keys.sign({"exp": ends + 1}, typ="JWT", alg=ES256)


def test_keys_change_by_hand_only_once_clients_may_know_the_next_one(world: World) -> None:
    first = world.signer()
    with pytest.raises(RotationRefused, match="published since 2026-03-02T09:00:00Z only"):
        world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=False)

    world.pass_on(SCHEDULE.ahead)
    world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=False)
    world.clock.advance(REMEMBERED)

    assert world.signer() != first
    assert first in world.published()


def test_a_key_that_others_may_have_is_taken_back_at_once(world: World) -> None:
    """And no older key comes to sign again in its place."""
    first = world.signer()
    world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=True)

    assert first not in world.published()
    world.clock.advance(REMEMBERED)
    assert world.signer() != first


def test_a_withdrawn_key_signs_no_more_whatever_else_there_is() -> None:
    """Neither it nor the one before: until another begins, nothing is signed."""
    old = SigningKey(kid="1", alg=ES256, number=1, jwk={}, published_at=START, signs_from=START)
    withdrawn = replace(old, kid="2", number=2, withdrawn_at=START)

    assert signing_key([old], ES256, START) == old
    assert signing_key([old, withdrawn], ES256, START) is None


def test_without_a_successor_nothing_changes_by_hand(world: World) -> None:
    world.signer()
    world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=True)

    with pytest.raises(RotationRefused, match="no successor"):
        world.store.rotate(ES256, world.clock.now(), ahead=SCHEDULE.ahead, withdraw=True)


def test_two_processes_that_keep_up_at_once_come_to_the_same_keys(world: World) -> None:
    """The second does what the first has just done: nothing comes of it."""
    world.signer()
    world.clock.advance(SCHEDULE.period)
    snapshot = world.store.all()
    world.keys.keep_up([ES256])
    done = world.store.all()

    class Late(SqlSigningKeys):
        reads = 0

        def all(self) -> Any:
            self.reads += 1
            return snapshot if self.reads == 1 else super().all()

    world.clock.advance(dt.timedelta(seconds=1))
    late = ServerKeys(store=Late(world.engine), seal=Seal(lambda: bytes(32)), schedule=SCHEDULE, clock=world.clock)
    late.keep_up([ES256])

    assert world.store.all() == done


def test_who_has_the_database_but_not_the_seal_signs_nothing(world: World) -> None:
    world.signer()
    thief = ServerKeys(store=world.store, seal=Seal(lambda: b"x" * 32), schedule=SCHEDULE, clock=world.clock)

    with pytest.raises(SealBroken):
        thief.sign({}, typ="JWT", alg=ES256)


def test_a_private_part_serves_no_other_name(world: World, engine: Engine) -> None:
    """A sealed key put into another's place does not open."""
    world.signer()
    kids = world.published()
    swapped = SqlSigningKeys(engine)
    original = swapped.sealed
    swapped.sealed = lambda kid: original(kids[1 - kids.index(kid)])  # type: ignore[method-assign]

    with pytest.raises(SealBroken):
        ServerKeys(store=swapped, seal=Seal(lambda: bytes(32)), schedule=SCHEDULE, clock=world.clock).sign(
            {}, typ="JWT", alg=ES256
        )
