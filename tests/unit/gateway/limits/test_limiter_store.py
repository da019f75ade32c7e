"""A limiter and its store: what becomes of requests while the store is slow, failing, or taking units back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.limits import limiter as limiters
from gateway.limits.accounts import StoreUnreachable
from tests.support.limits import quota, rate, run

if TYPE_CHECKING:
    from tests.support.limits import World


def test_without_the_store_requests_are_refused() -> None:
    """Nobody knows what is left."""

    async def test(world: World) -> None:
        world.accounts.fault = StoreUnreachable("gone")
        with pytest.raises(StoreUnreachable):
            await world.ask(quota(10))
        world.accounts.fault = None
        world.clock.now += 2
        assert await world.ask(quota(10))

    run(test)


def test_what_a_fault_refuses_costs_the_other_limits_nothing() -> None:
    """A unit that was here is put back when the next can't be leased."""

    async def test(world: World) -> None:
        await world.admitted(20, quota(1_000))
        await world.settled()
        (meter,) = world.meters(quota(1_000))
        held = meter.available
        assert held
        world.accounts.fault = StoreUnreachable("gone")
        with pytest.raises(StoreUnreachable):
            await world.ask(quota(1_000), rate())
        assert meter.available == held

    run(test)


def test_a_fault_of_the_store_leaves_nobody_waiting() -> None:
    """Whatever it raises."""

    async def test(world: World) -> None:
        world.accounts.fault = ZeroDivisionError()
        with pytest.raises(StoreUnreachable):
            async with asyncio.timeout(30):
                await world.ask(quota(10))

    run(test)


def test_without_the_store_requests_pass_uncounted_where_the_operator_says_so() -> None:
    """The other answer to the same question."""

    async def test(world: World) -> None:
        world.accounts.fault = StoreUnreachable("gone")
        assert await world.admitted(20, quota(10)) == 20

    run(test, refuses_blind=False)


def test_what_idle_workers_hold_of_a_quota_comes_back() -> None:
    """After that, others can spend the whole of it."""

    async def test(world: World) -> None:
        first = await world.admitted(100, quota(1_000), worker=0)
        await world.settled()
        world.clock.now += 3
        world.workers[0].tidy()
        await world.settled()
        second = await world.admitted(1_200, quota(1_000), worker=1)
        assert first + second == 1_000

    run(test, workers=2)


def test_what_a_counter_leases_when_it_is_forgotten_comes_back() -> None:
    """Nobody would spend it."""

    async def test(world: World) -> None:
        limit = quota(1_000)
        assert await world.admitted(5, limit) == 5
        await world.settled()
        (meter,) = world.meters(limit)
        world.workers[0]._lease(meter)
        world.workers[0]._part_with(meter)
        await world.settled()
        (standing,) = world.accounts.standings.values()
        assert standing.used == 5

    run(test)


def test_who_asks_while_units_are_given_back_is_served() -> None:
    """The lease is noted while the only task that leases waits for the store: it has to look again."""

    async def test(world: World) -> None:
        assert await world.ask(quota(1_000), value="idle")
        await world.settled()
        world.clock.now += 3
        world.accounts.takes_returns.clear()
        world.workers[0].tidy()
        await asyncio.sleep(0)  # the returns are on their way
        asked = asyncio.create_task(world.ask(quota(1_000), value="new"))
        await asyncio.sleep(0)
        world.accounts.takes_returns.set()
        async with asyncio.timeout(30):
            assert await asked

    run(test)


def test_a_store_that_never_takes_units_back_holds_nobody_up_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks meanwhile hears that the store can't be reached, in bounded time; afterwards all is as before."""
    monkeypatch.setattr(limiters, "_STORE_SECONDS", 0.1)

    async def test(world: World) -> None:
        assert await world.ask(quota(1_000), value="idle")
        await world.settled()
        world.clock.now += 3
        world.accounts.takes_returns.clear()
        world.workers[0].tidy()
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            with pytest.raises(StoreUnreachable):
                await world.ask(quota(1_000), value="new")
        world.accounts.takes_returns.set()
        world.clock.now += 3
        monkeypatch.setattr(limiters, "_STORE_SECONDS", 30)
        async with asyncio.timeout(30):
            assert await world.ask(quota(1_000), value="new")

    run(test)


def test_units_that_can_not_be_given_back_stay_spent_and_leasing_goes_on() -> None:
    """Whatever the store raises."""

    async def test(world: World) -> None:
        world.accounts.fault_of_returns = ZeroDivisionError()
        assert await world.ask(quota(1_000), value="idle")
        await world.settled()
        world.clock.now += 3
        world.workers[0].tidy()
        await world.settled()
        (standing,) = world.accounts.standings.values()
        assert standing.used > 1
        async with asyncio.timeout(30):
            assert await world.ask(quota(1_000), value="new")

    run(test)
