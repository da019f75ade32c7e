"""Child processes, mostly gunicorn masters: each with its workers in a process group of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_TAIL_BYTES = 8_192
_LOOK_AGAIN_SECONDS = 0.02


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module; -P keeps a `gateway/` folder of the user's own from being imported instead."""
    return [sys.executable, "-P", "-m", module, *arguments]


class Child:
    """A child process whose whole group can be stopped, the workers of a dead master too; all it prints goes to `console`."""

    def __init__(self, pid: int, *, console: Path, begins_at: int) -> None:
        """Take charge of a process that leads its group; `begins_at` is how long its console was before it started."""
        self.pid = pid
        self.console = console
        self._begins_at = begins_at
        self._status: int | None = None

    def has_ended(self) -> bool:
        """Answer whether the process has died; it stays a zombie until `bury`, so that its group's id stays ours."""
        if self._status is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the master, which lets its workers finish."""
        if not self.has_ended():
            os.kill(self.pid, signal.SIGTERM)

    def bury(self) -> int:
        """Kill what is left of the group and return the exit status, negative for a signal."""
        if self._status is None:
            # Workers outlive a killed master for a second and would hold its port.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            _bury_orphans(self.pid)
        return self._status

    def last_words(self) -> str:
        """Return the end of what this process has printed."""
        with self.console.open("rb") as printed:
            size = printed.seek(0, os.SEEK_END)
            # A console that was full has begun anew since.
            begins_at = self._begins_at if self._begins_at <= size else 0
            printed.seek(max(begins_at, size - _TAIL_BYTES))
            return printed.read(_TAIL_BYTES).decode(errors="replace").strip()


def spawn(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, console: Path, keep: Sequence[int] = ()
) -> Child:
    """Start a command; from the main thread only, whose death the leash waits for. Raises `OSError`.

    `keep`: descriptors that it inherits.
    """
    with console.open("ab") as output:
        begins_at = output.tell()
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=keep,
        )
    process.returncode = 0  # `Child` waits for it from here on
    return Child(process.pid, console=console, begins_at=begins_at)


def _bury_orphans(group: int) -> None:
    """Clear away the killed workers that became our children when their master died; elsewhere init does so."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def stop_all(children: Sequence[Child], *, seconds: float, is_urged: Callable[[], bool] = lambda: False) -> None:
    """Ask all to stop, wait together for at most `seconds` or until it becomes urgent, kill what is left."""
    for child in children:
        child.ask_to_stop()
    until = time.monotonic() + seconds
    while not all(child.has_ended() for child in children) and time.monotonic() < until and not is_urged():
        time.sleep(_LOOK_AGAIN_SECONDS)
    for child in children:
        child.bury()
