"""Starting authorisations and following them through SCA (BG IG 1.3.8 §7.1, §7.4, §7.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import SCA_STATES, WAIT_FOR_PSU, Authorisation, ScaStatus
from bank_backend.errors import PathResourceUnknown, ResourceBlocked, StatusInvalid
from bank_backend.personalities.model import ScaApproach
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

    # Raises where a resource can't be authorised on its own, because a signing basket holds it.
    RequireFree = Callable[[Connection, TenantId, str], None]

# A resource that has been started this often is being hammered, not authorised.
MOST_AUTHORISATIONS = 20
# What lies between a state and the end, for approvals that come in one step: headless, or in the bank app.
_REMAINING = {
    ScaStatus.RECEIVED: (ScaStatus.PSU_AUTHENTICATED, ScaStatus.STARTED),
    ScaStatus.PSU_IDENTIFIED: (ScaStatus.PSU_AUTHENTICATED, ScaStatus.STARTED),
    ScaStatus.PSU_AUTHENTICATED: (ScaStatus.STARTED,),
    ScaStatus.SCA_METHOD_SELECTED: (ScaStatus.STARTED,),
}


class AuthorisationStore(Protocol):
    """Where authorisations are kept; each call works inside the caller's transaction."""

    def lock(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Let the transactions that decide on one resource go one after the other; before any row is locked."""

    def lock_resource_of(self, connection: Connection, authorisation_id: str) -> None:
        """Do the same for the resource of an authorisation, if there is one."""

    def add(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write a new authorisation."""

    def save(self, connection: Connection, authorisation: Authorisation) -> None:
        """Write the authorisation's new state over its old one."""

    def of_resource(self, connection: Connection, tenant: TenantId, kind: ResourceKind, resource: str) -> list[Authorisation]:
        """Return all authorisations of a resource, oldest first."""

    def open_of_psu(
        self, connection: Connection, tenant: TenantId, psu: PsuId, *, now: datetime, most: int | None
    ) -> list[Authorisation]:
        """Return what waits for a PSU in its bank app now, oldest first, and no more than `most` (None: all)."""

    def by_id(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, or None."""

    def by_id_locked(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return one authorisation, locked until the transaction ends, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How an authorisation begins. `is_shared`: several PSUs may be at it at the same time, each in its own.

    `until`: when it ends unless the PSU decides; None: after the usual time.
    """

    approach: ScaApproach = ScaApproach.OAUTH
    psu: PsuId | None = None
    return_url: str | None = None
    nok_return_url: str | None = None
    is_shared: bool = False
    until: datetime | None = None


class Authorisations:
    """The authorisations of every resource: of one PSU, at most one of a resource is open at a time."""

    def __init__(self, store: AuthorisationStore, *, require_free: RequireFree | None = None) -> None:
        """Keep them in `store`; `require_free` is asked before one is started."""
        self._store = store
        self._require_free = require_free

    def start(
        self,
        connection: Connection,
        *,
        tenant: TenantId,
        kind: ResourceKind,
        resource: str,
        now: datetime,
        how: Start | None = None,
    ) -> Authorisation:
        """Start an authorisation; an open one that could be the same PSU's fails, so that nobody decides in two places.

        Raises `StatusInvalid`, and `ResourceBlocked` where a signing basket holds the resource.
        """
        how = how or Start()
        self._store.lock(connection, tenant, kind, resource)
        standing = self._store.of_resource(connection, tenant, kind, resource)
        return self._started(connection, standing, _begun(tenant, kind, resource, how, now), how)

    def start_first(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, now: datetime, how: Start
    ) -> Authorisation:
        """Start the authorisation of what this transaction has made: nothing else can stand at it, or hold it."""
        new = _begun(tenant, kind, resource, how, now)
        self._store.add(connection, new)
        return new

    def _started(
        self, connection: Connection, standing: Sequence[Authorisation], new: Authorisation, how: Start
    ) -> Authorisation:
        if self._require_free is not None:
            self._require_free(connection, new.tenant, new.resource)
        if len(standing) >= MOST_AUTHORISATIONS:
            raise StatusInvalid(f"this resource was started {MOST_AUTHORISATIONS} times without being approved: make a new one")
        for earlier in standing:
            if earlier.is_open and _gives_way(earlier, how):
                self._store.save(connection, earlier.moved(ScaStatus.FAILED))
        self._store.add(connection, new)
        return new

    def of_resource(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, now: datetime
    ) -> list[Authorisation]:
        """Return a resource's authorisations as they stand now, oldest first."""
        return [each.settled(now) for each in self._store.of_resource(connection, tenant, kind, resource)]

    def open_of_psu(
        self, connection: Connection, *, tenant: TenantId, psu: PsuId, now: datetime, most: int | None = None
    ) -> list[Authorisation]:
        """Return what waits for a PSU in its bank app now, oldest first, and no more than `most` (None: all)."""
        return self._store.open_of_psu(connection, tenant, psu, now=now, most=most)

    def found(self, connection: Connection, authorisation_id: str) -> Authorisation | None:
        """Return the authorisation as it was left, or None."""
        return self._store.by_id(connection, authorisation_id)

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
        is_shared: bool = False,
    ) -> Authorisation:
        """Return the authorisation that a PSU's visit by OAuth works on: the one waiting, or a new one."""
        self._store.lock(connection, tenant, kind, resource)
        standing = self._store.of_resource(connection, tenant, kind, resource)
        for authorisation in (each.settled(now) for each in standing):
            if authorisation.status is ScaStatus.RECEIVED and authorisation.approach is ScaApproach.OAUTH:
                return self.save(connection, replace(authorisation, expires_at=until))
        how = Start(is_shared=is_shared, until=until)
        return self._started(connection, standing, _begun(tenant, kind, resource, how, now), how)

    def move(self, connection: Connection, authorisation_id: str, to: ScaStatus, *, psu: PsuId | None = None) -> None:
        """Take the authorisation one step on; one that turns out to be a PSU's ends its others. Raises `IllegalMove`."""
        if psu is None:
            self.save(connection, self._require(connection, authorisation_id).moved(to))
            return
        known = self.locked(connection, authorisation_id)
        self._end_others_of(connection, known, psu)
        self.save(connection, replace(known.moved(to), psu=psu))

    def locked(self, connection: Connection, authorisation_id: str) -> Authorisation:
        """Return the authorisation, it and its resource locked for a decision; raises `PathResourceUnknown`."""
        self._store.lock_resource_of(connection, authorisation_id)
        return self._require(connection, authorisation_id)

    def lock(self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Let nobody else decide on a resource until the transaction ends."""
        self._store.lock(connection, tenant, kind, resource)

    def finish(self, authorisation: Authorisation, *, psu: PsuId, headless: bool, to: ScaStatus) -> Authorisation:
        """Return a started authorisation at its end; where it ends in one step, past the steps it skipped.

        Raises `IllegalMove`.
        """
        skips = headless or authorisation.approach in {ScaApproach.DECOUPLED, ScaApproach.EMBEDDED}
        status = authorisation.status
        for step in (*(_REMAINING.get(status, ()) if skips else ()), to):
            SCA_STATES.require_move(status, to=step)
            status = step
        return replace(authorisation, status=status, psu=psu, headless=headless)

    def others(self, connection: Connection, authorisation: Authorisation) -> list[Authorisation]:
        """Return the other authorisations of the same resource as they were left, oldest first."""
        found = self._store.of_resource(connection, authorisation.tenant, authorisation.kind, authorisation.resource)
        return [each for each in found if each.id != authorisation.id]

    def end_open(self, connection: Connection, others: Iterable[Authorisation]) -> None:
        """Fail the others of a resource that are open: it has been decided without them."""
        for other in others:
            if other.is_open:
                self._store.save(connection, other.moved(ScaStatus.FAILED))

    def end_open_of(self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str) -> None:
        """Fail every open authorisation of a resource that is to be decided elsewhere."""
        self._store.lock(connection, tenant, kind, resource)
        self.end_open(connection, self._store.of_resource(connection, tenant, kind, resource))

    def save(self, connection: Connection, authorisation: Authorisation) -> Authorisation:
        """Write the new state and return it."""
        self._store.save(connection, authorisation)
        return authorisation

    def _end_others_of(self, connection: Connection, authorisation: Authorisation, psu: PsuId) -> None:
        self.end_open(connection, (each for each in self.others(connection, authorisation) if each.psu == psu))

    def _require(self, connection: Connection, authorisation_id: str) -> Authorisation:
        authorisation = self._store.by_id_locked(connection, authorisation_id)
        if authorisation is None:
            raise PathResourceUnknown(f"there is no authorisation {authorisation_id}")
        return authorisation


def refuse_grouped(basket: str) -> ResourceBlocked:
    """Return the refusal of a resource that a signing basket holds (BG IG §14.11.1)."""
    return ResourceBlocked(f"this resource is in the signing basket {basket}: authorise the basket, or delete it first")


def _gives_way(earlier: Authorisation, how: Start) -> bool:
    """Whether an open authorisation ends because another starts: it is the same PSU's, or may be."""
    if earlier.psu is not None and how.psu is not None:
        return earlier.psu == how.psu
    return not how.is_shared


def _begun(tenant: TenantId, kind: ResourceKind, resource: str, how: Start, now: datetime) -> Authorisation:
    return Authorisation(
        id=new_uuid(),
        tenant=tenant,
        kind=kind,
        resource=resource,
        status=ScaStatus.RECEIVED if how.psu is None else ScaStatus.PSU_IDENTIFIED,
        psu=how.psu,
        headless=False,
        started_at=now,
        expires_at=how.until or now + WAIT_FOR_PSU,
        approach=how.approach,
        return_url=how.return_url,
        nok_return_url=how.nok_return_url,
    )
