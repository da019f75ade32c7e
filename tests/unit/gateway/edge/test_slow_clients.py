"""Clients that take answers slowly: counted by holder, and not waited for without end."""

from __future__ import annotations

import asyncio

import pytest

from gateway.admission.refusal import Refusal
from gateway.edge.slow_clients import SlowClients


async def at_once() -> None:
    """Take everything."""


async def never() -> None:
    await asyncio.Event().wait()


class Slow:
    """A client that takes nothing."""

    def __init__(self) -> None:
        self.looks = 0
        self.is_counted = asyncio.Event()

    async def taken(self) -> None:
        self.looks += 1
        if self.looks > 1:
            self.is_counted.set()
        await never()


def test_each_holder_has_its_own_share() -> None:
    """One slow answer more than that is broken off; another's go on, and so does whoever is prompt."""

    async def test() -> None:
        slow, one, another = SlowClients(most=1, prompt_seconds=0), Slow(), Slow()
        waits = asyncio.create_task(slow.wait_for(one.taken, holder="A"))
        others = asyncio.create_task(slow.wait_for(another.taken, holder="B"))
        await asyncio.gather(one.is_counted.wait(), another.is_counted.wait())

        with pytest.raises(Refusal) as refusal:
            await slow.wait_for(never, holder="A")
        assert refusal.value.reason == "http.too_slow"
        await SlowClients(most=0).wait_for(at_once, holder="A")
        assert not waits.done()
        assert not others.done()

        waits.cancel()
        await asyncio.wait([waits])
        assert (slow.count("A"), slow.count("B")) == (0, 1)
        others.cancel()

    asyncio.run(test())


def test_a_slow_client_is_not_waited_for_without_end() -> None:
    """However steadily it takes a little."""

    async def test() -> None:
        slow = SlowClients(prompt_seconds=0, most_seconds=0)
        with pytest.raises(Refusal) as refusal:
            await slow.wait_for(never, holder="A")
        assert refusal.value.reason == "http.too_slow"
        assert slow.count("A") == 0

    asyncio.run(test())
