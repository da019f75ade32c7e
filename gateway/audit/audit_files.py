"""Audit files as they lie in their folder: which is which, whatever it is called by now, and which was written first."""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

MOST_LINE_BYTES: Final = 16 * 1024 * 1024
_MOST_FIRST_LINE_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class AuditFile:
    """An open audit file; `identity` stays with it when it is put aside, and is no other file's."""

    identity: str
    path: Path
    size: int
    file: IO[bytes]

    def lines_from(self, place: int) -> Iterator[tuple[int, bytes]]:
        """Yield each complete line behind `place` with the place at which it ends; a torn last one is left for later."""
        self.file.seek(place)
        while line := self.file.readline(MOST_LINE_BYTES):
            if not line.endswith(b"\n") and len(line) < MOST_LINE_BYTES:
                return
            place += len(line)
            yield place, line


def opened_files(folder: Path, stack: ExitStack, read: Mapping[str, int]) -> list[AuditFile]:
    """Open every file that has a complete line, oldest first, until `stack` ends: what is renamed meanwhile stays itself.

    Those that have been `read` to their end, by their identities, are closed again.
    """
    files: dict[str, AuditFile] = {}
    for path in _paths(folder):
        with suppress(FileNotFoundError):  # deleted since it was listed
            file = path.open("rb")
            identity = identity_of(file, worker_of(path))
            size = os.fstat(file.fileno()).st_size
            # One that is just being put aside has two names.
            if identity is not None and identity not in files:
                files[identity] = AuditFile(identity, path, size, file)
                stack.callback(file.close)
            if identity is None or size <= read.get(identity, 0) or files[identity].file is not file:
                file.close()
    return sorted(files.values(), key=lambda each: put_aside_at(each.path))


def _paths(folder: Path) -> Iterator[Path]:
    """Yield live files, then list those put aside: one that is put aside before it is opened is among the latter."""
    yield from [path for path in folder.glob("audit-*.jsonl") if put_aside_at(path) == math.inf]
    yield from [path for path in folder.glob("audit-*.jsonl") if put_aside_at(path) < math.inf]


def identity_of(file: IO[bytes], worker: str) -> str | None:
    """Return the identity of an open file, None as long as it has no complete line."""
    first = file.readline(_MOST_FIRST_LINE_BYTES)
    if not first.endswith(b"\n") and len(first) < _MOST_FIRST_LINE_BYTES:
        return None
    # The inode alone is used again for another file; the first record alone might be in a copy.
    inode = os.fstat(file.fileno()).st_ino
    return hashlib.sha256(b"%b %d %b" % (worker.encode(), inode, first)).hexdigest()


def worker_of(path: Path) -> str:
    """Return whose file it is: `audit-1`."""
    return path.name.partition(".")[0]


def put_aside_at(path: Path) -> float:
    """Return the nanosecond at which a file was put aside (`audit-1.<nanoseconds>.jsonl`); the live one is the last."""
    _, *middle, _ = path.name.split(".")
    return int(middle[0]) if middle and middle[0].isdecimal() else math.inf
