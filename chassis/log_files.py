"""A log file of bounded size that several processes append to: when it is full it is put aside, and the oldest are dropped."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 8 * 1024 * 1024
KEPT_ASIDE: Final = 4


class LogFile:
    """Lines appended to `NAME.jsonl`; full ones are kept as `NAME.<nanoseconds>.jsonl`.

    Each line is written whole, by one write to a file opened for appending. Whoever is late at a rotation has written to
    the file that was just put aside, where the line stays.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, kept_aside: int = KEPT_ASIDE) -> None:
        """Open `path`, and its folder where it is missing; raises `OSError`."""
        self._path = path
        self._most_bytes = most_bytes
        self._kept_aside = kept_aside
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = _open(path)

    def write(self, text: str) -> None:
        """Append text that ends its line; raises `OSError`."""
        with self._lock:
            if not self._is_current():
                self._reopen()
            _write_whole(self._descriptor, text.encode())
            if os.fstat(self._descriptor).st_size >= self._most_bytes:
                # A line is worth more than the bound: what can't be put aside is written on.
                with suppress(OSError):
                    self._rotate()

    def flush(self) -> None:
        """Do nothing: what is written is with the system already."""

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)

    def _is_current(self) -> bool:
        """Answer whether the file still has its name: another process may have put it aside, or somebody removed it."""
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        held = os.fstat(self._descriptor)
        return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)

    def _reopen(self) -> None:
        fresh = _open(self._path)
        os.close(self._descriptor)
        self._descriptor = fresh

    def _rotate(self) -> None:
        # Only who holds the lock of the file that has the name takes the name away: of several, one does.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            if self._is_current():
                self._path.rename(self._path.with_name(f"{self._path.stem}.{time.time_ns()}{self._path.suffix}"))
                self._drop_oldest()
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _drop_oldest(self) -> None:
        aside = sorted(self._path.parent.glob(f"{self._path.stem}.*{self._path.suffix}"))
        for old in aside[: -self._kept_aside]:
            old.unlink(missing_ok=True)


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _write_whole(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
