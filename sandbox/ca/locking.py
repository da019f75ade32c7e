"""One process at a time, by a lock on a file; the lock ends with the process that holds it, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sandbox.ca.errors import HierarchyBusy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEADLINE_SECONDS: Final = 20.0
_PAUSE_SECONDS: Final = 0.02


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock while the block runs. Raises HierarchyBusy when it is not to be had in time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _acquire(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise HierarchyBusy(f"{path}: held by another process for more than {_DEADLINE_SECONDS:.0f} s") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return
