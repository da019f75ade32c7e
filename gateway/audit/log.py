"""Appends audit records to one file per worker: written before the answer ends, so that a killed worker loses none."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_MOST_WORKERS: Final = 1_000


class AuditUnavailable(RuntimeError):
    """No audit file can be opened; the message says which and why."""


class AuditLog:
    """The audit file of one worker, `audit-<number>.jsonl`.

    A worker takes the lowest number that no living worker holds: the lock dies with its process, however it dies.
    """

    def __init__(self, folder: Path, *, rotate_bytes: int, kept: int = 8) -> None:
        """Take a file in `folder`, of those put aside keep so many; raises `AuditUnavailable`."""
        self._rotate_bytes = rotate_bytes
        self._kept = kept
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._path, self._descriptor = _take_file(folder)
        except OSError as error:
            msg = f"no audit file can be opened in {folder}: {error.strerror}"
            raise AuditUnavailable(msg) from error
        self._size = os.fstat(self._descriptor).st_size

    @property
    def path(self) -> Path:
        """The file now written to."""
        return self._path

    def append(self, line: bytes) -> None:
        """Append one record, a JSON object without line end; raises `OSError` where it could not be written whole."""
        record = line + b"\n"
        # One write() to a file opened for appending: whole in the page cache when it returns, whatever happens to us then.
        written = os.write(self._descriptor, record)
        if written != len(record):
            msg = f"{written} of {len(record)} bytes of an audit record were written"
            raise OSError(msg)
        self._size += written
        if self._size >= self._rotate_bytes:
            self._rotate()

    def close(self) -> None:
        """Let the file go."""
        os.close(self._descriptor)

    def _rotate(self) -> None:
        """Put the full file aside and go on with an empty one of the same name, locked before it can be seen."""
        aside = self._path.with_name(f"{self._path.stem}.{time.time_ns()}.jsonl")
        fresh = self._path.with_name(f".{self._path.name}.new")
        descriptor = _open_locked(fresh)
        # Linked, then replaced: at no moment is the name free for another worker to take.
        os.link(self._path, aside)
        fresh.rename(self._path)
        os.close(self._descriptor)
        self._descriptor, self._size = descriptor, 0
        for old in sorted(self._path.parent.glob(f"{self._path.stem}.*.jsonl"))[: -self._kept]:
            old.unlink(missing_ok=True)


def _take_file(folder: Path) -> tuple[Path, int]:
    for number in range(1, _MOST_WORKERS + 1):
        path = folder / f"audit-{number}.jsonl"
        try:
            descriptor = _open_locked(path)
        except BlockingIOError:
            continue
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return path, descriptor
        os.close(descriptor)  # its owner has just put it aside
    msg = f"{_MOST_WORKERS} audit files are taken"
    raise AuditUnavailable(msg)


def _open_locked(path: Path) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
