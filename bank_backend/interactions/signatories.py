"""Who still has to sign a resource, beside those who have (BG IG 1.3.8 §5.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.database import Connection
    from bank_backend.psus.model import Psu
    from psd2.ids import PsuId, TenantId


class Standing(Protocol):
    """The authorisations of a resource."""

    def of_resource(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, now: datetime
    ) -> list[Authorisation]:
        """Return a resource's authorisations as they stand now."""


class Named(Protocol):
    """The PSUs by login."""

    def psu(self, tenant: TenantId, login: str) -> Psu | None:
        """Return the PSU of this login, or None."""


@dataclass(frozen=True, slots=True)
class Signatories:
    """Looks for the ones that are missing."""

    authorisations: Standing
    customers: Named

    def missing(
        self, connection: Connection, *, tenant: TenantId, kind: ResourceKind, resource: str, but: PsuId | None, now: datetime
    ) -> list[str]:
        """Return the names of those whom the bank has asked to sign and who have not; `but` has just signed."""
        found = self.authorisations.of_resource(connection, tenant=tenant, kind=kind, resource=resource, now=now)
        waiting = [each.psu for each in found if each.is_open and each.psu is not None and each.psu != but]
        known = [self.customers.psu(tenant, login) for login in dict.fromkeys(waiting)]
        return [psu.name for psu in known if psu is not None]
