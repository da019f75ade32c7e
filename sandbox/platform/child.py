"""One child process: a gunicorn master with its workers in a process group of their own."""

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
    """A started process whose whole group can be stopped; all it prints goes to `console`."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, console: Path) -> None:
        """Start it; must be called from the main thread, whose death the leash waits for. Raises `OSError`."""
        self.console = console
        with console.open("ab") as output:
            self._begins_at = output.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                command,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Answer whether the process has died; it stays a zombie until `bury`, so that its group's id stays ours."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the master, which lets its workers finish."""
        if not self.has_ended():
            self._process.terminate()

    def bury(self) -> int:
        """Kill what is left of the group and return the exit status, negative for a signal."""
        if self._process.returncode is None:
            # Workers outlive a killed master for a second and would hold its port.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def last_words(self) -> str:
        """Return the end of what this process has printed."""
        with self.console.open("rb") as printed:
            size = printed.seek(0, os.SEEK_END)
            # A console that was full has begun anew since.
            begins_at = self._begins_at if self._begins_at <= size else 0
            printed.seek(max(begins_at, size - _TAIL_BYTES))
            return printed.read(_TAIL_BYTES).decode(errors="replace").strip()


def stop_all(children: Sequence[Child], *, seconds: float, is_urged: Callable[[], bool] = lambda: False) -> None:
    """Ask all to stop, wait together for at most `seconds` or until it becomes urgent, kill what is left."""
    for child in children:
        child.ask_to_stop()
    until = time.monotonic() + seconds
    while not all(child.has_ended() for child in children) and time.monotonic() < until and not is_urged():
        time.sleep(_LOOK_AGAIN_SECONDS)
    for child in children:
        child.bury()
