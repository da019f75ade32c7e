"""What the bank's web modules are given: every service, built once by `bank_backend.bootstrap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bank_backend.foundation import Foundation

if TYPE_CHECKING:
    from bank_backend.accounts.cards import CardSettlements
    from bank_backend.accounts.wiring import AccountServices
    from bank_backend.authorisations.wiring import Authorising
    from bank_backend.backchannel.service import Backchannel
    from bank_backend.bankapp.wiring import BankApp
    from bank_backend.baskets.service import Baskets
    from bank_backend.consents.service import Consents
    from bank_backend.data.wiring import TestData
    from bank_backend.funds.service import FundsConfirmations, FundsConsents
    from bank_backend.grants.granting import Granting
    from bank_backend.grants.wiring import Grants
    from bank_backend.interactions.addressed import AddressedDecisions
    from bank_backend.interactions.service import Interactions
    from bank_backend.interactions.visits import Visits
    from bank_backend.notifications.service import Notifications
    from bank_backend.payments.service import Payments
    from bank_backend.sca.enrolment import Enrolment
    from bank_backend.sca.service import ScaMethods
    from bank_backend.schedule.scheduler import Scheduler
    from bank_backend.tenants.books import TenantBooks
    from bank_backend.tenants.service import TenantRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Foundation):
    """The bank: what stands on its foundation. A domain that joins adds its service here and builds it in `bootstrap`."""

    sca: ScaMethods
    enrolment: Enrolment
    account_data: AccountServices
    cards: CardSettlements
    scheduler: Scheduler
    tenants: TenantRegistry
    books: TenantBooks
    notifications: Notifications
    authorising: Authorising
    baskets: Baskets
    consents: Consents
    payments: Payments
    funds_consents: FundsConsents
    funds_confirmations: FundsConfirmations
    test_data: TestData
    grants: Grants
    granting: Granting
    backchannel: Backchannel
    interactions: Interactions
    addressed_decisions: AddressedDecisions
    visits: Visits
    bank_app: BankApp
