"""The judges of a worker: a store that takes long to read closes for that long, and for no longer."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

import pytest

from gateway.admission import judges as module
from gateway.admission.judges import Judges
from gateway.admission.memory import NotLoaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.trust.judgement import Judge

_DEADLINE_SECONDS = 30.0


class Database:
    """Reads stores as slowly as it is told to."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.slow = "tpp"
        self.readings = 0

    def read(self, store: str) -> Judge:
        """Return a new judge."""
        if store == self.slow:
            self.readings += 1
            self.open.wait(_DEADLINE_SECONDS)
        return cast("Judge", object())


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RENEWAL_SECONDS", 0.01)


def _is_loaded(judges: Judges, store: str) -> bool:
    try:
        judges.of(store)
    except NotLoaded:
        return False
    return True


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for is done by another thread
            await asyncio.sleep(0.005)


def test_a_store_that_reads_slowly_is_closed_meanwhile_and_opens_again() -> None:
    """Neither does the old judge serve on, nor is the reading given up and begun anew for ever."""

    async def story() -> None:
        database, told = Database(), []
        judges = Judges(database.read, on_renewed=lambda: told.append(1))
        await judges.load("tpp")
        old = judges.of("tpp")
        database.open.clear()
        judges.renew("tpp")
        await _until(lambda: not _is_loaded(judges, "tpp"))
        await asyncio.sleep(0.1)  # ten times as long as a judge is waited for
        assert database.readings == 2
        assert not told
        database.open.set()
        await _until(lambda: bool(told))
        assert judges.of("tpp") is not old
        assert database.readings == 2
        judges.stop()

    asyncio.run(story())


def test_a_store_that_reads_slowly_keeps_no_other_judge_in_force() -> None:
    """What changed in another store meanwhile is in force at once."""

    async def story() -> None:
        database, told = Database(), []
        judges = Judges(database.read, on_renewed=lambda: told.append(1))
        await judges.load("tpp")
        await judges.load("zebra")
        old = judges.of("zebra")
        database.open.clear()
        judges.renew("tpp")
        await asyncio.sleep(0)
        judges.renew("zebra")
        try:
            await _until(lambda: _is_loaded(judges, "zebra") and judges.of("zebra") is not old)
        finally:
            database.open.set()
        await _until(lambda: len(told) == 2)
        judges.stop()

    asyncio.run(story())
