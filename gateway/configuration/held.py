"""Which set the workers of one server hold, told from one to the next: a worker that starts anew may need what they have.

Made before the first worker is forked, in memory that all of them share. It names versions and says nothing of what is in them.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.configuration.versions import Version

VersionKey: TypeAlias = "tuple[str, str, int]"
"""Kind, name and number of a version: what stands there in the history never changes."""


class HeldSet:
    """The set that a worker put in force last, whichever it was."""

    def __init__(self) -> None:
        """Know of none."""
        is_linux = hasattr(os, "memfd_create")
        self._file = open(os.memfd_create("held-set"), "r+b", buffering=0) if is_linux else tempfile.TemporaryFile(buffering=0)  # noqa: PTH123, SIM115 - a descriptor, as long as the server lives

    def note(self, versions: Iterable[Version]) -> None:
        """Note the set that is in force now."""
        text = orjson.dumps([[version.kind, version.name, version.number] for version in versions])
        with self._alone(fcntl.LOCK_EX):
            os.ftruncate(self._file.fileno(), 0)
            os.pwrite(self._file.fileno(), text, 0)

    def keys(self) -> list[VersionKey] | None:
        """Return what the set is made of; None where no worker has had any, or one died in the middle of its note."""
        with self._alone(fcntl.LOCK_SH):
            text = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size, 0)
        with suppress(orjson.JSONDecodeError):
            return [(kind, name, number) for kind, name, number in orjson.loads(text)]
        return None

    @contextmanager
    def _alone(self, how: int) -> Iterator[None]:
        # A lock of the process, not of the open file, which all workers have from their parent; it dies with its holder.
        fcntl.lockf(self._file, how)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
