"""Builds the bank app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.bankapp.requests import AppRequests
from bank_backend.bankapp.sessions import AppSessions
from bank_backend.bankapp.store import SqlAppStore
from bank_backend.interactions.signatories import Signatories
from bank_backend.interactions.store import SqlInteractionStore

if TYPE_CHECKING:
    from bank_backend.authorisations.wiring import Authorising
    from bank_backend.foundation import Foundation
    from bank_backend.interactions.decisions import Decisions
    from bank_backend.sca.service import ScaMethods
    from bank_backend.tenants.service import TenantRegistry


@dataclass(frozen=True, slots=True)
class BankApp:
    """Who has signed in, and what waits for it."""

    sessions: AppSessions
    requests: AppRequests


def create_bank_app(
    base: Foundation, *, tenants: TenantRegistry, authorising: Authorising, decisions: Decisions, sca: ScaMethods
) -> BankApp:
    """Build it."""
    return BankApp(
        AppSessions(store=SqlAppStore(base.database), customers=base.psus, banks=tenants, clock=base.real),
        AppRequests(
            database=base.database,
            authorisations=authorising.authorisations,
            signing=authorising.signing,
            decisions=decisions,
            visits=SqlInteractionStore(),
            holdings=base.accounts,
            signatories=Signatories(authorising.authorisations, base.psus),
            sca=sca,
            clock=base.clock,
        ),
    )
