"""Processes of several workers each, which ask for units of a quota, then of a rate, as fast as they can.

`python -m tests.support.limit_workers URL PROCESSES WORKERS ASKS` prints a JSON list, an entry for each process. The imports
are made once: the processes are forked from one that has no thread yet.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from functools import partial

from gateway.limits.limiter import Limiter, LimitReached
from gateway.limits.model import Limit, LimitKey, Period, Quota, Rate
from gateway.limits.opening import open_store

QUOTA = Limit(scope="test", label="quota", key=LimitKey.TOTAL, allowance=Quota(amount=500, period=Period.MONTH))
RATE = Limit(scope="test", label="rate", key=LimitKey.TOTAL, allowance=Rate(per_second=50, burst=40))


def main() -> int:
    """Run."""
    url, processes, workers, asks = sys.argv[1], *map(int, sys.argv[2:])
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        answers = pool.map(partial(_run, url, workers), [asks] * processes, chunksize=1)
    sys.stdout.write(json.dumps(answers))
    return 0


def _run(url: str, workers: int, asks: int) -> dict[str, dict[str, float]]:
    return asyncio.run(_ask_for_both(url, workers, asks))


async def _ask_for_both(url: str, workers: int, asks: int) -> dict[str, dict[str, float]]:
    return {limit.label: await admitted(url, limit, workers=workers, asks=asks) for limit in (QUOTA, RATE)}


async def admitted(url: str, limit: Limit, *, workers: int, asks: int) -> dict[str, float]:
    """Ask, each worker in turn, and give back what was leased in vain."""
    limiters = [Limiter(open_store(url, time.time), clock=time.time, most=10, refuses_blind=True) for _ in range(workers)]
    began, count = time.time(), 0
    for number in range(asks):
        limiter = limiters[number % workers]
        try:
            await limiter.spend([limiter.meter(limit, "x")])
        except LimitReached:
            await asyncio.sleep(0.001)
        else:
            count += 1
    for limiter in limiters:
        await limiter.close()
    return {"admitted": count, "began": began, "ended": time.time()}


if __name__ == "__main__":
    sys.exit(main())
