"""The configuration of one worker: swapped whole, and never for a set that can't be used."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest

from gateway.configuration.held import HeldSet
from gateway.configuration.live import LiveConfiguration
from gateway.configuration.snapshot import SetRefused, Snapshot
from gateway.configuration.versions import Origin, Version, canonical
from tests.support.configured import KINDS, PLANS, SHOPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.configuration.held import VersionKey

DEADLINE_SECONDS = 30


def plan(rate: object, name: str = "gold") -> Version:
    return stored("plans", name, rate=rate)


def stored(kind: str, name: str, **body: object) -> Version:
    return Version(kind=kind, name=name, number=1, text=canonical(body), origin=Origin.OPERATOR, actor="x", at=0.0)


class Source:
    """A database in memory that may be out of order."""

    def __init__(self, *versions: Version) -> None:
        self.stored = list(versions)
        self.history = list(versions)
        self.failures = 0

    def standing(self) -> Sequence[Version]:
        if self.failures:
            self.failures -= 1
            raise OSError("no database")
        return self.stored

    def versions(self, keys: Sequence[VersionKey]) -> Sequence[Version]:
        return [each for each in self.history if (each.kind, each.name, each.number) in keys]


class Rates:
    """A part that has the rates of plans; it can't do with unlucky ones."""

    def __init__(self) -> None:
        self.rates: dict[str, int] = {}

    def prepare(self, snapshot: Snapshot) -> Callable[[], None]:
        rates = {name: plan.rate for name, plan in snapshot.of(PLANS).items()}
        if 13 in rates.values():
            raise SetRefused([])

        def put_in_force() -> None:
            self.rates = rates

        return put_in_force


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is done by another thread
            await asyncio.sleep(0)


def live(source: Source, *parts: Rates, held: HeldSet | None = None) -> LiveConfiguration:
    return LiveConfiguration(source=source, kinds=KINDS, parts=parts, held=held)


def test_a_worker_takes_the_stored_set_at_start_and_the_next_one_when_told() -> None:
    """Of a rush of changes the last one counts."""

    async def run() -> None:
        source, rates = Source(plan(1)), Rates()
        configuration = live(source, rates)
        await configuration.start()
        assert rates.rates == {"gold": 1}
        for rate in (2, 3, 4):
            source.stored = [plan(rate)]
            configuration.renew()
        await until(lambda: rates.rates == {"gold": 4})

    asyncio.run(run())


@pytest.mark.parametrize("bad", [plan(0), stored("shops", "a", address="/a", plan="none"), stored("novelties", "a")])
def test_a_set_that_cannot_be_used_never_replaces_a_good_one(bad: Version) -> None:
    """Nor any part of it; the next good one does."""

    async def run() -> None:
        source, rates = Source(plan(1)), Rates()
        configuration = live(source, rates)
        await configuration.start()
        good = configuration.snapshot
        source.stored = [
            plan(2),
            stored("shops", "b", address="/b"),
            *([bad] if bad.kind != "plans" else [plan(0, "silver")]),
        ]
        configuration.renew()
        await until(lambda: not configuration.is_newest)
        assert configuration.snapshot is good
        assert rates.rates == {"gold": 1}
        source.stored = [plan(3)]
        configuration.renew()
        await until(lambda: configuration.is_newest)
        assert rates.rates == {"gold": 3}

    asyncio.run(run())


def test_a_part_that_cannot_use_a_set_keeps_all_others_from_it() -> None:
    """Two parts by two sets would decide by neither."""

    async def run() -> None:
        source, first, second = Source(plan(1)), Rates(), Rates()
        configuration = live(source, first, second)
        await configuration.start()
        source.stored = [plan(13)]
        configuration.renew()
        await until(lambda: not configuration.is_newest)
        assert first.rates == second.rates == {"gold": 1}

    asyncio.run(run())


def test_a_worker_without_a_usable_set_does_not_start() -> None:
    """It says what is wrong."""

    async def run() -> None:
        with pytest.raises(SetRefused, match="plans/gold: rate"):
            await live(Source(plan(0))).start()
        source = Source(plan(1))
        source.failures = 1
        with pytest.raises(OSError, match="no database"):
            await live(source).start()

    asyncio.run(run())


