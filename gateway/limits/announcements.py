"""Workers tell each other by the change feed which addresses they block."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chassis.logs import get_logger
from gateway.changes.kinds import ChangeKind

if TYPE_CHECKING:
    from collections.abc import Callable


class FeedAnnouncements:
    """`Announcements` that `append` to the feed in a thread: `append(kind, key, at)` blocks."""

    def __init__(self, append: Callable[[ChangeKind, str, datetime], None], clock: Callable[[], float]) -> None:
        """Tell nobody anything yet."""
        self._append = append
        self._clock = clock
        self._under_way: set[asyncio.Future[None]] = set()

    def announce(self, address: str, until: float) -> None:
        """Tell all workers; where that fails, each finds out by the next failure that it meets."""
        at = datetime.fromtimestamp(self._clock(), UTC)
        key = announced(address, until)
        work = asyncio.get_running_loop().run_in_executor(None, self._append, ChangeKind.BLOCKED_ADDRESS, key, at)
        self._under_way.add(work)
        work.add_done_callback(self._done)

    def _done(self, work: asyncio.Future[None]) -> None:
        self._under_way.discard(work)
        if not work.cancelled() and work.exception() is not None:
            get_logger().error("limits.block_untold", error=str(work.exception()))


def announced(address: str, until: float) -> str:
    """Return the change's key."""
    return f"{until:.0f} {address}"


def read_announcement(key: str) -> tuple[str, float]:
    """Return address and end of a block; raises `ValueError` for a key that is none."""
    until, _, address = key.partition(" ")
    return address, float(until)
