"""Watched authorisations run out by themselves: a task at the moment they do, besides what every reading finds out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.model import Authorisation
    from bank_backend.database import Connection
    from psd2.ids import TenantId


class Standing(Protocol):
    """The part of `Authorisations` that this needs."""

    def found(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return the authorisation as it was left, or None."""

    def locked(self, connection: Connection, authorisation_id: str) -> Authorisation:
        """Return it, it and its resource locked for a decision."""

    def save(self, connection: Connection, authorisation: Authorisation) -> Authorisation:
        """Write the new state."""


class AuthorisationExpiry:
    """Ends what its PSU did not finish in time; `run` is the schedule's task, planned where a watch is."""

    def __init__(self, authorisations: Standing) -> None:
        """End `authorisations`."""
        self._authorisations = authorisations

    def run(self, connection: Connection, tenant: TenantId, resource: str, due: datetime) -> None:
        """End it if it is over by now; one that has ended, or has been given more time, is left as it is."""
        found = self._authorisations.found(connection, resource)
        if found is None or found.tenant != tenant:
            return
        known = self._authorisations.locked(connection, resource)
        settled = known.settled(due)
        if settled.status is not known.status:
            self._authorisations.save(connection, settled)
