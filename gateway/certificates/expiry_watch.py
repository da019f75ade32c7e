"""Tells once of each step that a certificate comes to on its way to its end: in the log, and in the administrators' audit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from chassis.logs import get_logger
from chassis.sql.database import for_reading
from gateway.admin_audit.record import Entry
from gateway.admin_audit.store import append_record
from gateway.changes.store import changing
from gateway.tables.trust import expiry_notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from gateway.certificates.expiry import Watched
    from psd2.clock import Clock

_LOOK_SECONDS: Final = 60.0


class ExpiryWatch:
    """Looks from a thread of its own; of several processes that do, one tells."""

    def __init__(self, *, engine: Engine, watched: Callable[[], Iterable[Watched]], clock: Clock) -> None:
        self._engine = engine
        self._watched = watched
        self._clock = clock

    def start(self) -> None:
        """Look in the background for as long as the process lives."""
        threading.Thread(target=self._run, name="expiry-watch", daemon=True).start()

    def tell_due(self) -> int:
        """Tell what has not been told; returns how much that was."""
        now = self._clock.now()
        due = {(each.place, each.sha256, step): each for each in self._watched() if (step := each.step(now)) is not None}
        new = due.keys() - self._told()
        return sum(self._is_told(due[notice], notice[2], now) for notice in sorted(new))

    def _told(self) -> set[tuple[str, str, int]]:
        with for_reading(self._engine).connect() as connection:
            rows = connection.execute(select(expiry_notices.c.place, expiry_notices.c.sha256, expiry_notices.c.days))
            return {(row.place, row.sha256, row.days) for row in rows}

    def _is_told(self, watched: Watched, step: int, now: datetime) -> bool:
        with changing(self._engine) as connection:  # one at a time: what another process has told by now is seen
            if _is_there(connection, watched, step):
                return False
            row = {"place": watched.place, "sha256": watched.sha256, "days": step, "at": now.timestamp()}
            connection.execute(insert(expiry_notices).values(**row))
            append_record(connection, _entry(watched, now), now)
        days = round(watched.days_left(now), 1)
        get_logger().warning(
            "certificate.expired" if days <= 0 else "certificate.expiring",
            place=watched.place,
            subject=watched.certificate.subject.rfc4514_string(),
            sha256=watched.sha256,
            not_after=watched.not_after.isoformat(),
            days_left=days,
        )
        return True

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                self.tell_due()
            except Exception as error:  # noqa: BLE001 - the next turn tries again; a dead watch would never
                get_logger().error("certificate.watch_failed", error=repr(error))
            pause.wait(_LOOK_SECONDS)


def _is_there(connection: Connection, watched: Watched, step: int) -> bool:
    same = (expiry_notices.c.place == watched.place) & (expiry_notices.c.sha256 == watched.sha256)
    return connection.execute(select(expiry_notices).where(same, expiry_notices.c.days == step)).first() is not None


def _entry(watched: Watched, now: datetime) -> Entry:
    kind, _, name = watched.place.partition("/")
    left = watched.days_left(now)
    facts = {
        "sha256": watched.sha256,
        "subject": watched.certificate.subject.rfc4514_string(),
        "not_after": watched.not_after.isoformat(),
        "days_left": round(left, 1),
    }
    return Entry(
        action="expired" if left <= 0 else "expiring",
        object_kind=kind,
        object_name=name,
        difference=[{"field": field, "after": value} for field, value in facts.items()],
    )
