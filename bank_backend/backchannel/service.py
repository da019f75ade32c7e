"""Asks a PSU in its bank app, and tells what became of it: the decoupled approach, begun by the authorization server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bank_backend.authorisations.model import SIGNED, ScaStatus
from bank_backend.authorisations.service import Start
from bank_backend.errors import PsuUnknown, ResourceUnknown, ServiceNotOffered
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Announcer, Signing
    from bank_backend.database import Database
    from bank_backend.personalities.service import Personalities
    from bank_backend.psus.model import Psu
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


class AskStatus(StrEnum):
    """How far the PSU is."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRequest:
    """Whom to ask about which resource, for how long, and the words by which it recognises what it was told elsewhere."""

    tenant: TenantId
    kind: ResourceKind
    resource: str
    psu: str
    seconds: int
    binding_message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of it."""

    authorisation: Authorisation
    status: AskStatus


class Psus(Protocol):
    """The part of the PSU directory that is asked here."""

    def psu(self, tenant: TenantId, login: str) -> Psu | None:
        """Return the PSU of this login, or None."""


class Backchannel:
    """Asks PSUs."""

    def __init__(
        self,
        *,
        database: Database,
        authorisations: Authorisations,
        signing: Signing,
        announcer: Announcer,
        psus: Psus,
        personalities: Personalities,
        clock: TenantClock,
    ) -> None:
        """Push by `announcer`."""
        self._database = database
        self._authorisations = authorisations
        self._signing = signing
        self._announcer = announcer
        self._psus = psus
        self._personalities = personalities
        self._clock = clock

    def ask(self, request: AskRequest) -> Asked:
        """Ask; a PSU who can't be asked has failed, and nobody is told why.

        Raises `ServiceNotOffered`, `PsuUnknown`, `ResourceUnknown`, `StatusInvalid`.
        """
        if ScaApproach.DECOUPLED not in self._personalities.of(request.tenant).approaches:
            raise ServiceNotOffered("this bank does not offer the decoupled approach: it asks nobody in an app")
        psu = self._psus.psu(request.tenant, request.psu)
        if psu is None:
            raise PsuUnknown(f"the bank has no PSU {request.psu[:40]!r} for this TPP", path="psu")
        tenant, kind, resource = request.tenant, request.kind, request.resource
        with self._database.writing() as connection:
            now = self._clock.now(tenant, connection)
            # Raises where the resource is unknown or decided; nothing is kept then.
            is_shared = self._signing.is_shared(connection, tenant=tenant, kind=kind, resource=resource)
            how = Start(approach=ScaApproach.DECOUPLED, psu=psu.id, is_shared=is_shared)
            started = self._authorisations.start(connection, tenant=tenant, kind=kind, resource=resource, now=now, how=how)
            until = min(started.expires_at, now + timedelta(seconds=request.seconds))
            told = replace(started, expires_at=until, binding_message=request.binding_message)
            self._authorisations.save(connection, told)
            announced = self._announcer.announce(connection, told, self._signing.ask(connection, told))
        return Asked(authorisation=announced, status=_status(announced))

    def asked(self, tenant: TenantId, authorisation_id: str) -> Asked:
        """Return what became of it; raises `ResourceUnknown`, also for another tenant's."""
        with self._database.reading() as connection:
            found = self._authorisations.found(connection, authorisation_id)
            if found is None or found.tenant != tenant or found.approach is not ScaApproach.DECOUPLED:
                raise ResourceUnknown("there is no such authorisation of this TPP")
            now = self._clock.now(tenant, connection)
        is_late = found.is_open and now >= found.expires_at
        return Asked(authorisation=found, status=AskStatus.EXPIRED if is_late else _status(found))


def _status(authorisation: Authorisation) -> AskStatus:
    if authorisation.status in SIGNED:
        return AskStatus.APPROVED
    return AskStatus.REJECTED if authorisation.status is ScaStatus.FAILED else AskStatus.PENDING
