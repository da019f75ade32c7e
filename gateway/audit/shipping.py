"""Ships audit records from the files of this machine's edge to the gateway's database, in batches, each record once.

It runs beside the control API and takes at most a fifth of its time; the edge knows nothing of it.
"""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger
from chassis.sql.database import first_line
from gateway.audit.audit_files import opened_files
from gateway.audit.row import row_of
from gateway.audit.store import Move, Overtaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.audit.audit_files import AuditFile
    from gateway.audit.row import AuditRow
    from gateway.audit.store import SqlAuditRecords
    from psd2.clock import Clock

BATCH: Final = 500
_PRUNED_AT_ONCE: Final = 2 * BATCH  # more than comes in, so that bounds hold under any load
_EVERY_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_PAUSE_FOR_A_SECOND_OF_WORK: Final = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long, and how many."""

    age: timedelta
    most_rows: int


@dataclass(slots=True)
class _Batch:
    rows: list[AuditRow] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    lines: int = 0
    unreadable: int = 0

    def add(self, file: AuditFile, start: int) -> None:
        """Add lines of a file, as far as there is room."""
        end = start
        for place, line in itertools.islice(file.lines_from(start), BATCH - self.lines):
            row = row_of(line, file=file.identity, end=place)
            self.lines, end = self.lines + 1, place
            if row is None:
                self.unreadable += 1
            else:
                self.rows.append(row)
        if end > start:
            self.moves.append(Move(file=file.identity, start=start, end=end))


class Shipper:
    """Goes on from where the database says that it had come to."""

    def __init__(self, folder: Path, records: SqlAuditRecords, clock: Clock, retention: Retention) -> None:
        self._folder = folder
        self._records = records
        self._clock = clock
        self._retention = retention
        self._places: dict[str, int] = {}
        self._is_current = False
        self._waiting: dict[str, tuple[str, int]] = {}  # by file: its name, and how many octets of it are to be shipped

    @property
    def unshipped_bytes(self) -> int:
        """How much of this machine's files was still to be shipped when it last looked."""
        return sum(left for _, left in list(self._waiting.values()))

    def start(self) -> None:
        """Ship in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="audit-shipper", daemon=True).start()

    def turn(self) -> bool:
        """Ship one batch and prune as much; returns whether there may be more at once. Raises what the database raises."""
        with ExitStack() as stack:
            files = opened_files(self._folder, stack, self._places if self._is_current else {})
            gone = self._note_gone(files)
            if not self._is_current:
                self._places, self._is_current = self._records.places(), True
                self._note_waiting(files)
            batch = self._collected(files)
        try:
            if batch.moves:
                self._records.take(batch.rows, batch.moves, self._clock.now())
            if gone:
                self._records.forget(gone)
            pruned = self._prune()
        except BaseException:
            self._is_current = False
            raise
        self._note_taken(batch)
        return pruned >= _PRUNED_AT_ONCE or batch.lines >= BATCH

    def _collected(self, files: Sequence[AuditFile]) -> _Batch:
        batch = _Batch()
        for file in files:
            start = self._places.get(file.identity, 0)
            if file.size > start and batch.lines < BATCH:
                batch.add(file, start)
        return batch

    def _note_taken(self, batch: _Batch) -> None:
        for move in batch.moves:
            name, left = self._waiting[move.file]
            self._waiting[move.file] = name, left - (move.end - move.start)
            self._places[move.file] = move.end
        if batch.lines < BATCH:  # all has been read, but for torn last lines
            self._waiting = {identity: (name, 0) for identity, (name, _) in self._waiting.items()}
        if batch.unreadable:
            get_logger().warning("audit.lines_unreadable", lines=batch.unreadable)

    def _note_gone(self, files: Sequence[AuditFile]) -> list[str]:
        """Say what was deleted before it could be shipped: the edge keeps so many files and no more."""
        before = self._waiting
        self._note_waiting(files)
        gone = [identity for identity in before if identity not in self._waiting]
        for name, left in (before[identity] for identity in gone):
            if left > 0:
                get_logger().error("audit.records_lost", file=name, bytes=left)
        return gone

    def _note_waiting(self, files: Sequence[AuditFile]) -> None:
        self._waiting = {file.identity: (file.path.name, file.size - self._places.get(file.identity, 0)) for file in files}

    def _prune(self) -> int:
        before = (self._clock.now() - self._retention.age).astimezone(UTC).isoformat(timespec="microseconds")
        return self._records.prune(before=before, most=self._retention.most_rows, batch=_PRUNED_AT_ONCE)

    def _run(self) -> None:
        pause, failures = threading.Event(), 0
        while True:
            began = time.monotonic()
            try:
                shortest = 0.0 if self.turn() else _EVERY_SECONDS
                failures = 0
            except Overtaken:
                shortest = _EVERY_SECONDS
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead shipper would never
                failures += 1
                shortest = min(_LONGEST_PAUSE_SECONDS, _EVERY_SECONDS * 2 ** min(failures, 6))
                get_logger().error("audit.shipping_failed", error=first_line(error))
            pause.wait(max(shortest, _PAUSE_FOR_A_SECOND_OF_WORK * (time.monotonic() - began)))
