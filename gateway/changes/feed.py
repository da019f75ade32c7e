"""Follows the change feed from one edge worker: polls off the event loop, tells what changed, knows when it last could.

A worker that cannot read the feed cannot know what was revoked; `require_fresh` is where it stops vouching.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from chassis.logs import get_logger
from gateway.changes.kinds import EVERYTHING, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MOST_AT_A_TIME = 1_000
_READ_SECONDS = 5.0
_RUSH_SECONDS = 0.005
# A reading may have begun long before it is waited for, or had to wait for a processor: the next one is younger.
_MOST_READINGS = 3


class StaleFeed(RuntimeError):
    """The feed has not been read for longer than the worker may go without it."""


class ChangeSource(Protocol):
    """Where changes come from; both calls block and may raise anything that the database raises."""

    def newest_position(self) -> int:
        """Return the id of the newest change."""

    def changes_after(self, position: int, *, limit: int) -> Sequence[Change]:
        """Return the oldest changes after `position`."""


class ChangeFeed:
    """One worker's place in the feed. Call `start` before anything is remembered, then `follow` for good."""

    def __init__(
        self,
        source: ChangeSource,
        on_change: Callable[[Change], None],
        *,
        poll_seconds: float,
        stale_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        """Follow `source`; `on_change` is called on the event loop, in the feed's order."""
        self._source = source
        self._on_change = on_change
        self._poll_seconds = poll_seconds
        self._stale_seconds = stale_seconds
        self._monotonic = monotonic
        self._position = 0
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._failing = False
        self._woken = asyncio.Event()
        # A thread of its own: look-ups that pile up must not keep the feed waiting until it counts as stale.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="change-feed")

    async def start(self) -> None:
        """Begin at the feed's present end; raises what the database raises."""
        began = self._monotonic()
        self._position = await asyncio.get_running_loop().run_in_executor(self._thread, self._source.newest_position)
        self._read_at = began

    def stop(self) -> None:
        """Let the thread go."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    @property
    def is_fresh(self) -> bool:
        """Whether everything that changed until `stale_seconds` ago is known."""
        return self._monotonic() - self._read_at <= self._stale_seconds

    @property
    def lag_seconds(self) -> float:
        """How long ago everything was known that had changed until then."""
        return self._monotonic() - self._read_at

    async def require_fresh(self) -> None:
        """Read at once where the last reading is too old; raises `StaleFeed` where that fails, or is too old again and again.

        A worker whose loop was held up for a moment reads and goes on; one whose database is gone refuses.
        """
        for _ in range(_MOST_READINGS):
            if self.is_fresh:
                return
            await self._read_once()
            if self._failing:
                break
        if not self.is_fresh:
            raise StaleFeed

    def wake(self) -> None:
        """Read soon rather than at the next poll; to be called on the event loop."""
        self._woken.set()

    async def follow(self) -> None:
        """Read when woken, and every `poll_seconds` however that may be, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds):
                    await self._woken.wait()
                # A rush of changes comes to a few readings, not to one for each.
                await asyncio.sleep(_RUSH_SECONDS)
            self._woken.clear()
            await self._read_once()

    async def _read_once(self) -> None:
        # One reading at a time, shared by all who wait: a thousand stale requests are one query.
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read())
        await asyncio.wait({self._reading}, timeout=self._stale_seconds)

    async def _read(self) -> None:
        began = self._monotonic()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                while await self._take_some():
                    pass
        except Exception as error:  # noqa: BLE001 - whatever the database raises, the feed was not read
            self._note_failure(error)
            return
        self._read_at = began
        self._failing = False

    async def _take_some(self) -> bool:
        """Read and tell one batch; return whether there may be more."""
        read = partial(self._source.changes_after, self._position, limit=_MOST_AT_A_TIME)
        batch = await asyncio.get_running_loop().run_in_executor(self._thread, read)
        for change in batch:
            if change.position != self._position + 1:
                # Rows were pruned before we read them, or a writer gave up its number: forget all rather than miss one.
                self._on_change(Change(change.position, EVERYTHING, EVERYTHING))
            self._position = change.position
            self._on_change(change)
        return len(batch) == _MOST_AT_A_TIME

    def _note_failure(self, error: Exception) -> None:
        if not self._failing:
            get_logger().error("feed.unreadable", error=str(error), position=self._position)
        self._failing = True
