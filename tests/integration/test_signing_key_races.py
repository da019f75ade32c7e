"""Keys at the same instant: all processes come to the same ones, and one alone asks a client's server."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from gateway.oauth.jose.key_store import SqlSigningKeys
from gateway.oauth.jose.published_keys import FETCHED_AT_MOST_EVERY
from gateway.oauth.jose.rotation import RotationRefused, signing_key
from gateway.oauth.jose.store import SqlPublishedKeys
from gateway.register.model import SigningAlg
from psd2.clock import FixedClock
from tests.support.at_once import at_once
from tests.support.authorization import START
from tests.support.jose import SCHEDULE, server_keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.support.databases import Databases

ROUNDS = 10
WORKERS = 4
ES256 = SigningAlg.ES256


@pytest.fixture
def engine(databases: Databases) -> Iterator[Engine]:
    with databases.opened("gateway") as engine:
        yield engine


def test_processes_that_keep_up_at_once_come_to_the_same_keys(engine: Engine) -> None:
    """Of each turn one key signs, and one waits; what a process lost the race with is nowhere."""
    clock, store = FixedClock(START), SqlSigningKeys(engine)
    workers = [server_keys(engine, clock) for _ in range(WORKERS)]
    for turn in range(1, ROUNDS + 1):
        done = at_once(*[partial(worker.keep_up, [ES256]) for worker in workers])
        assert not [each for each in done if isinstance(each, Exception)]

        keys = store.all()
        present = signing_key(keys, ES256, clock.now())
        assert present is not None
        assert (present.number, [key.number for key in keys if key.is_successor]) == (turn, [turn + 1])
        assert len({worker.sign({}, typ="JWT", alg=ES256).partition(".")[0] for worker in workers}) == 1
        clock.advance(SCHEDULE.period)


def test_of_changes_by_hand_at_once_one_is_made(engine: Engine) -> None:
    """Two operators that withdraw the same key do not withdraw its successor as well."""
    clock, store = FixedClock(START), SqlSigningKeys(engine)
    keys = server_keys(engine, clock)
    for _ in range(ROUNDS):
        keys.keep_up([ES256])
        done = at_once(*[partial(store.rotate, ES256, clock.now(), ahead=SCHEDULE.ahead, withdraw=True)] * WORKERS)

        assert [isinstance(each, RotationRefused) for each in done].count(False) == 1
        assert signing_key(store.all(), ES256, clock.now()) is not None
        clock.advance(timedelta(days=1))


def test_of_workers_that_want_a_clients_keys_at_once_one_asks(engine: Engine) -> None:
    """The first time, when there is no row to lock, and each time after."""
    store, now = SqlPublishedKeys(engine), START
    for _ in range(ROUNDS):
        done = at_once(*[partial(store.is_claimed, "https://tpp.example/jwks", now)] * WORKERS)

        assert sorted(done, key=str) == [False] * (WORKERS - 1) + [True]
        now += FETCHED_AT_MOST_EVERY
