"""Wires the bank, stores into services: a table of contents, for each domain builds itself in its own `wiring`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bank_backend.accounts.service import AccountDirectory
from bank_backend.accounts.store import SqlAccountStore
from bank_backend.accounts.wiring import create_account_services, create_card_settlements
from bank_backend.authorisations.wiring import create_authorising
from bank_backend.bankapp.wiring import create_bank_app
from bank_backend.baskets.wiring import create_basket_expiry, create_baskets, create_membership, with_baskets
from bank_backend.consents.wiring import create_consents
from bank_backend.data.wiring import create_snapshots, create_test_data
from bank_backend.foundation import Foundation
from bank_backend.funds.wiring import create_funds
from bank_backend.grants.wiring import create_grants
from bank_backend.inbox.service import Inbox
from bank_backend.inbox.store import SqlInboxStore
from bank_backend.interactions.wiring import create_interactions
from bank_backend.ledger.wiring import create_ledger
from bank_backend.notifications.wiring import create_lean_push
from bank_backend.payments.wiring import create_payments
from bank_backend.personalities.wiring import create_personalities
from bank_backend.personas.catalogue import seeded_personas
from bank_backend.psus.service import PsuDirectory
from bank_backend.psus.store import SqlPsuStore
from bank_backend.sca.wiring import create_sca
from bank_backend.schedule.model import TaskKind
from bank_backend.schedule.wiring import create_schedule, create_scheduler
from bank_backend.services import Services
from bank_backend.tenants.wiring import create_planner, create_tenant_books, create_tenant_clocks, create_tenant_registry

if TYPE_CHECKING:
    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from bank_backend.notifications.service import Changes
    from bank_backend.sca.codes import CodeSource
    from psd2.clock import Clock


def create_services(
    settings: BankSettings,
    database: Database,
    clock: Clock,
    *,
    codes: CodeSource | None = None,
) -> Services:
    """Build every service on one database and one clock; `codes` replaces the randomness of one-time codes in tests."""
    push = create_lean_push(settings, database, real=clock)
    base = _foundation(settings, database, clock, push.changes)
    planner = create_planner(seeded_personas(large_account=settings.large_account))
    snapshots = create_snapshots(base)
    tenants = create_tenant_registry(database, clock, planner, keep_aside=snapshots.keep_aside)
    # What TPPs ask for; each brings what PSUs decide on and what the schedule does for it.
    consents, funds, payments = create_consents(base), create_funds(base), create_payments(base)
    approvables = consents.approvables | funds.approvables | payments.approvables
    approvables = with_baskets(base, approvables, payments.lock_accounts)
    cards = create_card_settlements(base.accounts, base.ledger, base.schedule)
    basket_expiry = create_basket_expiry(base)
    grants = create_grants(base, approvables, consents=consents.consents, payments=payments.payments, funds=funds.consents)
    tasks = consents.tasks | funds.tasks | payments.tasks | cards.tasks | {TaskKind.EXPIRE_BASKET: basket_expiry.run}
    tasks |= {TaskKind.WITHDRAW_GRANT: grants.ending.run}
    scheduler = create_scheduler(database, clock=base.clock, real=clock, tasks=tasks)
    # Who decides on it, and where.
    sca, enrolment = create_sca(base, codes)
    membership = create_membership(base.clock)
    authorising = create_authorising(
        base, approvables, sca=sca, require_free=membership.require_free, redirect_uris=tenants.redirect_uris
    )
    deciding = create_interactions(base, approvables, authorising=authorising, sca=sca, tenants=tenants)
    decisions = deciding.decisions
    return Services(
        settings=settings,
        clock=base.clock,
        database=database,
        personalities=base.personalities,
        sca=sca,
        enrolment=enrolment,
        psus=base.psus,
        accounts=base.accounts,
        account_data=create_account_services(
            database,
            access=consents.access,
            accounts=base.accounts,
            ledger=base.ledger,
            statements=base.statements,
            standing_orders=payments.standing_orders,
        ),
        cards=cards,
        ledger=base.ledger,
        schedule=base.schedule,
        scheduler=scheduler,
        tenants=tenants,
        books=create_tenant_books(base, tenants),
        inbox=base.inbox,
        notifications=push.notifications,
        authorising=authorising,
        baskets=create_baskets(base, authorising, basket_expiry),
        consents=consents.consents,
        consent_access=consents.access,
        payments=payments.payments,
        funds_consents=funds.consents,
        funds_confirmations=funds.confirmations,
        test_data=create_test_data(base, scheduler=scheduler, tenants=tenants, planner=planner, snapshots=snapshots),
        grants=grants,
        backchannel=authorising.backchannel,
        interactions=deciding.interactions,
        addressed_decisions=deciding.addressed,
        visits=deciding.visits,
        bank_app=create_bank_app(base, tenants=tenants, authorising=authorising, decisions=decisions, sca=sca),
    )


def _foundation(settings: BankSettings, database: Database, clock: Clock, changes: Changes) -> Foundation:
    clocks = create_tenant_clocks(database, clock)
    ledger, statements = create_ledger()
    return Foundation(
        settings=settings,
        database=database,
        clock=clocks,
        real=clock,
        personalities=create_personalities(settings, database),
        psus=PsuDirectory(store=SqlPsuStore(database), clock=clocks),
        accounts=AccountDirectory(SqlAccountStore(), database),
        ledger=ledger,
        statements=statements,
        schedule=create_schedule(),
        inbox=Inbox(database=database, store=SqlInboxStore()),
        changes=changes,
    )
