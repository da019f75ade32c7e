"""Limiters without a gateway: a clock that is set by hand, a store in memory, and workers that lease from it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from gateway.limits.accounts import Claim, Standing, Taken, grant
from gateway.limits.limiter import Limiter, LimitReached
from gateway.limits.model import Breach, Limit, LimitKey, Period, Quota, Rate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.limits.limiter import Receipt
    from gateway.limits.meter import Meter

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Accounts:
    """The shared store, in memory: as each real one must behave."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.standings: dict[str, Standing] = {}
        self.claims: list[Claim] = []
        self.transactions = 0
        self.fault: Exception | None = None
        self.fault_of_returns: Exception | None = None
        self.takes_returns = threading.Event()
        self.takes_returns.set()

    def take(self, claims: Sequence[Claim]) -> list[Taken]:
        if self.fault is not None:
            raise self.fault
        self.transactions += 1
        return [self._taken(claim) for claim in claims]

    def _taken(self, claim: Claim) -> Taken:
        self.claims.append(claim)
        standing = self.standings.get(claim.key, Standing(0, self.clock()))
        taken, self.standings[claim.key] = grant(claim, standing, self.clock())
        return taken

    def give_back(self, units: Sequence[tuple[str, int]]) -> None:
        assert self.takes_returns.wait(30)
        if self.fault_of_returns is not None:
            raise self.fault_of_returns
        for key, count in units:
            standing = self.standings[key]
            self.standings[key] = Standing(standing.used - count, standing.at)

    def close(self) -> None:
        """Nothing is open."""


class World:
    """A clock, a store, and workers on it."""

    def __init__(self, *, workers: int = 1, refuses_blind: bool = True) -> None:
        self.clock = Clock()
        self.accounts = Accounts(self.clock)
        self.workers = [self.worker(refuses_blind=refuses_blind) for _ in range(workers)]

    def worker(self, *, refuses_blind: bool = True, most: int = 100) -> Limiter:
        return Limiter(self.accounts, clock=self.clock, most=most, refuses_blind=refuses_blind)

    async def ask(self, *limits: Limit, worker: int = 0, value: str = "x") -> Receipt | None:
        """Ask for one request; None where a limit refuses it."""
        limiter = self.workers[worker]
        try:
            return await limiter.spend(self.meters(*limits, worker=worker, value=value))
        except LimitReached:
            return None

    def meters(self, *limits: Limit, worker: int = 0, value: str = "x") -> list[Meter]:
        return [self.workers[worker].meter(limit, value) for limit in limits]

    async def admitted(self, count: int, *limits: Limit, worker: int = 0) -> int:
        return sum([await self.ask(*limits, worker=worker) is not None for _ in range(count)])

    async def settled(self) -> None:
        """Wait until nobody is leasing or giving back."""
        async with asyncio.timeout(30):
            for worker in self.workers:
                if worker._leasing is not None:
                    await worker._leasing


def rate(per_second: float = 10, burst: int = 20, label: str = "rate") -> Limit:
    return Limit(scope="test", label=label, key=LimitKey.TOTAL, allowance=Rate(per_second=per_second, burst=burst))


def quota(amount: int = 10, *, period: Period = Period.HOUR, on_breach: Breach = Breach.REJECT) -> Limit:
    allowance = Quota(amount=amount, period=period, on_breach=on_breach)
    return Limit(scope="test", label="quota", key=LimitKey.TOTAL, allowance=allowance)


def run(test: Callable[[World], Awaitable[None]], **settings: int) -> None:
    async def main() -> None:
        world = World(**settings)  # type: ignore[arg-type]
        await test(world)
        for worker in world.workers:
            await worker.close()

    asyncio.run(main())
