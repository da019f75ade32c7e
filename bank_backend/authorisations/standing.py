"""Finding the authorisation that a request is about, in a state in which it can be furthered (BG IG 1.3.8 §7.2, §14.15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.links import next_steps
from bank_backend.authorisations.model import ScaStatus
from bank_backend.errors import ScaInvalid, StatusInvalid

if TYPE_CHECKING:
    from collections.abc import Collection

    from bank_backend.authorisations.model import Authorisation, ResourceKind
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.database import Connection, Database
    from bank_backend.tenants.clock import TenantClock
    from psd2.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One authorisation of one resource, as its address names them."""

    tenant: TenantId
    kind: ResourceKind
    resource: str
    authorisation: str


class Standing:
    """Where authorisations stand; another TPP's are as unknown as those never started."""

    def __init__(self, *, database: Database, authorisations: Authorisations, clock: TenantClock) -> None:
        """Look into `authorisations`."""
        self._database = database
        self._authorisations = authorisations
        self._clock = clock

    def found(self, target: Target, connection: Connection) -> Authorisation:
        """Return the authorisation as it stands now; raises `PathResourceUnknown`."""
        return self._authorisations.one(
            connection,
            tenant=target.tenant,
            kind=target.kind,
            resource=target.resource,
            authorisation_id=target.authorisation,
            now=self._clock.now(target.tenant, connection),
        )

    def seen(self, target: Target, waiting: Collection[ScaStatus], *, path: str) -> Authorisation:
        """Return the authorisation if it is in one of the states; raises `ScaInvalid`, `StatusInvalid`."""
        with self._database.reading() as connection:
            return _require(self.found(target, connection), waiting, path)

    def locked(self, connection: Connection, target: Target, waiting: Collection[ScaStatus], *, path: str) -> Authorisation:
        """Return the same, locked with its resource until the transaction ends."""
        self.found(target, connection)
        now = self._clock.now(target.tenant, connection)
        return _require(self._authorisations.locked(connection, target.authorisation).settled(now), waiting, path)


def _require(authorisation: Authorisation, waiting: Collection[ScaStatus], path: str) -> Authorisation:
    if authorisation.status in waiting:
        return authorisation
    if authorisation.status is ScaStatus.FAILED:
        # BG IG §14.11.1: the code for anything sent to what has failed.
        raise ScaInvalid("this authorisation has failed: start another one", path=path)
    if not authorisation.is_open:
        raise StatusInvalid(f"this authorisation is {authorisation.status}: nothing is taken for it any more", path=path)
    wanted = " or ".join(next_steps(authorisation)) or "the PSU's answer to the bank"
    raise StatusInvalid(f"{path} is out of turn: the authorisation is {authorisation.status} and waits for {wanted}", path=path)
