"""Builds what authorises: which resources, by which approach, signed by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.authorisations.holders import SqlHolderStore
from bank_backend.authorisations.opening_store import SqlOpeningStore
from bank_backend.authorisations.openings import Openings
from bank_backend.authorisations.service import Authorisations
from bank_backend.authorisations.signing import Signing
from bank_backend.authorisations.store import SqlAuthorisationStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.authorisations.signing import PersonalityOf, Tpps
    from bank_backend.database import Database
    from bank_backend.psus.service import PsuDirectory
    from bank_backend.tenants.clock import TenantClock


def create_authorisations() -> Authorisations:
    """Build the aggregate of authorisation sub-resources."""
    return Authorisations(SqlAuthorisationStore())


def create_signing(
    approvables: Mapping[ResourceKind, Approvable],
    *,
    authorisations: Authorisations,
    tenants: Tpps,
    personalities: PersonalityOf,
    clock: TenantClock,
) -> Signing:
    """Build what decides."""
    return Signing(
        authorisations=authorisations,
        approvables=approvables,
        holders=SqlHolderStore(),
        tpps=tenants,
        personalities=personalities,
        clock=clock,
    )


def create_openings(
    database: Database,
    *,
    authorisations: Authorisations,
    signing: Signing,
    psus: PsuDirectory,
    personalities: PersonalityOf,
    clock: TenantClock,
) -> Openings:
    """Build what starts authorisations."""
    return Openings(
        database=database,
        store=SqlOpeningStore(),
        authorisations=authorisations,
        signing=signing,
        psus=psus,
        personalities=personalities,
        clock=clock,
    )
