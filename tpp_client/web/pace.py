"""How fast one address may ask: a count for each minute, kept in memory and bounded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psd2.clock import Clock

_MOST_ADDRESSES = 10_000
_SECONDS = 60


class TooFast(RuntimeError):
    """More requests in this minute than one address is given."""

    retry_after_seconds = _SECONDS


class Pace:
    """Counts requests by kind and address; a new minute begins at nought."""

    def __init__(self, clock: Clock) -> None:
        """Count nothing yet."""
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[tuple[str, str], int] = {}

    def spend(self, kind: str, address: str, *, most: int) -> None:
        """Count one request; raises `TooFast`, and where more addresses ask than are counted, for the newest of them."""
        minute = int(self._clock.now().timestamp()) // _SECONDS
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            count = self._counts.get((kind, address), 0)
            if count >= most or (not count and len(self._counts) >= _MOST_ADDRESSES):
                raise TooFast
            self._counts[kind, address] = count + 1
