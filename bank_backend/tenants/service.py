"""Opening a tenant, seeded, and telling what is in it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Protocol

from bank_backend.errors import TenantUnknown
from bank_backend.tenants.model import Registration, Resident, Tenant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.accounts.model import Account
    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.service import Seed
    from bank_backend.psus.model import Psu
    from psd2.clock import Clock
    from psd2.ids import PsuId, TenantId


class Planner(Protocol):
    """Plans the test data of a registration."""

    def __call__(self, registration: Registration, seed: int, now: datetime, *, after: Bookmark | None = None) -> Seed:
        """Return what `seed` tells until `now`; where it can go on from `after`, only what came since."""


class TenantStore(Protocol):
    """Where tenants are kept."""

    def find(self, tenant: TenantId) -> Tenant | None:
        """Return the tenant, or None."""

    def open(self, tenant: Tenant, seed: Seed, *, at: datetime) -> bool:
        """Write tenant and seed whole; False, and nothing written, where somebody else has opened it meanwhile."""

    def amend(self, registration: Registration) -> None:
        """Take over name, roles and redirect URIs from the register."""

    def psus(self, tenant: TenantId) -> Sequence[Psu]:
        """Return the tenant's PSUs by login."""

    def accounts_by_holder(self, tenant: TenantId) -> Sequence[tuple[PsuId, Account]]:
        """Return who holds which account, in the accounts' order."""


class TenantRegistry:
    """The tenants of the bank: one for each TPP, none of which sees another."""

    def __init__(self, *, store: TenantStore, plan: Planner, clock: Clock) -> None:
        """Keep tenants in `store`, seeded by `plan` as of `clock`'s day."""
        self._store = store
        self._plan = plan
        self._clock = clock

    def register(self, registration: Registration) -> tuple[Tenant, bool]:
        """Open the tenant, or amend a known one's name, roles and redirect URIs; tells whether it is new.

        Country and seed of a known tenant stay: its accounts exist. Raises `UnsupportedCountry` for a new one.
        """
        known = self._store.find(registration.tenant)
        if known is None:
            known = self._open(registration)
            if known is not None:
                return known, True
        self._store.amend(registration)
        return self.tenant(registration.tenant), False

    def tenant(self, tenant: TenantId) -> Tenant:
        """Return a tenant; raises `TenantUnknown`."""
        found = self._store.find(tenant)
        if found is None:
            raise TenantUnknown(f"no tenant {tenant[:80]!r} is registered: register the TPP first")
        return found

    def redirect_uris(self, tenant: TenantId) -> tuple[str, ...]:
        """Return where the TPP has registered that it takes PSUs back; raises `TenantUnknown`."""
        return self.tenant(tenant).redirect_uris

    def residents(self, tenant: TenantId) -> list[Resident]:
        """Return the tenant's personas with their accounts."""
        held = self._store.accounts_by_holder(tenant)
        return [Resident(psu, [account for holder, account in held if holder == psu.id]) for psu in self._store.psus(tenant)]

    def _open(self, registration: Registration) -> Tenant | None:
        now = self._clock.now()
        number = _default_seed(registration.tenant) if registration.seed is None else registration.seed
        # Planned before the write transaction begins: thinking up a year takes longer than writing it.
        seed = self._plan(registration, number, now)
        tenant = Tenant(
            id=registration.tenant,
            name=registration.name,
            country=registration.country,
            roles=registration.roles,
            seed=number,
            persona_password=seed.password,
            redirect_uris=registration.redirect_uris,
        )
        return tenant if self._store.open(tenant, seed, at=now) else None


def _default_seed(tenant: TenantId) -> int:
    return zlib.crc32(tenant.encode())
