"""The thread that does what is due, in each of the bank's processes: whichever comes first takes a tenant's turn."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 15.0
_MOST_DOUBLINGS: Final = 8
_LAST_TASK_SECONDS: Final = 2.0


class Runner:
    """Makes passes until it is stopped; after a failure with growing pauses, told once in the log."""

    def __init__(self, run_pass: Callable[[], int], *, every_seconds: float = _EVERY_SECONDS) -> None:
        """Call `run_pass` about every so many seconds, at once again while there is something to do."""
        self._run_pass = run_pass
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._loop, name="schedule", daemon=True)

    def start(self) -> None:
        """Begin; to be called in the process that is to run, after any fork."""
        self._thread.start()

    def stop(self) -> None:
        """End after the task under way; one that takes longer than seconds is cut off and rolled back with the process."""
        self._stopped.set()
        self._thread.join(_LAST_TASK_SECONDS)

    def _loop(self) -> None:
        pause = self._every_seconds
        while not self._stopped.wait(pause):
            pause = self._pass()

    def _pass(self) -> float:
        """Make a pass and return how long to rest after it."""
        try:
            done = self._run_pass()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the thread
            self._note_failure(error)
            return min(self._every_seconds * 2.0 ** min(self._failures, _MOST_DOUBLINGS), _LONGEST_PAUSE_SECONDS)
        if self._failures:
            get_logger().info("schedule.runs_again")
            self._failures = 0
        return 0.0 if done else self._every_seconds

    def _note_failure(self, error: Exception) -> None:
        if not self._failures:
            get_logger().warning("schedule.failed", error=f"{type(error).__name__}: {error}")
        self._failures += 1
