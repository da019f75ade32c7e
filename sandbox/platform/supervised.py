"""One server under supervision: its child, whether it is ready, and when to try again after it died."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.platform.state import ServerState

if TYPE_CHECKING:
    from sandbox.platform.child import Child
    from sandbox.platform.servers import Server

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.25, 10.0
_STEADY_SECONDS = 30.0


def restart_delay(failures: int) -> float:
    """Return the pause before the next start after this many failures in a row: none after the first, then doubling."""
    return 0.0 if failures <= 1 else min(_FIRST_DELAY_SECONDS * 2.0 ** min(failures - 2, 16), _LONGEST_DELAY_SECONDS)


@dataclass(slots=True)
class Supervised:
    """The moving parts of one server; times are monotonic seconds."""

    server: Server
    child: Child | None = None
    is_ready: bool = False
    restarts: int = 0
    failures: int = 0
    began_at: float = 0.0
    start_at: float = 0.0

    def began(self, child: Child) -> None:
        """Note that a child was started."""
        self.child, self.is_ready, self.began_at = child, False, time.monotonic()

    def died(self) -> float:
        """Note that the child is gone; return the pause before the next start."""
        now = time.monotonic()
        self.failures = 1 if now - self.began_at >= _STEADY_SECONDS else self.failures + 1
        delay = restart_delay(self.failures)
        self.child, self.is_ready, self.start_at = None, False, now + delay
        self.restarts += 1
        return delay

    @property
    def is_due(self) -> bool:
        """Whether it is to be started now."""
        return self.child is None and time.monotonic() >= self.start_at

    def state(self) -> ServerState:
        """Return what `sandbox status` shows."""
        name = "ready" if self.is_ready else "restarting" if self.restarts else "starting"
        return ServerState(self.server.name, name, self.child.pid if self.child else None, self.restarts)
