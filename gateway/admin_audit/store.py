"""Appends to and reads the audit of administrators; an append belongs to the transaction of the change that it tells of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert, select

from chassis.logs import get_logger
from chassis.sql.database import for_reading
from gateway.admin_audit.actor import current_actor
from gateway.admin_audit.chain import Head
from gateway.admin_audit.record import AuditRecord, Entry, chained
from gateway.configuration.difference import difference
from gateway.tables.configuration import admin_audit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine, Row

    from gateway.configuration.model import Body


def append_record(connection: Connection, entry: Entry, at: datetime) -> AuditRecord:
    """Record what the current actor did; the transaction is one of `gateway.changes.store.changing`: one at a time."""
    (record,) = append_records(connection, [entry], at)
    return record


def append_records(connection: Connection, entries: Sequence[Entry], at: datetime) -> Sequence[AuditRecord]:
    """Record all of this, one after the other."""
    newest = connection.execute(select(admin_audit).order_by(admin_audit.c.number.desc()).limit(1)).one_or_none()
    moment, previous, records = at.astimezone(UTC).isoformat(timespec="microseconds"), _record(newest) if newest else None, []
    for entry in entries:
        previous = chained(entry, current_actor(), at=moment, previous=previous)
        records.append(previous)
    connection.execute(insert(admin_audit), [asdict(record) for record in records])
    event.listen(connection, "commit", lambda _connection: _tell(records), once=True)
    return records


def _tell(records: Sequence[AuditRecord]) -> None:
    """Put the chain's heads into the log, where they outlive what might be done to the chain."""
    for record in records:
        place = f"{record.object_kind}/{record.object_name}"
        head = str(Head(record.number, record.sha256))
        get_logger().info("admin.changed", head=head, actor=record.actor, action=record.action, object=place)


def record_change(
    connection: Connection, kind: str, name: str, *, before: Body | None, after: Body | None, at: datetime
) -> None:
    """Record that `name` was `before` (None: not there) and is `after` (None: gone), unless both are the same."""
    differing = difference(before, after)
    if (before is None) is (after is None) and not differing:
        return
    action = "created" if before is None else "deleted" if after is None else "replaced"
    append_record(connection, Entry(action=action, object_kind=kind, object_name=name, difference=differing), at)


class SqlAdminAudit:
    """The audit as it is read."""

    def __init__(self, engine: Engine) -> None:
        self._reading = for_reading(engine)

    def newest(self, *, limit: int, before: int | None = None) -> Sequence[AuditRecord]:
        """Return records, newest first; only those before the number `before`."""
        query = select(admin_audit).order_by(admin_audit.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(admin_audit.c.number < before)
        with self._reading.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def chain(self) -> Iterator[AuditRecord]:
        """Give every record by number, all of one state of the database."""
        with self._reading.connect().execution_options(yield_per=1_000) as connection:
            for row in connection.execute(select(admin_audit).order_by(admin_audit.c.number)):
                yield _record(row)


def _record(row: Row[Any]) -> AuditRecord:
    return AuditRecord(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row's columns
