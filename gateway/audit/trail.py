"""One worker's audit files, read backwards in blocks: the live one, then those put aside, newest first.

Records stand in a file in the order of their times, so that a moment is found by halving, without reading what came after it.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BLOCK_BYTES: Final = 256 * 1024
_PROBE_BYTES: Final = 16 * 1024
_TIME = re.compile(rb'\{"ts":"([0-9T:.+Z-]{10,40})"')
NEWEST: Final = "~"  # sorts after every time


@dataclass(slots=True, kw_only=True)
class Budget:
    """What a look may cost: bytes read and seconds; what lies further back is not looked at."""

    bytes_left: int
    seconds: float
    monotonic: Callable[[], float] = time.monotonic
    ran_out: bool = False
    _ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Begin."""
        self._ends_at = self.monotonic() + self.seconds

    def is_spent(self) -> bool:
        """Whether nothing more may be read; noted, so that the answer can say so."""
        self.ran_out = self.ran_out or self.bytes_left <= 0 or self.monotonic() >= self._ends_at
        return self.ran_out


class Stretch(NamedTuple):
    """What is to be read of an open file: what stands behind `floor`."""

    file: IO[bytes]
    floor: int = 0


class Trail:
    """The records of one worker, from `before` (exclusive, as written in `ts`) back; `reached` is how far it has been read."""

    def __init__(self, files: Sequence[Stretch], *, before: str | None, needles: Sequence[bytes]) -> None:
        """Read nothing yet. `files` are newest first; lines without every one of `needles` are passed over."""
        self._files = list(files)
        self._before = before
        self._needles = needles
        self._file: IO[bytes] | None = None
        self._place = self._floor = 0
        self._beginning = b""
        self.reached = before or NEWEST
        self.is_finished = False

    def read_block(self, budget: Budget) -> list[bytes]:
        """Return the wanted lines of the next block back, newest first."""
        file = self._file or self._next_file()
        if file is None:
            return []
        size = min(BLOCK_BYTES, self._place - self._floor)
        self._place -= size
        budget.bytes_left -= size
        file.seek(self._place)
        block = file.read(size) + self._beginning
        if self._place > self._floor:
            self._beginning, newline, block = block.partition(b"\n")
            if not newline:
                return []  # a line longer than a block: its beginning is still to come
        else:
            self._beginning = b""
            self.close_file()
        self._note_reached(block)
        return self._wanted(block)

    def close_file(self) -> None:
        """Let the present file go."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next_file(self) -> IO[bytes] | None:
        while self._files:
            file, self._floor = self._files.pop(0)
            self._place = _end_before(file, self._before, floor=self._floor)
            self._beginning = b""
            if self._place > self._floor:
                self._file = file
                return file
            file.close()
        self.is_finished = True
        return None

    def _note_reached(self, block: bytes) -> None:
        match = _TIME.match(block)
        if match is not None:
            self.reached = min(self.reached, match[1].decode("ascii"))

    def _wanted(self, block: bytes) -> list[bytes]:
        # Whole blocks are searched before any line is cut out: other TPPs' records cost next to nothing.
        if not all(needle in block for needle in self._needles):
            return []
        lines = reversed(block.split(b"\n"))
        return [line for line in lines if line and all(needle in line for needle in self._needles)]


def _end_before(file: IO[bytes], before: str | None, *, floor: int) -> int:
    """Return a place in `file` with every record older than `before` in front of it, and few others."""
    low, high = floor, file.seek(0, os.SEEK_END)
    if before is None:
        return high
    end = high
    while high - low > BLOCK_BYTES:
        middle = (low + high) // 2
        moment = _time_after(file, middle)
        if moment is not None and moment < before:
            low = middle
        else:
            high = middle
    # `high` may lie within a line: the last older record ends behind it, and so does not reach further than a probe.
    return min(end, high + _PROBE_BYTES)


def _time_after(file: IO[bytes], place: int) -> str | None:
    """Return the time of the first record that begins behind `place`, None where no record begins soon."""
    file.seek(place)
    _, _, rest = file.read(_PROBE_BYTES).partition(b"\n")
    match = _TIME.match(rest)
    return match[1].decode("ascii") if match else None
