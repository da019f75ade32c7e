"""Threads that stand in for those whose caller takes a large answer slowly: whoever reads slowly holds up nobody else."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Each waits with a whole answer in memory.
MOST_ASIDE: Final = 32


class StandIns:
    """Of one worker. A thread that steps aside ends with the turn that it is in; the one that stands in for it stays."""

    def __init__(self, take_turns: Callable[[], None], *, most: int = MOST_ASIDE) -> None:
        """Have others `take_turns`; of more than `most` that would step aside some hold their turn."""
        self._take_turns = take_turns
        self._places = threading.BoundedSemaphore(most)
        self._own = threading.local()

    def step_aside(self) -> None:
        """Have another thread take this one's turns from now on.

        Not where one does already, too many have stepped aside, or the system starts no more threads.
        """
        if self.is_aside() or not self._places.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._take_turns, name="requests-stand-in").start()
        except RuntimeError:  # whoever went aside all the same would leave nobody behind
            self._places.release()
        else:
            self._own.is_aside = True

    def is_aside(self) -> bool:
        """Whether another thread takes this one's turns."""
        return getattr(self._own, "is_aside", False)

    def leave(self) -> None:
        """Note that this thread, which has stepped aside, ends."""
        self._places.release()
