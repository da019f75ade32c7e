"""Several workers and one store: never more than the limit, and what each promise of counting is."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from gateway.limits.headers import Telling, retry_after
from gateway.limits.model import Breach, Period
from tests.support.limits import NOON, quota, rate, run

if TYPE_CHECKING:
    from gateway.limits.model import Limit
    from tests.support.limits import World


def test_a_quota_admits_exactly_its_amount_over_all_workers() -> None:
    """Slices shrink as it runs out, so that all of it is used although three workers lease."""

    async def test(world: World) -> None:
        admitted = 0
        for number in range(1_500):
            admitted += await world.admitted(1, quota(1_000), worker=number % 3)
        assert 1_000 - 3 * 16 <= admitted <= 1_000

    run(test, workers=3)


def test_a_killed_worker_takes_its_lease_with_it() -> None:
    """What it held is lost, and nobody spends it a second time."""

    async def test(world: World) -> None:
        admitted = await world.admitted(300, quota(1_000), worker=0)
        await world.settled()
        (standing,) = world.accounts.standings.values()
        lost = standing.used - admitted
        assert lost > 0
        world.workers[0] = world.worker()
        admitted += await world.admitted(1_500, quota(1_000), worker=1)
        admitted += await world.admitted(10, quota(1_000), worker=0)
        assert admitted == 1_000 - lost

    run(test, workers=2)


def test_a_new_window_begins_at_the_calendars() -> None:
    """Not an hour after the first request."""

    async def test(world: World) -> None:
        world.clock.now = NOON + 3_599
        assert await world.admitted(20, quota(10)) == 10
        world.clock.now = NOON + 3_600
        assert await world.admitted(20, quota(10)) == 10

    run(test)


@pytest.mark.parametrize(("per_second", "burst"), [(10, 1), (10, 20), (200, 50), (1_000, 1_000), (0.5, 30)])
def test_a_rate_holds_in_every_span(per_second: float, burst: int) -> None:
    """Three workers, waves and pauses: no span of time sees more than burst + seconds * rate."""

    async def test(world: World) -> None:
        chance = random.Random(burst)  # noqa: S311 - the same waves each time
        limit = rate(per_second, burst)
        times: dict[float, int] = {}
        for _ in range(60):
            world.clock.now += chance.choice([0.001, 0.01, 0.05, 0.3, 1.5])
            for _ in range(chance.choice([1, 5, burst])):
                if await world.ask(limit, worker=chance.randrange(3)):
                    times[world.clock.now] = times.get(world.clock.now, 0) + 1
        assert times
        moments = sorted(times)
        for first, begin in enumerate(moments):
            admitted = 0
            for moment in moments[first:]:
                admitted += times[moment]
                assert admitted <= burst + (moment - begin) * per_second + 1e-6

    run(test, workers=3)


def test_leases_do_not_add_to_a_burst() -> None:
    """One worker spends what it has held for a moment, another all that the account has recovered to meanwhile."""

    async def test(world: World) -> None:
        limit = rate(100, 100)
        (meter,) = world.meters(limit)
        await world.admitted(60, limit)
        while meter.available:
            await world.admitted(1, limit)
        world.clock.now += 60
        assert await world.ask(limit)
        await world.settled()
        held = meter.available
        assert held >= 5
        world.clock.now += 0.099
        assert held + await world.admitted(200, limit, worker=1) <= 100

    run(test, workers=2)


def test_a_rate_is_used_to_nine_tenths() -> None:
    """Under steady pressure it admits what it promises, but for what its leases may cost."""

    async def test(world: World) -> None:
        limit, admitted = rate(100, 50), 0
        for number in range(1_000):
            world.clock.now += 0.005
            admitted += await world.admitted(1, limit, worker=number % 2)
        assert 0.9 * (50 + 500) <= admitted <= 550

    run(test, workers=2)


def test_what_one_limit_refuses_costs_the_others_nothing() -> None:
    """A unit that was taken is put back."""

    async def test(world: World) -> None:
        assert await world.admitted(30, rate(0.001, 30), quota(10)) == 10
        assert await world.admitted(30, rate(0.001, 30)) >= 14

    run(test)


def test_a_failed_request_gives_its_quota_back_and_not_its_rate() -> None:
    """A 5xx counts to the rate only."""

    async def test(world: World) -> None:
        limits = (rate(0.001, 9), quota(3))
        for _ in range(6):
            receipt = await world.ask(*limits)
            assert receipt is not None
            world.workers[0].give_back(receipt, quotas_only=True)
        assert await world.admitted(9, *limits) == 3

    run(test)


def test_a_quota_that_may_be_exceeded_is_counted_on_and_said() -> None:
    """It admits, its header names it, and the others' units are not touched by it."""

    async def test(world: World) -> None:
        soft = quota(10, on_breach=Breach.ALLOW)
        assert await world.admitted(10, soft) == 10
        assert EXCEEDED not in headers_of(world, soft)
        assert await world.admitted(5, soft) == 5
        headers = headers_of(world, soft)
        assert headers[EXCEEDED] == b'"quota"'
        assert headers[b"ratelimit"] == b'"quota";r=0;t=3600'

    run(test)


