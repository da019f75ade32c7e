"""The servers of a platform as a whole: started, judged ready, started again when they die, stopped."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from typing import TYPE_CHECKING

from sandbox.platform.child import python, spawn, stop_all
from sandbox.platform.events import Event, EventKind
from sandbox.platform.forkserver import ForkServer
from sandbox.platform.leash import IS_LINUX
from sandbox.platform.readiness import Health, wait_until_healthy
from sandbox.platform.supervised import Supervised

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.platform.child import Child
    from sandbox.platform.events import Listener
    from sandbox.platform.plan import Plan
    from sandbox.platform.servers import Server
    from sandbox.platform.state import ServerState

_READY_DEADLINE_SECONDS = 60.0
_PUBLIC_STOP_SECONDS, _STOP_SECONDS = 4.0, 5.0


class StartFailed(RuntimeError):
    """A server that did not become ready at the start of the platform."""


class Fleet:
    """Every method but the health threads' own runs in the main thread."""

    def __init__(self, plan: Plan, *, health: Health, tell: Listener, wake: Callable[[], None]) -> None:
        """Start nothing yet; `wake` is called when a health thread has a verdict."""
        self._plan = plan
        self._health = health
        self._tell = tell
        self._wake = wake
        self._supervised = [Supervised(server) for server in plan.servers]
        self._verdicts: queue.SimpleQueue[tuple[Supervised, Child, str | None]] = queue.SimpleQueue()
        self._fork_server: ForkServer | None = None
        self._stopping = False

    def states(self) -> tuple[ServerState, ...]:
        """Return what `sandbox status` shows."""
        return tuple(supervised.state() for supervised in self._supervised)

    @property
    def is_ready(self) -> bool:
        """Whether every server is."""
        return all(supervised.is_ready for supervised in self._supervised)

    def prepare(self) -> None:
        """Let what all servers share be loaded, while something else is done."""
        if IS_LINUX:
            self._fork_server = ForkServer(
                environment=self._plan.environment,
                folder=self._plan.home.path,
                console=self._plan.home.log / "forkserver.console",
            )

    def start_due(self) -> None:
        """Start the servers whose time has come."""
        for supervised in self._supervised:
            if supervised.is_due:
                self._start(supervised)

    def require_alive(self) -> None:
        """Raise `StartFailed` with the last words of a server that has ended."""
        for supervised in self._supervised:
            if supervised.child is not None and supervised.child.has_ended():
                raise StartFailed(_failed_to_start(supervised.server, supervised.child))

    def note_deaths(self) -> None:
        """Clear away dead servers, say so, and set when to start them again."""
        for supervised in self._supervised:
            child = supervised.child
            if child is not None and child.has_ended():
                fate = _fate(child.bury())
                delay = supervised.died()
                when = f"in {delay:.1f} s" if delay else "now"
                self._tell(Event(EventKind.DIED, f"{supervised.server.name} {fate}; starting it again {when}"))

    def take_verdicts(self) -> None:
        """Act on what the health threads have found out."""
        while not self._verdicts.empty():
            supervised, child, complaint = self._verdicts.get()
            if child is not supervised.child or child.has_ended():
                continue  # about a child that is gone
            if complaint is None:
                supervised.is_ready = True
                if supervised.restarts:
                    self._tell(Event(EventKind.BACK, f"{supervised.server.name} is back"))
            else:
                # It runs and does not answer. It has had its time; a new one may do better.
                self._tell(Event(EventKind.DIED, f"{supervised.server.name} does not become ready ({complaint}): stopping it"))
                stop_all([child], seconds=1.0)

    def pause_seconds(self, *, at_most: float) -> float:
        """Return how long nothing is due."""
        waiting = [supervised.start_at for supervised in self._supervised if supervised.child is None]
        return max(0.0, min(*(at - time.monotonic() for at in waiting), at_most)) if waiting else at_most

    def stop(self, *, is_urged: Callable[[], bool]) -> None:
        """Stop the public server first, so that nothing new comes in, then those behind it; leaves no process."""
        self._stopping = True
        self._dismiss_fork_server()
        children = [(supervised.server.is_public, supervised.child) for supervised in self._supervised if supervised.child]
        stop_all([child for public, child in children if public], seconds=_PUBLIC_STOP_SECONDS, is_urged=is_urged)
        stop_all([child for public, child in children if not public], seconds=_STOP_SECONDS, is_urged=is_urged)

    def _start(self, supervised: Supervised) -> None:
        child = self._begin(supervised.server)
        supervised.began(child)
        name = f"health-{supervised.server.name}"
        threading.Thread(target=self._judge, args=(supervised, child), daemon=True, name=name).start()

    def _begin(self, server: Server) -> Child:
        console = self._plan.home.log / f"{server.name}.console"
        if self._fork_server is not None:
            try:
                return self._fork_server.start(server.arguments, name=server.name, console=console)
            except OSError:  # whatever has become of it: a new process for each does as well, only slower
                self._dismiss_fork_server()
        command = python("sandbox.platform.leash", str(os.getpid()), *server.arguments)
        return spawn(command, environment=self._plan.environment, folder=self._plan.home.path, console=console)

    def _dismiss_fork_server(self) -> None:
        if self._fork_server is not None:
            self._fork_server.close()
            self._fork_server = None

    def _judge(self, supervised: Supervised, child: Child) -> None:
        complaint = wait_until_healthy(
            self._health,
            supervised.server,
            until=time.monotonic() + _READY_DEADLINE_SECONDS,
            goes_on=lambda: not self._stopping and not child.has_ended(),
        )
        self._verdicts.put((supervised, child, complaint))
        self._wake()


def _fate(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _failed_to_start(server: Server, child: Child) -> str:
    fate = _fate(child.bury())
    words = child.last_words() or "it printed nothing"
    return f"{server.name} {fate} instead of starting; the end of {child.console}:\n{words}"
