"""How what was made for a grant ends: turned down where no PSU has signed it, ended by its TPP where one has (BG IG §4.14)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from bank_backend.authorisations.model import CONFIRMATION_WINDOW, SIGNED, ResourceKind
from bank_backend.errors import ConsentUnknown, ResourceUnknown, StatusInvalid
from bank_backend.interactions.model import INTERACTION_LIFETIME
from bank_backend.schedule.model import TaskKind
from bank_backend.states import IllegalMove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.database import Connection, Database
    from bank_backend.schedule.service import Schedule
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId

# Nobody knows of it but the browser that was sent to decide: once its visit is over, with what may follow, it never comes.
UNDECIDED_FOR: Final = INTERACTION_LIFETIME + CONFIRMATION_WINDOW + timedelta(minutes=5)


class Terminates(Protocol):
    """What ends a consent at its TPP's wish."""

    def terminate(self, tenant: TenantId, consent_id: str) -> None:
        """End it; a second time changes nothing. Raises `ConsentUnknown`, `IllegalMove`."""


class Ending:
    """Ends what was made for grants; `run` is the schedule's task."""

    def __init__(
        self,
        *,
        database: Database,
        authorisations: Authorisations,
        approvables: Mapping[ResourceKind, Approvable],
        terminating: Mapping[ResourceKind, Terminates],
        schedule: Schedule,
        clock: TenantClock,
    ) -> None:
        """Turn down `approvables`; `terminating` are those that can be ended once they are valid."""
        self._database = database
        self._authorisations = authorisations
        self._approvables = approvables
        self._terminating = terminating
        self._schedule = schedule
        self._clock = clock

    def plan(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Have it turned down when nobody can be deciding on it any more."""
        due, task = self._clock.now(tenant, connection) + UNDECIDED_FOR, f"{kind.value}:{resource}"
        self._schedule.add(connection, tenant=tenant, kind=TaskKind.WITHDRAW_GRANT, resource=task, due=due)

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """Turn it down unless a PSU has signed it, or is about to."""
        kind, _, made = resource.partition(":")
        self._turn_down(connection, tenant, ResourceKind(kind), made, now=due, even_open=False)

    def end(self, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """End it now; what has ended already stays as it is, and a payment that was approved goes on."""
        with self._database.writing() as connection:
            now = self._clock.now(tenant, connection)
            if self._turn_down(connection, tenant, kind, resource, now=now, even_open=True):
                return
        if kind in self._terminating:
            with suppress(IllegalMove, ConsentUnknown):
                self._terminating[kind].terminate(tenant, resource)

    def _turn_down(
        self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str, *, now: datetime, even_open: bool
    ) -> bool:
        """Turn down what no PSU has signed; tell whether that is so."""
        # Authorisations before their resource, as whoever approves does.
        self._authorisations.lock(connection, tenant=tenant, kind=kind, resource=resource)
        standing = self._authorisations.of_resource(connection, tenant=tenant, kind=kind, resource=resource, now=now)
        if any(each.status in SIGNED or (each.is_open and not even_open) for each in standing):
            return False
        try:
            self._approvables[kind].ask(connection, tenant=tenant, resource=resource, now=now)
        except (StatusInvalid, ResourceUnknown):
            return False
        self._authorisations.end_open_of(connection, tenant=tenant, kind=kind, resource=resource)
        self._approvables[kind].reject(connection, tenant=tenant, resource=resource, now=now)
        return True
