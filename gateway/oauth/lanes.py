"""How many threads may wait for other people's servers at a time: so many in all, and of each TPP (CWE-400).

Who was slow lately waits beside others who were. It is the TPP that counts: a host's name is made up in no time.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLOW_SECONDS: Final = 1.0
REMEMBERED_SECONDS: Final = 60.0


class LaneFull(Exception):
    """Nobody may wait for this TPP's server now; `is_own`: because others of its own are waited for already."""

    def __init__(self, *, is_own: bool) -> None:
        super().__init__()
        self.is_own = is_own


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many may wait: in all, of one party, and of all those together that were slow lately, each of which has one then."""

    overall: int
    each: int
    slow: int


@dataclass(slots=True)
class _Party:
    held: int = 0
    slow_held: int = 0
    slow_until: float = field(default=float("-inf"))


class Lanes:
    """Who waits, in this process."""

    def __init__(self, bounds: Bounds, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._parties: dict[str, _Party] = {}

    @contextmanager
    def entered(self, name: str) -> Iterator[None]:
        """Wait for a party's server within; raises `LaneFull` at once where it is not its turn."""
        leave = self.enter(name)
        try:
            yield
        finally:
            leave()

    def enter(self, name: str) -> Callable[[], None]:
        """Take a place, and return what gives it back; raises `LaneFull`."""
        began = self._monotonic()
        with self._lock:
            party = self._parties.get(name) or _Party()
            is_slow = began < party.slow_until
            self._require_room(party, is_slow=is_slow)
            self._parties[name] = party
            party.held += 1
            party.slow_held += is_slow

        def leave() -> None:
            self._leave(name, party, began, is_slow=is_slow)

        return leave

    def _require_room(self, party: _Party, *, is_slow: bool) -> None:
        if party.held >= (1 if is_slow else self._bounds.each):
            raise LaneFull(is_own=True)
        others = self._parties.values()
        if is_slow and sum(each.slow_held for each in others) >= self._bounds.slow:
            raise LaneFull(is_own=False)
        if sum(each.held for each in others) >= self._bounds.overall:
            raise LaneFull(is_own=False)

    def _leave(self, name: str, party: _Party, began: float, *, is_slow: bool) -> None:
        now = self._monotonic()
        with self._lock:
            party.held -= 1
            party.slow_held -= is_slow
            # Quick again, it is as quick as anybody.
            party.slow_until = now + REMEMBERED_SECONDS if now - began >= SLOW_SECONDS else float("-inf")
            if not party.held:
                self._forget(name, party, now)

    def _forget(self, name: str, party: _Party, now: float) -> None:
        if party.slow_until <= now:
            del self._parties[name]
        for other in [other for other, each in self._parties.items() if not each.held and each.slow_until <= now]:
            del self._parties[other]