EXCEEDED = b"quota-exceeded"


def headers_of(world: World, *limits: Limit) -> dict[bytes, bytes]:
    meters = world.meters(*limits)
    return dict(Telling(meters).at(world.clock.now)[0])


def test_the_fields_tell_what_is_left() -> None:
    """Items by name: how many in how long, how many remain, when it is whole again."""

    async def test(world: World) -> None:
        limits = (rate(10, 5), quota(100, period=Period.MINUTE))
        world.clock.now += 30.5
        assert await world.ask(*limits)
        headers = headers_of(world, *limits)
        assert headers[b"ratelimit-policy"] == b'"rate";q=10;w=1, "quota";q=100;w=60'
        assert headers[b"ratelimit"] == b'"rate";r=4;t=1, "quota";r=99;t=30'

    run(test)


def test_who_is_refused_hears_when_to_come_again() -> None:
    """For a rate the next unit's time, for a quota its window's end."""

    async def test(world: World) -> None:
        limits = (rate(0.1, 1), quota(1))
        for limit in limits:
            assert await world.ask(limit)
            assert await world.ask(limit) is None
        (of_rate, of_quota) = world.meters(*limits)
        assert retry_after(of_rate, world.clock.now) == (b"retry-after", b"10")
        assert retry_after(of_quota, world.clock.now) == (b"retry-after", b"3600")

    run(test)


def test_who_is_refused_does_not_cost_the_store_anything() -> None:
    """Once an account was found empty, refusals are made in memory."""

    async def test(world: World) -> None:
        assert await world.admitted(20, quota(10)) == 10
        asked = len(world.accounts.claims)
        assert await world.admitted(200, quota(10)) == 0
        assert len(world.accounts.claims) == asked

    run(test)


def test_most_requests_ask_nobody() -> None:
    """A worker leases ahead: thousands of requests, few transactions."""

    async def test(world: World) -> None:
        assert await world.admitted(5_000, quota(1_000_000)) == 5_000
        assert len(world.accounts.claims) < 100

    run(test)


@pytest.mark.parametrize("per_second", [100, 1_500, 4_000])
def test_a_steady_load_takes_few_transactions(per_second: int) -> None:
    """A rate and a quota lease together, a few times a second, however many requests come; and none has to wait."""

    async def test(world: World) -> None:
        limits = (rate(10_000, 50_000), quota(100_000_000, period=Period.DAY))
        (limiter,) = world.workers
        seconds, waited = 5, 0
        await world.admitted(2 * per_second, *limits)
        begun = world.accounts.transactions
        for _ in range(seconds * per_second):
            world.clock.now += 1 / per_second
            if limiter.try_spend(world.meters(*limits), world.clock.now) is None:
                waited += 1
                assert await world.ask(*limits)
            elif limiter._leasing is not None and not limiter._leasing.done():
                await world.settled()
        assert world.accounts.transactions - begun <= 3 * seconds
        assert waited <= 2

    run(test)


def test_a_lease_of_a_rate_shrinks_with_what_is_asked_for() -> None:
    """What is held here others can't spend."""

    async def test(world: World) -> None:
        limit = rate(10_000, 50_000)
        await world.admitted(5_000, limit)
        held = []
        for _ in range(400):
            world.clock.now += 0.1
            assert await world.ask(limit)
            await world.settled()
            held += [meter.available for meter in world.meters(limit)]
        assert held[0] > 1_000
        assert held[-1] <= 20

    run(test)


def test_many_who_wait_are_one_claim() -> None:
    """And each of them gets its unit, or all of what there is goes to the first of them."""

    async def test(world: World) -> None:
        answers = await asyncio.gather(*[world.ask(quota(30)) for _ in range(50)])
        assert [answer is not None for answer in answers] == [True] * 30 + [False] * 20
        assert len(world.accounts.claims) <= 3

    run(test)


def test_each_value_of_the_key_is_counted_by_itself() -> None:
    """One TPP's calls cost another nothing."""

    async def test(world: World) -> None:
        assert await world.admitted(20, quota(10)) == 10
        assert await world.ask(quota(10), value="y")

    run(test)


def test_figures_that_change_are_in_force_at_once() -> None:
    """What was used before counts on."""

    async def test(world: World) -> None:
        assert await world.admitted(8, quota(10)) == 8
        assert await world.admitted(10, quota(5)) == 0
        await world.settled()
        world.clock.now += 2
        assert await world.admitted(10, quota(12)) == 4

    run(test)


def test_counters_are_bounded() -> None:
    """The oldest is forgotten, with what it held given back first."""

    async def test(world: World) -> None:
        world.workers[0] = world.worker(most=3)
        for number in range(10):
            assert await world.ask(quota(10), value=str(number))
        assert len(world.workers[0]._meters) == 3

    run(test)
