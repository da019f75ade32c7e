"""A log of audit records whose files are shipped as far as a test wants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from gateway.audit.reader import AuditFilter, Look, record_of
from gateway.audit.shipping import Retention, Shipper
from gateway.audit.store import SqlAuditRecords
from gateway.tables.audit import audit_records
from psd2.clock import FixedClock
from psd2.ids import new_time_ordered_uuid

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from gateway.audit.row import Record
    from gateway.audit.trail import Budget

NOON_MILLISECONDS = 1_767_268_800_000
NOON = "2026-01-01T12:00"
FOR_LONG = Retention(age=timedelta(days=30), most_rows=1_000_000)


def line(number: int, **more: object) -> bytes:
    """Return a record of so many milliseconds after noon, without an id."""
    return orjson.dumps({"ts": f"{NOON}:{number // 1000:02}.{number % 1000:03}000+00:00", "number": number, **more})


def call(number: int, **more: object) -> bytes:
    """Return a record of a request of its own."""
    return line(number, request_id=new_time_ordered_uuid(NOON_MILLISECONDS + number), **more)


def numbers(records: list[Record]) -> list[object]:
    """Return which records they are."""
    return [record["number"] for record in records]


def shipper(folder: Path, records: SqlAuditRecords, retention: Retention = FOR_LONG) -> Shipper:
    """Return one as it is after a start."""
    return Shipper(folder, records, FixedClock(datetime(2026, 1, 2, tzinfo=UTC)), retention)


def ship_all(folder: Path, records: SqlAuditRecords) -> None:
    """Ship every complete line."""
    at_work = shipper(folder, records)
    while at_work.turn():
        pass


def shipped(engine: Engine) -> list[dict[str, Any]]:
    """Return what the table holds, as it came."""
    with engine.connect() as connection:
        rows = connection.execute(select(audit_records.c.record).order_by(audit_records.c.number)).scalars()
        return [orjson.loads(row) for row in rows]


class ShippedLog:
    """The log as the control API reads it; before each look some of it is shipped (None: all of it)."""

    def __init__(self, folder: Path, engine: Engine, *, turns: int | None) -> None:
        """Read `folder`, shipping to `engine`."""
        self._folder = folder
        self._records = SqlAuditRecords(engine)
        self._turns = turns

    def newest(self, limit: int = 10, wanted: AuditFilter | None = None) -> list[Record]:
        """Look for records."""
        self._ship()
        return Look(self._folder, wanted or AuditFilter(), shipped=self._records).newest(limit)

    def look(self, wanted: AuditFilter, budget: Budget) -> Look:
        """Return a look within a budget; the log is shipped no further for it, but once."""
        if not self._records.places():
            self._ship()
        return Look(self._folder, wanted, budget, shipped=self._records)

    def record_of(self, request_id: str) -> tuple[Record | None, bool]:
        """Look for one."""
        self._ship()
        return record_of(self._folder, request_id, self._records)

    def _ship(self) -> None:
        if self._turns is None:
            ship_all(self._folder, self._records)
        for _ in range(self._turns or 0):
            shipper(self._folder, self._records).turn()