def test_a_database_that_is_away_for_a_moment_is_asked_again() -> None:
    """Until the new set is there."""

    async def run() -> None:
        source, rates = Source(plan(1)), Rates()
        configuration = live(source, rates)
        await configuration.start()
        source.stored, source.failures = [plan(2)], 2
        configuration.renew()
        await until(lambda: rates.rates == {"gold": 2})

    asyncio.run(run())


def test_what_did_not_change_is_not_parsed_again() -> None:
    """A thousand documents cost nothing when one changes."""

    async def run() -> None:
        source = Source(plan(1), stored("shops", "a", address="/a"))
        configuration = live(source)
        await configuration.start()
        shop = configuration.snapshot.of(SHOPS)["a"]
        source.stored[0] = plan(2)
        configuration.renew()
        await until(lambda: configuration.snapshot.of(PLANS)["gold"].rate == 2)
        assert configuration.snapshot.of(SHOPS)["a"] is shop

    asyncio.run(run())


# --- a worker that starts anew


def started(source: Source, held: HeldSet) -> dict[str, int]:
    """Start a worker; returns the rates that it has. Raises what it raises."""
    rates = Rates()

    async def run() -> None:
        configuration = live(source, rates, held=held)
        await configuration.start()
        assert configuration.is_newest == (source.failures == 0 and source.stored == source.history)
        configuration.stop()

    asyncio.run(run())
    return rates.rates


def broken_after(*good: Version) -> Source:
    """Return a database whose newest set can't be used, though its history is whole."""
    source = Source(*good)
    source.stored = [*good, plan(0, "broken")]
    return source


def test_a_worker_that_starts_anew_takes_the_set_that_the_others_hold() -> None:
    """Where the stored one can't be used: they serve by it, and are not to end because one of them did."""
    held = HeldSet()
    assert started(Source(plan(1), plan(2, "silver")), held) == {"gold": 1, "silver": 2}
    assert started(broken_after(plan(1), plan(2, "silver")), held) == {"gold": 1, "silver": 2}


def test_without_others_a_set_that_can_not_be_used_starts_nobody() -> None:
    """Nor one that is not whole in the history, or that was changed there: what held once is not guessed at."""
    with pytest.raises(SetRefused, match="plans/broken: rate"):
        started(broken_after(plan(1)), HeldSet())
    held = HeldSet()
    started(Source(plan(1), plan(2, "silver")), held)
    missing, changed = broken_after(plan(1)), broken_after(plan(1), plan(2, "silver"))
    changed.history[1] = plan(0, "silver")
    for source in (missing, changed):
        with pytest.raises(SetRefused, match="plans/broken: rate"):
            started(source, held)


def test_a_worker_tells_of_each_set_that_it_takes() -> None:
    """The newest is the one that counts."""

    async def run() -> None:
        source, held = Source(plan(1)), HeldSet()
        configuration = live(source, held=held)
        assert held.keys() is None
        await configuration.start()
        source.stored = [stored("shops", "a", address="/a"), plan(2)]
        configuration.renew()
        await until(lambda: held.keys() == [("shops", "a", 1), ("plans", "gold", 1)])

    asyncio.run(run())


def test_what_went_wrong_for_a_moment_is_tried_again() -> None:
    """No change of the configuration would tell of it."""

    async def run() -> None:
        source, rates, held = Source(plan(1)), Rates(), HeldSet()
        held.note(source.stored)
        source.stored, source.failures = [plan(2)], 1
        configuration = live(source, rates, held=held)
        await configuration.start()
        await until(lambda: rates.rates == {"gold": 2} and configuration.is_newest)

    asyncio.run(run())


def test_another_process_reads_what_one_has_noted() -> None:
    """As a worker that is forked later; one that died in the middle of its note has left none."""
    held = HeldSet()
    held.note([plan(1), plan(2, "silver")])
    worker = multiprocessing.get_context("fork").Process(target=held.note, args=([plan(1)],))
    worker.start()
    worker.join(DEADLINE_SECONDS)
    assert held.keys() == [("plans", "gold", 1)]
    os.truncate(held._file.fileno(), 5)
    assert held.keys() is None
