"""Builds the registry of tenants, which seeds each with personas, their clocks, and what their owners are shown."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from bank_backend.ledger.own_accounts import own_account_id
from bank_backend.personas.catalogue import PERSONAS
from bank_backend.personas.service import plan_seed
from bank_backend.psus.passwords import hash_password
from bank_backend.tenants.books import TenantBooks
from bank_backend.tenants.clock import TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from bank_backend.tenants.service import TenantRegistry
from bank_backend.tenants.store import SqlTenantStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.database import Database
    from bank_backend.foundation import Foundation
    from bank_backend.personas.bookmark import Bookmark
    from bank_backend.personas.model import Persona
    from bank_backend.personas.service import Seed
    from bank_backend.tenants.model import Registration
    from bank_backend.tenants.service import Planner
    from psd2.clock import Clock

_SALT_BYTES: Final = 16


def create_planner(personas: Sequence[Persona] = PERSONAS) -> Planner:
    """Return who plans a tenant's test data: of all personas, or of some."""

    def plan(registration: Registration, seed: int, now: datetime, *, after: Bookmark | None = None) -> Seed:
        return plan_seed(
            registration.tenant,
            country=registration.country,
            seed=seed,
            now=now,
            settlement=own_account_id,
            personas=personas,
            after=after,
        )

    return plan


def create_tenant_registry(database: Database, clock: Clock, planner: Planner) -> TenantRegistry:
    """Return the registry of tenants."""
    store = SqlTenantStore(database, hash_password=hashed)
    return TenantRegistry(store=store, plan=planner, clock=clock)


def create_tenant_clocks(database: Database, clock: Clock) -> TenantClocks:
    """Return the clocks of the tenants, each ahead of `clock` by what its TPP has put it forward."""
    return TenantClocks(real=clock, offsets=SqlOffsets(database))


def create_tenant_books(base: Foundation, tenants: TenantRegistry) -> TenantBooks:
    """Return what a tenant's owner is shown of its accounts."""
    return TenantBooks(
        tenants=tenants,
        accounts=base.accounts,
        ledger=base.ledger,
        statements=base.statements,
        database=base.database,
        clock=base.clock,
    )


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    return hash_password(password, salt=secrets.token_bytes(_SALT_BYTES))
