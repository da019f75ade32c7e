"""How much of bodies a worker holds, in all and of one holder: requests' while they arrive, answers' until they are taken.

Clients whom nobody has to know send them slowly, or take them slowly: without a bound they would fill the memory.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

# Of each request so much is not counted: what is usual is never refused. A hundred can be under way over each connection.
FREE_BYTES: Final = 4 * 1024
_SHARES: Final = 4


class HeldBodies:
    """One worker's. A holder, that is a TPP or an address, has a quarter of it at most."""

    def __init__(self, *, most_bytes: int, free_bytes: int, reason: str) -> None:
        """Hold nothing yet; of each body `free_bytes` are not counted. `reason` is why one more is refused."""
        self.free_bytes = free_bytes
        self._most_bytes = most_bytes
        self._reason = reason
        self._total = 0
        self._held: Counter[str] = Counter()

    @contextmanager
    def body(self, holder: str) -> Iterator[HeldBody]:
        """Hold a body until the block ends."""
        held = HeldBody(self, holder)
        try:
            yield held
        finally:
            self.give_back(holder, held.counted)

    def take(self, holder: str, size: int) -> None:
        """Count so much more; raises `Refusal`."""
        share = self._most_bytes // _SHARES
        if self._total + size > self._most_bytes:
            raise Refusal(self._reason, f"{self._total} bytes of bodies are held")
        if self._held[holder] + size > share:
            raise Refusal(self._reason, f"{self._held[holder]} bytes of bodies of {holder} are held")
        self._total += size
        self._held[holder] += size

    def give_back(self, holder: str, size: int) -> None:
        """Count so much less."""
        self._total -= size
        self._held[holder] -= size
        if not self._held[holder]:
            del self._held[holder]


class HeldBody:
    """What is here of one body."""

    def __init__(self, bodies: HeldBodies, holder: str) -> None:
        """Nothing yet."""
        self._bodies = bodies
        self._holder = holder
        self._size = 0
        self.counted = 0

    def grow(self, size: int) -> None:
        """Note that so much more has arrived; raises `Refusal` where there is no room for it."""
        self._size += size
        more = max(0, self._size - self._bodies.free_bytes) - self.counted
        if more:
            self._bodies.take(self._holder, more)
            self.counted += more
