"""What a running platform leaves in `var/run`: a lock that dies with it, its process id and its servers.

The lock alone says whether a platform runs; a process id left over from a crash proves nothing.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from chassis.files import write_public

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chassis.home import Home

_CLAIM_SECONDS, _LOOK_AGAIN_SECONDS = 0.5, 0.05


class AlreadyRunning(RuntimeError):
    """A platform of this home already runs."""


class HomeNotUsable(RuntimeError):
    """The home folder can't be written to, or a file in it can't be read."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """One server as `sandbox status` shows it; `state` is `starting`, `ready`, `restarting` or `stopped`."""

    name: str
    state: str
    pid: int | None
    restarts: int


@dataclass(frozen=True, slots=True)
class PlatformState:
    """A running platform; `started_at` is ISO 8601, UTC."""

    pid: int
    base_port: int
    started_at: str
    ready: bool
    servers: tuple[ServerState, ...]


class RunFolder:
    """`var/run` of one home."""

    def __init__(self, home: Home) -> None:
        """Name the folder; nothing is made yet."""
        self._home = home
        self._lock = home.run / "platform.lock"
        self._pid = home.run / "platform.pid"
        self._state = home.run / "platform.json"

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Hold the lock; yields whether an earlier platform ended without cleaning up.

        Raises `AlreadyRunning`, or `HomeNotUsable` where the home can't be written to.
        """
        try:
            self._home.run.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HomeNotUsable(
                f"home {self._home.path} can't be written to ({error.strerror}: {error.filename}); choose another by --home"
            ) from error
        try:
            self._take(descriptor)
            stale = self._pid.exists()
            write_public(self._pid, f"{os.getpid()}\n".encode())
            try:
                yield stale
            finally:
                self._pid.unlink(missing_ok=True)
                self._state.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        # Whoever only asks (`is_held`) holds the lock for a moment too: one refusal proves nothing.
        give_up = time.monotonic() + _CLAIM_SECONDS
        while not _locked(descriptor):
            if time.monotonic() >= give_up:
                raise AlreadyRunning(self._already_running())
            time.sleep(_LOOK_AGAIN_SECONDS)

    def _already_running(self) -> str:
        state = self.running()
        process = f" (process {state.pid}, base port {state.base_port})" if state else ""
        return f"a platform of {self._home.path} runs already{process}: stop it with `sandbox down`, or choose another --home"

    def write(self, state: PlatformState) -> None:
        """Publish the state, whole."""
        write_public(self._state, orjson.dumps(asdict(state), option=orjson.OPT_INDENT_2))

    def running(self) -> PlatformState | None:
        """Return the state of the running platform; None while none runs or it has not said anything yet."""
        return self._read() if self.is_held() else None

    def pid(self) -> int | None:
        """Return the process id of the platform that holds the lock; None while it has not said so yet."""
        try:
            return int(self._pid.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def is_held(self) -> bool:
        """Answer whether a platform of this home runs."""
        try:
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise HomeNotUsable(f"{self._lock} can't be opened: {error.strerror}") from error
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)

    def _read(self) -> PlatformState | None:
        try:
            document = orjson.loads(self._state.read_bytes())
            servers = tuple(ServerState(**server) for server in document.pop("servers"))
            return PlatformState(**document, servers=servers)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HomeNotUsable(f"{self._state} can't be read ({error}): stop the platform, then start it anew") from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
