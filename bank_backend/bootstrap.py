"""Wires the bank, stores into services: a table of contents, for each domain builds itself in its own `wiring`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

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
from bank_backend.grants.wiring import create_granting, create_grants
from bank_backend.inbox.service import Inbox
from bank_backend.inbox.store import SqlInboxStore
from bank_backend.interactions.wiring import create_interactions
from bank_backend.ledger.wiring import create_clearing, create_ledger
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
from chassis.serving.turnstile import Turnstile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bank_backend.accounts.cards import CardSettlements
    from bank_backend.accounts.wiring import AccountServices
    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.authorisations.wiring import Authorising
    from bank_backend.baskets.expiry import BasketExpiry
    from bank_backend.config import BankSettings
    from bank_backend.consents.wiring import ConsentParts
    from bank_backend.database import Database
    from bank_backend.funds.wiring import FundsParts
    from bank_backend.grants.wiring import Grants
    from bank_backend.interactions.wiring import InteractionParts
    from bank_backend.ledger.clearing import Clearing
    from bank_backend.notifications.service import Changes
    from bank_backend.notifications.wiring import LeanPush
    from bank_backend.payments.wiring import PaymentParts
    from bank_backend.sca.enrolment import Enrolment
    from bank_backend.sca.service import ScaMethods
    from bank_backend.schedule.model import Task
    from bank_backend.snapshots.service import Snapshots
    from bank_backend.tenants.service import Planner, TenantRegistry
    from psd2.clock import Clock

_SIGN_IN_PATIENCE_SECONDS: Final = 5.0
_HEAVY_PATIENCE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Homes:
    """Whose banks these are, and how what lives there is made and kept."""

    planner: Planner
    snapshots: Snapshots
    tenants: TenantRegistry


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requests:
    """What TPPs ask for: each domain brings what PSUs decide on, and what the schedule does for it."""

    consents: ConsentParts
    funds: FundsParts
    payments: PaymentParts
    approvables: Mapping[ResourceKind, Approvable]
    basket_expiry: BasketExpiry
    cards: CardSettlements
    clearing: Clearing
    grants: Grants

    @property
    def tasks(self) -> dict[TaskKind, Task]:
        """What is done for them by itself."""
        tasks = {**self.consents.tasks, **self.funds.tasks, **self.payments.tasks, **self.cards.tasks, **self.clearing.tasks}
        return tasks | {TaskKind.EXPIRE_BASKET: self.basket_expiry.run, TaskKind.WITHDRAW_GRANT: self.grants.ending.run}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decisions:
    """Who decides on it, by what, and where."""

    sca: ScaMethods
    enrolment: Enrolment
    authorising: Authorising
    interactions: InteractionParts


def create_services(settings: BankSettings, database: Database, clock: Clock) -> Services:
    """Build every service on one database and one clock."""
    push = create_lean_push(settings, database, real=clock)
    base = _foundation(settings, database, clock, push.changes)
    homes, requests = _homes(base), _requests(base)
    return _services(base, push, homes, requests, _decisions(base, requests, homes.tenants))


def _homes(base: Foundation) -> _Homes:
    planner = create_planner(seeded_personas(large_account=base.settings.large_account))
    snapshots = create_snapshots(base)
    tenants = create_tenant_registry(base.database, base.real, planner)
    return _Homes(planner=planner, snapshots=snapshots, tenants=tenants)


def _requests(base: Foundation) -> _Requests:
    consents, funds, payments = create_consents(base), create_funds(base), create_payments(base)
    single = consents.approvables | funds.approvables | payments.approvables
    approvables = with_baskets(base, single, payments.lock_accounts)
    return _Requests(
        consents=consents,
        funds=funds,
        payments=payments,
        approvables=approvables,
        basket_expiry=create_basket_expiry(base),
        cards=create_card_settlements(base.accounts, base.ledger, base.schedule),
        clearing=create_clearing(base.ledger),
        grants=create_grants(base, approvables, consents=consents.consents, payments=payments.payments, funds=funds.consents),
    )


def _decisions(base: Foundation, requests: _Requests, tenants: TenantRegistry) -> _Decisions:
    sca, enrolment = create_sca(base)
    membership = create_membership(base.clock)
    authorising = create_authorising(
        base, requests.approvables, sca=sca, require_free=membership.require_free, redirect_uris=tenants.redirect_uris
    )
    interactions = create_interactions(base, requests.approvables, authorising=authorising, sca=sca, tenants=tenants)
    return _Decisions(sca=sca, enrolment=enrolment, authorising=authorising, interactions=interactions)


def _services(base: Foundation, push: LeanPush, homes: _Homes, requests: _Requests, decisions: _Decisions) -> Services:
    tenants, authorising, sca, deciding = homes.tenants, decisions.authorising, decisions.sca, decisions.interactions
    tasks = {**requests.tasks, **authorising.tasks}
    scheduler = create_scheduler(base.database, clock=base.clock, real=base.real, tasks=tasks)
    return Services(
        **{each.name: getattr(base, each.name) for each in fields(base)},
        sca=sca,
        enrolment=decisions.enrolment,
        account_data=_account_data(base, requests),
        cards=requests.cards,
        scheduler=scheduler,
        tenants=tenants,
        books=create_tenant_books(base, tenants),
        notifications=push.notifications,
        authorising=authorising,
        baskets=create_baskets(base, authorising, requests.basket_expiry),
        consents=requests.consents.consents,
        payments=requests.payments.payments,
        funds_consents=requests.funds.consents,
        funds_confirmations=requests.funds.confirmations,
        test_data=create_test_data(
            base, scheduler=scheduler, tenants=tenants, planner=homes.planner, snapshots=homes.snapshots
        ),
        grants=requests.grants,
        granting=create_granting(base, requests.grants, deciding.interactions),
        backchannel=authorising.backchannel,
        interactions=deciding.interactions,
        addressed_decisions=deciding.addressed,
        visits=deciding.visits,
        bank_app=create_bank_app(base, tenants=tenants, authorising=authorising, decisions=deciding.decisions, sca=sca),
    )


def _account_data(base: Foundation, requests: _Requests) -> AccountServices:
    return create_account_services(
        base.database,
        access=requests.consents.access,
        accounts=base.accounts,
        ledger=base.ledger,
        statements=base.statements,
        standing_orders=requests.payments.standing_orders,
    )


def _sign_in_gate(threads: int) -> Turnstile:
    """Return what keeps some of a worker's threads for others than those who sign in."""
    half = max(threads // 2, 1)
    return Turnstile(inside=half, waiting=half - 1, patience_seconds=_SIGN_IN_PATIENCE_SECONDS, what="people signing in")


def _heavy_work_gate(threads: int) -> Turnstile:
    """Return what leaves at least half of a worker's threads to others than those who work on whole banks."""
    inside = max(threads // 4, 1)
    waiting = max(threads // 2 - inside, 0)
    return Turnstile(inside=inside, waiting=waiting, patience_seconds=_HEAVY_PATIENCE_SECONDS, what="test data")


def _foundation(settings: BankSettings, database: Database, clock: Clock, changes: Changes) -> Foundation:
    clocks = create_tenant_clocks(database, clock)
    ledger, statements = create_ledger()
    return Foundation(
        settings=settings,
        database=database,
        clock=clocks,
        real=clock,
        personalities=create_personalities(settings, database),
        psus=PsuDirectory(store=SqlPsuStore(database), clock=clocks, gate=_sign_in_gate(settings.threads)),
        accounts=AccountDirectory(SqlAccountStore(), database),
        ledger=ledger,
        statements=statements,
        schedule=create_schedule(),
        inbox=Inbox(database=database, store=SqlInboxStore()),
        changes=changes,
        heavy_work=_heavy_work_gate(settings.threads),
    )
