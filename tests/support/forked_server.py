"""A gunicorn of the tests' own, forked off a process that has loaded the edge: that is most of what its start costs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support.processes import fork_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from signal import Signals


class ForkedServer:
    """A running gunicorn, with what is asked of a `Popen`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it with these arguments, and with these environment variables only."""
        self._process = fork_server().Process(target=_be_gunicorn, args=(list(arguments), dict(environment)))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        return self._process.exitcode

    def send_signal(self, signal: Signals) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal)

    def wait(self, timeout: float) -> int:
        """Wait until it has ended; raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            raise subprocess.TimeoutExpired("gunicorn", timeout)
        return status


def _be_gunicorn(arguments: list[str], environment: dict[str, str]) -> None:
    from gunicorn.app.wsgiapp import run

    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["gunicorn", *arguments]
    run(prog="gunicorn")
