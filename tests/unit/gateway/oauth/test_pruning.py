"""What expired is deleted after its retention, in bounded batches; a code stays as long as its replay must be noticed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gateway.oauth.bootstrap import pruner
from gateway.oauth.pruning import BATCH, MOST_BATCHES, Pruner
from gateway.tables.oauth import access_tokens, authorization_codes, authorization_requests, refresh_tokens
from psd2.clock import FixedClock
from tests.support.authorization import START

if TYPE_CHECKING:
    from tests.support.authorization import AuthorizationWorld

DAY = dt.timedelta(days=1)


def counts(world: AuthorizationWorld) -> list[int]:
    tables = (authorization_requests, authorization_codes, access_tokens, refresh_tokens)
    with world.engine.connect() as connection:
        return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]


def prune(world: AuthorizationWorld) -> int:
    return pruner(world.settings, world.engine, world.clock).prune_once()


def test_nothing_goes_before_its_time(world: AuthorizationWorld) -> None:
    """A day after it expired, by default."""
    world.tokens()
    world.clock.advance(DAY)

    assert prune(world) == 0
    assert counts(world) == [1, 1, 1, 1]


def test_what_expired_a_day_ago_goes(world: AuthorizationWorld) -> None:
    """The refresh token, which lives on, stays."""
    world.tokens()
    world.clock.advance(DAY + dt.timedelta(seconds=901))

    assert prune(world) == 3
    assert counts(world) == [0, 0, 0, 1]


def test_a_replay_within_the_retention_is_still_noticed(world: AuthorizationWorld) -> None:
    """A code redeemed yesterday revokes what it gave."""
    code = world.code()
    refresh_token = world.redeem(code).get_json()["refresh_token"]
    world.clock.advance(DAY - dt.timedelta(seconds=1))
    prune(world)

    world.redeem(code)

    assert world.introspect(refresh_token) == {"active": False}


class Endless:
    """A store in which there is always more to delete."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def prune(self, before: dt.datetime, batch: int) -> int:
        assert before == START - DAY
        self.batches.append(batch)
        return batch


def test_one_turn_is_bounded() -> None:
    """However much there is, other writers get their turn."""
    store = Endless()
    Pruner(store=store, clock=FixedClock(START), retention=DAY, every=DAY).prune_once()

    assert store.batches == [BATCH] * MOST_BATCHES
