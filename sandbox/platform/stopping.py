"""Stopping a platform from elsewhere."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.platform.state import RunFolder

if TYPE_CHECKING:
    from sandbox.config import SandboxSettings

_STOP_SECONDS, _LOOK_AGAIN_SECONDS = 20.0, 0.02


class StopFailed(RuntimeError):
    """A platform that did not stop when asked to."""


def stop_running(settings: SandboxSettings) -> bool:
    """Stop the platform of this home; return whether one ran. Raises `StopFailed`."""
    folder = RunFolder(settings.home)
    pid = folder.pid() if folder.is_held() else None
    if pid is None:
        return False
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS / 4)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if _released(folder, seconds):
            return True
    raise StopFailed(f"process {pid} did not end, not even by SIGKILL")


def _released(folder: RunFolder, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while folder.is_held():
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True
