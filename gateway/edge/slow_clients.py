"""Clients that take an answer slowly while its server waits to send the rest: how long, and how many of one holder's at a time.

Each keeps a connection to the server from the others: without bounds one client, byte by byte, would keep them all for ever.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# A client on a telephone takes as much as is written at a time, 256 KiB at most, well within it.
PROMPT_SECONDS: Final = 2.0
MOST_SECONDS: Final = 60.0
MOST_SLOW: Final = 8


class SlowClients:
    """One worker's."""

    def __init__(
        self, *, most: int = MOST_SLOW, prompt_seconds: float = PROMPT_SECONDS, most_seconds: float = MOST_SECONDS
    ) -> None:
        """Know of none yet."""
        self._most = most
        self._prompt_seconds = prompt_seconds
        self._most_seconds = most_seconds
        self._slow: Counter[str] = Counter()

    def count(self, holder: str) -> int:
        """Return how many answers a holder takes slowly just now."""
        return self._slow[holder]

    async def wait_for(self, taken: Callable[[], Awaitable[None]], *, holder: str) -> None:
        """Wait until what was written is `taken`; raises `Refusal` where that takes too long, or the holder has too many."""
        if await self._is_in_time(taken, self._prompt_seconds):
            return
        if self.count(holder) >= self._most:
            raise Refusal("http.too_slow", f"{self.count(holder)} answers of {holder} are taken slowly already")
        self._slow[holder] += 1
        try:
            if not await self._is_in_time(taken, self._most_seconds):
                raise Refusal("http.too_slow", "the client took too little of the answer")
        finally:
            self._slow[holder] -= 1
            if not self._slow[holder]:
                del self._slow[holder]

    @staticmethod
    async def _is_in_time(taken: Callable[[], Awaitable[None]], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await taken()
        except TimeoutError:
            return False
        return True
