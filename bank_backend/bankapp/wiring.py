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
    from bank_backend.accounts.service import AccountDirectory
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Signing
    from bank_backend.database import Database
    from bank_backend.interactions.decisions import Decisions
    from bank_backend.psus.service import PsuDirectory
    from bank_backend.sca.service import ScaMethods
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.service import TenantRegistry
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True)
class BankApp:
    """Who has signed in, and what waits for it."""

    sessions: AppSessions
    requests: AppRequests


def create_bank_app(
    database: Database,
    *,
    psus: PsuDirectory,
    accounts: AccountDirectory,
    tenants: TenantRegistry,
    authorisations: Authorisations,
    signing: Signing,
    decisions: Decisions,
    sca: ScaMethods,
    clock: TenantClock,
    real: Clock,
) -> BankApp:
    """Build it; `real` is the time that browsers go by."""
    return BankApp(
        AppSessions(store=SqlAppStore(database), customers=psus, banks=tenants, clock=real),
        AppRequests(
            database=database,
            authorisations=authorisations,
            signing=signing,
            decisions=decisions,
            visits=SqlInteractionStore(),
            holdings=accounts,
            signatories=Signatories(authorisations, psus),
            sca=sca,
            clock=clock,
        ),
    )
