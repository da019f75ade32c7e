"""The change feed as a worker follows it, and as it is written."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, insert, select

from chassis.sql.database import migrate, open_engine
from gateway.changes.feed import ChangeFeed, StaleFeed
from gateway.changes.kinds import EVERYTHING, Change, ChangeKind
from gateway.changes.store import append_change, changes_after, newest_position
from gateway.tables.configuration import changes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Engine


class Source:
    """A feed in memory that can be out of order."""

    def __init__(self) -> None:
        self.rows: list[Change] = []
        self.is_broken = False
        self.time = Time()
        self.seconds: list[float] = []  # that the next readings take
        self.readings = 0

    def newest_position(self) -> int:
        return self.rows[-1].position if self.rows else 0

    def changes_after(self, position: int, *, limit: int) -> Sequence[Change]:
        self.readings += 1
        self.time.now += self.seconds.pop(0) if self.seconds else 0
        if self.is_broken:
            raise OSError("no database")
        return [row for row in self.rows if row.position > position][:limit]


class Time:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def feed_of(source: Source, time: Time, told: list[Change]) -> ChangeFeed:
    return ChangeFeed(source, told.append, poll_seconds=0.01, stale_seconds=1, monotonic=time)


def test_a_worker_hears_of_what_changed_since_it_started_in_order() -> None:
    """What changed before is none of its business: it remembers nothing yet."""

    async def run() -> None:
        source, time, told = Source(), Time(), list[Change]()
        source.rows = [Change(1, "token", "a"), Change(2, "token", "b")]
        feed = feed_of(source, time, told)
        await feed.start()
        source.rows += [Change(3, "tpp", "c"), Change(4, "crl", "tpp")]
        following = asyncio.create_task(feed.follow())
        await asyncio.sleep(0.1)
        following.cancel()
        assert told == source.rows[2:]

    asyncio.run(run())


def test_a_worker_that_is_woken_reads_at_once() -> None:
    """However long it is until the next poll."""

    async def run() -> None:
        source, told = Source(), asyncio.Queue[Change]()
        feed = ChangeFeed(source, told.put_nowait, poll_seconds=3_600, stale_seconds=3_600, monotonic=Time())
        await feed.start()
        following = asyncio.create_task(feed.follow())
        for number in (1, 2):
            source.rows.append(Change(number, "token", str(number)))
            feed.wake()
            async with asyncio.timeout(30):
                assert (await told.get()).position == number
        following.cancel()

    asyncio.run(run())


@pytest.mark.parametrize(("seconds", "readings"), [([1.5], 2), ([1.5, 1.5], 3)])
def test_a_reading_that_took_too_long_is_followed_by_another(seconds: list[float], readings: int) -> None:
    """One that began long before it was waited for, on a machine that is short of processors, says nothing of the next."""

    async def run() -> None:
        source = Source()
        feed = feed_of(source, source.time, [])
        await feed.start()
        source.time.now += 2
        source.seconds = seconds
        await feed.require_fresh()
        assert feed.is_fresh
        assert source.readings == readings

    asyncio.run(run())


def test_readings_that_all_take_too_long_vouch_for_nobody() -> None:
    """However often: what was revoked since they began is not known."""

    async def run() -> None:
        source = Source()
        feed = feed_of(source, source.time, [])
        await feed.start()
        source.time.now += 2
        source.seconds = [1.5] * 100
        with pytest.raises(StaleFeed):
            await feed.require_fresh()
        assert source.readings == 3

    asyncio.run(run())


def test_a_gap_makes_a_worker_forget_everything() -> None:
    """Rows that were pruned before it read them may have held anything."""

    async def run() -> None:
        source, time, told = Source(), Time(), list[Change]()
        feed = feed_of(source, time, told)
        await feed.start()
        source.rows = [Change(7, "token", "a"), Change(8, "token", "b")]
        time.now += 2
        await feed.require_fresh()
        assert [change.kind for change in told] == [EVERYTHING, "token", "token"]

    asyncio.run(run())


def test_more_changes_than_one_batch_are_all_told() -> None:
    """A worker that was held up catches up at once."""

    async def run() -> None:
        source, time, told = Source(), Time(), list[Change]()
        feed = feed_of(source, time, told)
        await feed.start()
        source.rows = [Change(number, "token", str(number)) for number in range(1, 2501)]
        time.now += 2
        await feed.require_fresh()
        assert len(told) == 2500

    asyncio.run(run())


def test_a_feed_that_cannot_be_read_goes_stale_after_its_time() -> None:
    """Until then what is known counts; afterwards nobody is vouched for, until it can be read again."""

    async def run() -> None:
        source, time, told = Source(), Time(), list[Change]()
        feed = feed_of(source, time, told)
        await feed.start()
        source.is_broken = True
        time.now += 0.9
        await feed.require_fresh()
        time.now += 0.2
        assert not feed.is_fresh
        with pytest.raises(StaleFeed):
            await feed.require_fresh()
        assert source.readings == 1  # nobody waits for what fails
        source.is_broken = False
        await feed.require_fresh()
        assert feed.is_fresh

    asyncio.run(run())


def test_a_worker_that_was_only_held_up_reads_and_goes_on() -> None:
    """A stalled event loop is no reason to refuse."""

    async def run() -> None:
        source, time, told = Source(), Time(), list[Change]()
        feed = feed_of(source, time, told)
        await feed.start()
        time.now += 60
        await feed.require_fresh()
        assert feed.is_fresh

    asyncio.run(run())


# --- the table ---


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Make a database."""
    engine = open_engine(f"sqlite:///{tmp_path}/gateway.sqlite")
    migrate(engine, "gateway")
    return engine


def test_an_append_is_part_of_its_transaction(engine: Engine) -> None:
    """A change that is rolled back is told to nobody."""
    now = datetime.now(UTC)
    with engine.connect() as connection:
        append_change(connection, ChangeKind.TPP, "PSDDE-BAFIN-1", now)
        connection.rollback()
    assert newest_position(engine) == 0
    with engine.begin() as connection:
        append_change(connection, ChangeKind.TPP, "PSDDE-BAFIN-1", now)
    assert changes_after(engine, 0, limit=10) == [Change(1, "tpp", "PSDDE-BAFIN-1")]


def test_the_feed_does_not_grow_for_ever(engine: Engine) -> None:
    """A hundred thousand changes are kept; ids are never used again."""
    with engine.begin() as connection:
        rows = [{"id": number, "at": 0.0, "kind": "token", "key": "x"} for number in (1, 2, 1_500, 100_999)]
        connection.execute(insert(changes), rows)
        append_change(connection, ChangeKind.TOKEN, "y", datetime.now(UTC))
        assert connection.scalar(select(func.min(changes.c.id))) == 1_500
    assert newest_position(engine) == 101_000
