"""Deadlines of many connections, kept by looking at all of them now and then: no timer is made or cancelled for a request."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

NEVER: Final = math.inf


class Timed(Protocol):
    """Something with a deadline."""

    @property
    def due_at(self) -> float:
        """Return when it is over, in the event loop's time; `NEVER` while it waits for nothing."""

    def overdue(self) -> None:
        """End whatever has taken too long; called once the deadline is over, and again as long as it stays so."""


class Deadlines:
    """A worker's watch. A deadline is noticed at most `every_seconds` late."""

    def __init__(self, *, every_seconds: float) -> None:
        """Watch nothing yet."""
        self._every_seconds = every_seconds
        self._watched: set[Timed] = set()

    def watch(self, timed: Timed) -> None:
        """Begin to look at `timed`."""
        self._watched.add(timed)

    def forget(self, timed: Timed) -> None:
        """Look at `timed` no more."""
        self._watched.discard(timed)

    async def keep(self) -> None:
        """Look, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._every_seconds)
            _end_overdue(tuple(self._watched), loop.time())


def _end_overdue(watched: Iterable[Timed], now: float) -> None:
    for timed in watched:
        if timed.due_at <= now:
            timed.overdue()
