"""What the domains of the bank are built on: made first by `bank_backend.bootstrap`, given to each `wiring`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bank_backend.accounts.service import AccountDirectory
    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from bank_backend.inbox.service import Inbox
    from bank_backend.ledger.service import Ledger
    from bank_backend.ledger.statements import Statements
    from bank_backend.notifications.service import Changes
    from bank_backend.personalities.service import Personalities
    from bank_backend.psus.service import PsuDirectory
    from bank_backend.schedule.service import Schedule
    from bank_backend.tenants.clock import TenantClocks
    from chassis.serving.turnstile import Turnstile
    from psd2.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """Nothing here knows a consent or a payment; services are told one by one which of these they have.

    `clock` is what each tenant's bank judges by; `real` is for browsers, authenticators and retries. `heavy_work` lets in a few
    at a time of those requests that keep a processor busy for seconds.
    """

    settings: BankSettings
    database: Database
    clock: TenantClocks
    real: Clock
    personalities: Personalities
    psus: PsuDirectory
    accounts: AccountDirectory
    ledger: Ledger
    statements: Statements
    schedule: Schedule
    inbox: Inbox
    changes: Changes
    heavy_work: Turnstile
