"""Deletes what expired long enough ago, in small batches, so that look-ups stay flat and no writer waits long."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from chassis.logs import get_logger

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from psd2.clock import Clock

BATCH: Final = 500
MOST_BATCHES: Final = 20


class PrunableStore(Protocol):
    """A store that can delete what expired."""

    def prune(self, before: datetime, batch: int) -> int:
        """Delete up to `batch` rows of each table that expired before `before`; returns how many went."""


class Pruner:
    """Prunes from time to time, in a thread of its own."""

    def __init__(self, *, store: PrunableStore, clock: Clock, retention: timedelta, every: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        self._every = every

    def start(self) -> None:
        """Prune in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="pruner", daemon=True).start()

    def prune_once(self) -> int:
        """Delete at most `MOST_BATCHES` batches; returns how many rows went."""
        before = self._clock.now() - self._retention
        total = 0
        for _ in range(MOST_BATCHES):
            gone = self._store.prune(before, BATCH)
            total += gone
            if not gone:
                break
        return total

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every.total_seconds()):
            try:
                self.prune_once()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead pruner would never
                get_logger().error("oauth.prune_failed", error=repr(error))
