"""Builds what authorises: which resources, by which approach, signed by whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.confirmations import Confirmations
from bank_backend.authorisations.decoupled import Decoupled
from bank_backend.authorisations.embedded import Embedded
from bank_backend.authorisations.holders import SqlHolderStore
from bank_backend.authorisations.opening_store import SqlOpeningStore
from bank_backend.authorisations.openings import Openings
from bank_backend.authorisations.service import Authorisations
from bank_backend.authorisations.signing import Signing
from bank_backend.authorisations.standing import Standing
from bank_backend.authorisations.updates import Updates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.accounts.service import AccountDirectory
    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.authorisations.service import AuthorisationStore, RequireFree
    from bank_backend.authorisations.signing import PersonalityOf
    from bank_backend.database import Database
    from bank_backend.psus.service import PsuDirectory
    from bank_backend.sca.service import ScaMethods
    from bank_backend.tenants.clock import TenantClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorising:
    """Everything that begins, furthers and ends authorisations."""

    signing: Signing
    openings: Openings
    updates: Updates


def create_authorisations(store: AuthorisationStore, *, require_free: RequireFree) -> Authorisations:
    """Build the aggregate of authorisation sub-resources; `require_free` is asked before one is started."""
    return Authorisations(store, require_free=require_free)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What authorising stands on."""

    database: Database
    authorisations: Authorisations
    psus: PsuDirectory
    accounts: AccountDirectory
    sca: ScaMethods
    personalities: PersonalityOf
    clock: TenantClock


def create_authorising(
    database: Database,
    approvables: Mapping[ResourceKind, Approvable],
    *,
    authorisations: Authorisations,
    psus: PsuDirectory,
    accounts: AccountDirectory,
    sca: ScaMethods,
    personalities: PersonalityOf,
    clock: TenantClock,
) -> Authorising:
    """Build it on one database; `approvables` are decided on."""
    parts = _Parts(
        database=database,
        authorisations=authorisations,
        psus=psus,
        accounts=accounts,
        sca=sca,
        personalities=personalities,
        clock=clock,
    )
    decoupled = Decoupled(sca=sca, authorisations=authorisations, holders=SqlHolderStore(), clock=clock)
    signing = Signing(
        authorisations=authorisations,
        approvables=approvables,
        holders=SqlHolderStore(),
        announcer=decoupled,
        personalities=personalities,
        clock=clock,
    )
    openings = Openings(
        database=database,
        store=SqlOpeningStore(),
        authorisations=authorisations,
        signing=signing,
        announcer=decoupled,
        psus=psus,
        personalities=personalities,
        clock=clock,
    )
    return Authorising(signing=signing, openings=openings, updates=_updates(parts, signing, decoupled))


def _updates(parts: _Parts, signing: Signing, decoupled: Decoupled) -> Updates:
    database, clock = parts.database, parts.clock
    standing = Standing(database=database, authorisations=parts.authorisations, clock=clock)
    embedded = Embedded(
        database=database,
        authorisations=parts.authorisations,
        standing=standing,
        signing=signing,
        holders=SqlHolderStore(),
        passwords=parts.psus,
        sca=parts.sca,
        personalities=parts.personalities,
        clock=clock,
    )
    confirmations = Confirmations(database=database, standing=standing, signing=signing, accounts=parts.accounts, clock=clock)
    return Updates(
        database=database,
        authorisations=parts.authorisations,
        standing=standing,
        signing=signing,
        announcer=decoupled,
        psus=parts.psus,
        embedded=embedded,
        confirmations=confirmations,
    )
