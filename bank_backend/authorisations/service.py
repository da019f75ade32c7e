"""Starting authorisations and following them through SCA (BG IG 1.3.8 §7.1, §7.4, §7.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import WAIT_FOR_PSU, Authorisation, ScaStatus
from bank_backend.errors import PathResourceUnknown, StatusInvalid
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

# A resource that has been started this often is being hammered, not authorised.
MOST_AUTHORISATIONS = 20
# What lies between a state and the end, for an approval without password and code.
_REMAINING = {
    ScaStatus.RECEIVED: (ScaStatus.PSU_AUTHENTICATED, ScaStatus.STARTED),
    ScaStatus.PSU_AUTHENTICATED: (ScaStatus.STARTED,),
}


class AuthorisationStore(Protocol):
    """Where authorisations are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write a new authorisation."""

    def save(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write the authorisation's new state over its old one."""

    def of_resource(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Authorisation]:
        """Return all authorisations of a resource, oldest first."""

    def by_id(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, or None."""


class Authorisations:
    """The authorisations of every resource; at most one of a resource is open at a time."""

    def __init__(self, store: AuthorisationStore) -> None:
        """Keep them in `store`."""
        self._store = store

    def start(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, now: datetime
    ) -> Authorisation:
        """Start an authorisation; one that was open fails, so that two browsers never decide one resource."""
        started = self._store.of_resource(connection, tenant, kind, resource)
        if len(started) >= MOST_AUTHORISATIONS:
            raise StatusInvalid(f"this resource was started {MOST_AUTHORISATIONS} times without being approved: make a new one")
        for earlier in started:
            if earlier.is_open:
                self._store.save(connection, earlier.moved(ScaStatus.FAILED))
        authorisation = Authorisation(
            id=new_uuid(),
            tenant=tenant,
            kind=kind,
            resource=resource,
            status=ScaStatus.RECEIVED,
            psu=None,
            headless=False,
            started_at=now,
            expires_at=now + WAIT_FOR_PSU,
        )
        self._store.add(connection, authorisation)
        return authorisation

    def of_resource(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, now: datetime
    ) -> list[Authorisation]:
        """Return a resource's authorisations as they stand now, oldest first."""
        return [each.settled(now) for each in self._store.of_resource(connection, tenant, kind, resource)]

    def one(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        kind: ResourceKind,
        resource: str,
        authorisation_id: str,
        now: datetime,
    ) -> Authorisation:
        """Return one authorisation of a resource as it stands now; raises `PathResourceUnknown`."""
        found = self.of_resource(connection, tenant=tenant, kind=kind, resource=resource, now=now)
        for authorisation in found:
            if authorisation.id == authorisation_id:
                return authorisation
        raise PathResourceUnknown(f"this resource has no authorisation {authorisation_id[:40]!r}: list its authorisations")

    def begin_visit(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        kind: ResourceKind,
        resource: str,
        now: datetime,
        until: datetime,
    ) -> Authorisation:
        """Return the authorisation that a PSU's visit to the bank works on: the one waiting, or a new one."""
        for authorisation in self.of_resource(connection, tenant=tenant, kind=kind, resource=resource, now=now):
            if authorisation.status is ScaStatus.RECEIVED:
                return self._saved(connection, replace(authorisation, expires_at=until))
        started = self.start(connection, tenant=tenant, kind=kind, resource=resource, now=now)
        return self._saved(connection, replace(started, expires_at=until))

    def move(self, connection: Connection, authorisation_id: str, to: ScaStatus, *, psu: PsuId | None = None) -> None:
        """Take the authorisation one step on; raises `IllegalMove`."""
        moved = self._require(connection, authorisation_id).moved(to)
        self._saved(connection, replace(moved, psu=psu or moved.psu))

    def finalise(self, connection: Connection, authorisation_id: str, *, psu: PsuId, headless: bool) -> None:
        """Finish a started authorisation; a headless one passes the steps it skipped. Raises `IllegalMove`."""
        authorisation = self._require(connection, authorisation_id)
        steps = _REMAINING.get(authorisation.status, ()) if headless else ()
        for step in (*steps, ScaStatus.FINALISED):
            authorisation = authorisation.moved(step)
        self._saved(connection, replace(authorisation, psu=psu, headless=headless))

    def _require(self, connection: Connection, authorisation_id: str) -> Authorisation:
        authorisation = self._store.by_id(connection, authorisation_id)
        if authorisation is None:
            raise PathResourceUnknown(f"there is no authorisation {authorisation_id}")
        return authorisation

    def _saved(self, connection: Connection, authorisation: Authorisation) -> Authorisation:
        self._store.save(connection, authorisation)
        return authorisation
