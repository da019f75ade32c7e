"""What the portal's process does beside answering: keep the gateway's trust in step, renew certificates before they expire."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

_DELIVERY_SECONDS, _RENEWAL_SECONDS, _PRUNING_SECONDS, _DEMO_APP_SECONDS = 1.0, 60.0, 3_600.0, 3_600.0
_LONGEST_PAUSE_SECONDS = 15.0


class Chore:
    """Something to be done again and again; after a failure with growing pauses, told once in the log."""

    def __init__(self, name: str, work: Callable[[], object], *, every_seconds: float) -> None:
        """Name it for the log."""
        self._name = name
        self._work = work
        self._every_seconds = every_seconds
        self._failures = 0
        self.due_at = 0.0

    def do(self, *, now: float) -> None:
        """Do it and set when it is due again; never raises: the other chores depend on the same thread."""
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the thread
            self._note_failure(error)
        else:
            self._note_success()
        pause = self._every_seconds if not self._failures else min(2.0 ** (self._failures - 1), _LONGEST_PAUSE_SECONDS)
        self.due_at = now + pause

    def _note_failure(self, error: Exception) -> None:
        if not self._failures:
            get_logger().warning("chore.failed", chore=self._name, error=f"{type(error).__name__}: {error}")
        self._failures = min(self._failures + 1, 16)

    def _note_success(self) -> None:
        if self._failures:
            get_logger().info("chore.works_again", chore=self._name)
        self._failures = 0


def housekeeping(*, deliver: Callable[[], object], renew: Callable[[], object], prune: Callable[[], object]) -> list[Chore]:
    """Return the portal's chores."""
    return [
        Chore("deliver trust to the gateway", deliver, every_seconds=_DELIVERY_SECONDS),
        Chore("renew certificates", renew, every_seconds=_RENEWAL_SECONDS),
        Chore("drop sessions and invitations that are over", prune, every_seconds=_PRUNING_SECONDS),
    ]


def demo_app_chore(ensure: Callable[[], object]) -> Chore:
    """Return the chore that registers the demo app as soon as bank and gateway answer, and renews its certificates."""
    return Chore("keep the demo app registered", ensure, every_seconds=_DEMO_APP_SECONDS)


def run_in_background(chores: list[Chore]) -> None:
    """Do the chores in a thread that ends with the process."""

    def loop() -> None:
        while True:
            for chore in chores:
                now = time.monotonic()
                if now >= chore.due_at:
                    chore.do(now=now)
            time.sleep(max(0.05, min(chore.due_at for chore in chores) - time.monotonic()))

    threading.Thread(target=loop, name="housekeeping", daemon=True).start()
