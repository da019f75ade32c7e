"""Deletes the oldest records of administrators' changes in blocks; a record in the chain says up to where, and vouches for it.

By age alone: a bound by number would let whoever makes many changes push out what tells of an earlier one.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select

from gateway.admin_audit.chain import Head, pruning
from gateway.admin_audit.store import append_record
from gateway.changes.store import changing
from gateway.tables.configuration import admin_audit

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine

    from psd2.clock import Clock

BLOCK: Final = 500
_table: Final = admin_audit.c


class AdminAuditPruning:
    """A `PrunableStore`: whole blocks only, so that what tells of prunings is little beside what they delete."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def prune(self, before: datetime, _batch: int) -> int:
        """Delete the oldest block where all of it is older than `before`; returns how many went."""
        moment = before.astimezone(UTC).isoformat(timespec="microseconds")
        oldest = select(_table.number, _table.sha256, _table.at).order_by(_table.number).limit(BLOCK)
        with changing(self._engine) as connection:
            rows = connection.execute(oldest).all()
            if len(rows) < BLOCK or any(row.at >= moment for row in rows):
                return 0
            append_record(connection, pruning(Head(rows[-1].number, rows[-1].sha256)), self._clock.now())
            connection.execute(delete(admin_audit).where(_table.number <= rows[-1].number))
        return BLOCK
