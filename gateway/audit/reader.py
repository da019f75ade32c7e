"""Reads the newest audit records of all workers, backwards from the ends of their files, never more than a bounded part."""

from __future__ import annotations

import itertools
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_RECORDS: Final = 1_000
_BLOCK_BYTES: Final = 64 * 1024
_MOST_BYTES_READ: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which records are wanted; None takes any. `tpp` is an authorisation number."""

    tpp: str | None = None
    outcome: str | None = None
    reason: str | None = None

    def admits(self, record: dict[str, object]) -> bool:
        """Whether `record` is wanted."""
        wanted = {"tpp": self.tpp, "outcome": self.outcome, "reason": self.reason}
        return all(value is None or record.get(key) == value for key, value in wanted.items())


@dataclass(slots=True)
class _Budget:
    """Bytes that may still be read."""

    left: int = _MOST_BYTES_READ


def newest_records(folder: Path, *, limit: int, wanted: AuditFilter | None = None) -> list[dict[str, object]]:
    """Return at most `limit` records (and at most `MOST_RECORDS`) of `folder`, newest first.

    Rare matches that lie further back than the reading limit are not found; an unreadable line is passed over.
    """
    most = min(limit, MOST_RECORDS)
    wanted = wanted or AuditFilter()
    budget = _Budget()
    found: list[dict[str, object]] = []
    for path in _files_newest_first(folder):
        matches = (record for record in _records_backwards(path, budget) if wanted.admits(record))
        found += itertools.islice(matches, most)
    return sorted(found, key=lambda record: str(record.get("ts")), reverse=True)[:most]


def _files_newest_first(folder: Path) -> list[Path]:
    """Return the live file of each worker, then those put aside (`audit-1.<nanoseconds>.jsonl`), newest first."""
    return sorted(folder.glob("audit-*.jsonl"), key=lambda path: -_put_aside_at(path))


def _put_aside_at(path: Path) -> float:
    _, *middle, _ = path.name.split(".")
    return int(middle[0]) if middle and middle[0].isdecimal() else math.inf


def _records_backwards(path: Path, budget: _Budget) -> Iterator[dict[str, object]]:
    for line in _lines_backwards(path, budget):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(record, dict):
            yield record


def _lines_backwards(path: Path, budget: _Budget) -> Iterator[bytes]:
    """Yield whole lines, last first; a line that begins before the last block read is left out."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # rotated away since it was listed
    with file:
        place = file.seek(0, os.SEEK_END)
        beginning = b""
        while place > 0 and budget.left > 0:
            size = min(_BLOCK_BYTES, place)
            place -= size
            budget.left -= size
            file.seek(place)
            first, *lines = (file.read(size) + beginning).split(b"\n")
            beginning = first
            yield from (line for line in reversed(lines) if line)
        if place == 0 and beginning:
            yield beginning
