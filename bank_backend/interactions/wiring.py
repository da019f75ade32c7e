"""Builds the two ways to a PSU's decision on a visit, headless and by browser, on one `Decisions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.authorisations.holders import SqlHolderStore
from bank_backend.interactions.addressed import AddressedDecisions
from bank_backend.interactions.decisions import Decisions
from bank_backend.interactions.service import Interactions
from bank_backend.interactions.store import SqlInteractionStore
from bank_backend.interactions.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.authorisations.wiring import Authorising
    from bank_backend.foundation import Foundation
    from bank_backend.sca.service import ScaMethods
    from bank_backend.tenants.service import TenantRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionParts:
    """Visits and what decides them."""

    decisions: Decisions
    interactions: Interactions
    addressed: AddressedDecisions
    visits: Visits


def create_interactions(
    base: Foundation,
    approvables: Mapping[ResourceKind, Approvable],
    *,
    authorising: Authorising,
    sca: ScaMethods,
    tenants: TenantRegistry,
) -> InteractionParts:
    """Build them; `approvables` are decided on."""
    store = SqlInteractionStore()
    decisions = Decisions(store=store, signing=authorising.signing, approvables=approvables, clock=base.clock)
    interactions = Interactions(
        database=base.database,
        store=store,
        decisions=decisions,
        authorisations=authorising.authorisations,
        signing=authorising.signing,
        customers=base.psus,
        holdings=base.accounts,
        clock=base.clock,
        front_url=base.settings.front_url,
    )
    visits = Visits(
        database=base.database,
        store=store,
        decisions=decisions,
        authorisations=authorising.authorisations,
        customers=base.psus,
        holdings=base.accounts,
        sca=sca,
        tpps=tenants,
        clock=base.clock,
    )
    return InteractionParts(
        decisions=decisions, interactions=interactions, addressed=_addressed(base, authorising, interactions), visits=visits
    )


def _addressed(base: Foundation, authorising: Authorising, interactions: Interactions) -> AddressedDecisions:
    return AddressedDecisions(
        database=base.database,
        interactions=interactions,
        authorisations=authorising.authorisations,
        signing=authorising.signing,
        holders=SqlHolderStore(),
        customers=base.psus,
        clock=base.clock,
    )
