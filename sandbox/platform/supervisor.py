"""Runs a platform: start in order, watch, stop. One loop, in the main thread.

Whatever ends the loop (a signal, a failed start, a bug), every child is stopped before `run` returns.
"""

from __future__ import annotations

import gc
import os
import time
from typing import TYPE_CHECKING

from sandbox.platform.child import stop_all
from sandbox.platform.consoles import keep_consoles_small
from sandbox.platform.databases import Migration
from sandbox.platform.events import Event, EventKind
from sandbox.platform.fleet import Fleet, StartFailed
from sandbox.platform.ports import require_free
from sandbox.platform.signals import Signals
from sandbox.platform.state import PlatformState, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from psd2.clock import Clock
    from sandbox.platform.events import Listener
    from sandbox.platform.plan import Plan
    from sandbox.platform.readiness import Health

_START_DEADLINE_SECONDS = 60.0
_STALE_PORTS_SECONDS = 6.0
_IDLE_SECONDS, _BUSY_SECONDS = 5.0, 0.05


class _StopAsked(Exception):
    """Somebody wants the platform to stop."""


class Supervisor:
    """Runs one platform, once."""

    def __init__(self, plan: Plan, *, health: Health, clock: Clock, tell: Listener) -> None:
        """Start nothing yet."""
        self._plan = plan
        self._tell = tell
        self._signals = Signals()
        self._fleet = Fleet(plan, health=health, tell=tell, wake=self._signals.wake)
        self._folder = RunFolder(plan.home)
        self._started_at = clock.now().isoformat(timespec="seconds")
        self._published: PlatformState | None = None
        self._is_up = False

    def run(self) -> None:
        """Run until a signal asks to stop; raises what kept the platform from starting."""
        with self._folder.claimed() as stale, self._signals:
            try:
                self._start(stale=stale)
                self._watch()
            except _StopAsked:
                self._say(EventKind.STOPPING, "stopping")
            finally:
                self._fleet.stop(is_urged=lambda: self._signals.stop_urged)
                self._say(EventKind.STOPPED, "stopped")

    def _start(self, *, stale: bool) -> None:
        self._require_ports(stale=stale)
        self._publish()
        self._plan.home.log.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fleet.prepare()
        self._migrate()
        self._say(EventKind.STEP, "certificates")
        self._plan.prepare()
        self._say(EventKind.STEP, "servers")
        self._fleet.start_due()
        self._wait_for(self._fleet_is_ready, "the servers")
        self._plan.introduce()
        # What is left stays; without it in the collector's sight this process ends in half the time.
        gc.collect()
        gc.freeze()
        self._is_up = True
        self._publish()
        self._say(EventKind.READY, "ready")

    def _require_ports(self, *, stale: bool) -> None:
        if stale:
            self._say(EventKind.STEP, "the last platform of this home did not end cleanly; starting anew")
        # Servers that a killed supervisor left behind need a moment to notice.
        ports = [listener for server in self._plan.servers for listener in server.listeners]
        require_free(ports, patience_seconds=_STALE_PORTS_SECONDS if stale else 0.0)

    def _migrate(self) -> None:
        self._say(EventKind.STEP, "databases")
        migration = Migration(self._plan.migrations, environment=self._plan.environment, home=self._plan.home)
        try:
            self._wait_for(migration.child.has_ended, "the databases")
            migration.require_success()
        finally:
            stop_all([migration.child], seconds=1.0)

    def _fleet_is_ready(self) -> bool:
        self._fleet.take_verdicts()
        self._fleet.require_alive()
        self._publish()
        return self._fleet.is_ready

    def _wait_for(self, is_done: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + _START_DEADLINE_SECONDS
        while not is_done():
            if self._signals.stop_asked:
                raise _StopAsked
            if time.monotonic() >= until:
                raise StartFailed(f"{what} took longer than {_START_DEADLINE_SECONDS:.0f} s; see {self._plan.home.log}")
            self._signals.wait(_BUSY_SECONDS)

    def _watch(self) -> None:
        while not self._signals.stop_asked:
            self._fleet.take_verdicts()
            self._fleet.note_deaths()
            self._fleet.start_due()
            self._publish()
            keep_consoles_small(self._plan.home.log)
            self._signals.wait(self._fleet.pause_seconds(at_most=_IDLE_SECONDS))
        raise _StopAsked

    def _publish(self) -> None:
        state = PlatformState(os.getpid(), self._plan.base_port, self._started_at, self._is_up, self._fleet.states())
        if state != self._published:
            self._folder.write(state)
            self._published = state

    def _say(self, kind: EventKind, text: str) -> None:
        self._tell(Event(kind, text))
