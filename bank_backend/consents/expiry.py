"""Consents end by themselves: a task at the moment they turn, besides what every reading finds out (BG IG 1.3.8 §14.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bank_backend.schedule.model import TaskKind

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.consents.model import Consent
    from bank_backend.consents.service import ConsentStore
    from bank_backend.database import Connection
    from psd2.ids import TenantId


class Reminders(Protocol):
    """The part of the schedule that consents need."""

    def add(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str, due: datetime) -> None:
        """Have a task done at `due` of the tenant's time; the same one twice is one."""

    def cancel(self, connection: Connection, *, tenant: TenantId, kind: TaskKind, resource: str) -> None:
        """Have it not done, at none of its moments."""


class ConsentExpiry:
    """Ends consents when their time has come; `run` is the schedule's task."""

    def __init__(self, store: ConsentStore, *, schedule: Reminders) -> None:
        """End the consents in `store`, reminded by `schedule`."""
        self._store = store
        self._schedule = schedule

    def plan(self, connection: Connection, consent: Consent) -> None:
        """Have the consent looked at when it turns."""
        due = consent.turns_at
        self._schedule.add(connection, tenant=consent.tenant, kind=TaskKind.EXPIRE_CONSENT, resource=consent.id, due=due)

    def plan_anew(self, connection: Connection, consent: Consent) -> None:
        """Have the consent, which is locked, looked at when it turns now, and no longer when it would have turned."""
        self._schedule.cancel(connection, tenant=consent.tenant, kind=TaskKind.EXPIRE_CONSENT, resource=consent.id)
        self.plan(connection, consent)

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """End the consent if it is over by now; one that has ended, or turns later, is left as it is."""
        consent = self._store.find_locked(connection, tenant, resource)
        if consent is None:
            return
        settled = consent.settled(due)
        if settled.status is not consent.status:
            self._store.save(connection, settled)
