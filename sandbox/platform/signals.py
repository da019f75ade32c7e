"""Signals as something to wait for, in a loop that does nothing in handlers."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

_WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
_STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Signals:
    """Collects signals between `with` and its end; `wake` may be called from any thread."""

    def __init__(self) -> None:
        """Watch nothing yet."""
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before: dict[int, object] = {}
        self._stops = 0

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in _WATCHED:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self._reader)
        os.close(self._writer)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in _STOP:
            self._stops += 1
        self.wake()

    @property
    def stop_asked(self) -> bool:
        """Whether somebody wants the platform to stop."""
        return self._stops > 0

    @property
    def stop_urged(self) -> bool:
        """Whether somebody has asked twice: stop without waiting for requests under way."""
        return self._stops > 1

    def wake(self) -> None:
        """End the current or next `wait`."""
        try:
            os.write(self._writer, b"!")
        except BlockingIOError:
            return  # the pipe is full of reasons to wake already

    def wait(self, seconds: float) -> None:
        """Sleep until a signal or `wake`, at most `seconds`."""
        readable, _, _ = select.select([self._reader], [], [], seconds)
        if readable:
            os.read(self._reader, 4096)
