"""Wires the bank: stores into services, services into one Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from flask import Flask

from bank_backend.accounts import api as accounts_api
from bank_backend.accounts.service import AccountDirectory
from bank_backend.accounts.store import SqlAccountStore
from bank_backend.accounts.wiring import create_account_services, create_card_settlements
from bank_backend.authorisations.holders import SqlHolderStore
from bank_backend.authorisations.model import ResourceKind
from bank_backend.authorisations.wiring import create_authorisations, create_authorising
from bank_backend.bankapp.wiring import create_bank_app
from bank_backend.baskets import api as baskets_api
from bank_backend.baskets.wiring import create_baskets, create_membership, with_baskets
from bank_backend.characters import refuse_nul
from bank_backend.consents import api as consents_api
from bank_backend.consents.access import ConsentAccess
from bank_backend.consents.approval import ConsentApproval
from bank_backend.consents.expiry import ConsentExpiry
from bank_backend.consents.service import Consents
from bank_backend.data import api as data_api
from bank_backend.data import wiring as data_wiring
from bank_backend.doors import guard_doors
from bank_backend.faults.injection import inject_faults
from bank_backend.funds import api as funds_api
from bank_backend.funds.approval import FundsApproval
from bank_backend.funds.service import FundsConfirmations, FundsConsents
from bank_backend.funds.store import SqlFundsConsentStore
from bank_backend.inbox import api as inbox_api
from bank_backend.inbox.service import Inbox
from bank_backend.inbox.store import SqlInboxStore
from bank_backend.interactions import api as interactions_api
from bank_backend.interactions.addressed import AddressedDecisions
from bank_backend.interactions.decisions import Decisions
from bank_backend.interactions.service import Interactions
from bank_backend.interactions.store import SqlInteractionStore
from bank_backend.interactions.visits import Visits
from bank_backend.ledger import api as ledger_api
from bank_backend.ledger.exchange import RATES
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.statement_store import SqlStatementStore
from bank_backend.ledger.statements import Statements
from bank_backend.ledger.store import SqlLedgerStore
from bank_backend.notifications import api as notifications_api
from bank_backend.notifications.watched import (
    WatchedAuthorisationStore,
    WatchedBasketStore,
    WatchedConsentStore,
    WatchedPaymentStore,
)
from bank_backend.notifications.wiring import create_lean_push
from bank_backend.openapi import api as openapi_api
from bank_backend.pages import views as psu_pages
from bank_backend.payments import api as payments_api
from bank_backend.payments.wiring import create_payments
from bank_backend.personalities import api as personalities_api
from bank_backend.personalities.wiring import create_personalities
from bank_backend.personas.catalogue import PERSONAS
from bank_backend.problems import render_problems
from bank_backend.psus.service import PsuDirectory
from bank_backend.psus.store import SqlPsuStore
from bank_backend.sca import api as sca_api
from bank_backend.sca.wiring import ScaParts, create_sca
from bank_backend.schedule import api as schedule_api
from bank_backend.schedule.model import TaskKind
from bank_backend.schedule.wiring import create_schedule, create_scheduler
from bank_backend.services import Services
from bank_backend.tenants import api as tenants_api
from bank_backend.tenants.arrivals import note_arrivals
from bank_backend.tenants.books import TenantBooks
from bank_backend.tenants.clock import TenantClocks
from bank_backend.tenants.clock_store import SqlOffsets
from bank_backend.tenants.wiring import create_planner, create_tenant_registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.authorisations.asks import Approvable
    from bank_backend.authorisations.service import Authorisations
    from bank_backend.authorisations.signing import Signing
    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from bank_backend.notifications.service import Changes
    from bank_backend.personas.model import Persona
    from bank_backend.sca.codes import CodeSource
    from bank_backend.sca.service import ScaMethods
    from bank_backend.schedule.model import Task
    from bank_backend.tenants.clock import TenantClock
    from bank_backend.tenants.service import TenantRegistry
    from psd2.clock import Clock

_MOST_BODY_BYTES: Final = 256 * 1024
_SALT_BYTES: Final = 16


class WebModule(Protocol):
    """A domain's `api` or `pages` module: it adds its routes to the application."""

    def register(self, app: Flask, services: Services) -> None:
        """Add the routes."""


# Each domain's web module; a new domain is added here.
WEB_MODULES: Final[Sequence[WebModule]] = (
    tenants_api,
    personalities_api,
    accounts_api,
    consents_api,
    payments_api,
    funds_api,
    baskets_api,
    inbox_api,
    sca_api,
    interactions_api,
    *data_wiring.WEB_MODULES,
    ledger_api,
    schedule_api,
    psu_pages,
    notifications_api,
    openapi_api,
)


def create_services(
    settings: BankSettings,
    database: Database,
    clock: Clock,
    *,
    codes: CodeSource | None = None,
    personas: Sequence[Persona] = PERSONAS,
) -> Services:
    """Build every service on one database and one clock.

    For tests `codes` replaces the randomness of one-time codes, and `personas` are fewer.
    """
    real, clocks = clock, TenantClocks(real=clock, offsets=SqlOffsets(database))
    psus = PsuDirectory(store=SqlPsuStore(database), clock=clocks)
    accounts = AccountDirectory(SqlAccountStore(), database)
    ledger, statements, funds = Ledger(SqlLedgerStore(), rates=RATES), Statements(SqlStatementStore()), SqlFundsConsentStore()
    schedule = create_schedule()
    push = create_lean_push(settings, database, real=real)
    changes = push.changes
    # What is done by itself, by kind: each domain's own.
    expiry, cards = (
        ConsentExpiry(WatchedConsentStore(changes), schedule=schedule),
        create_card_settlements(accounts, ledger, schedule),
    )
    funds_consents = FundsConsents(database=database, store=funds, schedule=schedule, clock=clocks)
    tasks: dict[TaskKind, Task] = {
        TaskKind.EXPIRE_CONSENT: expiry.run,
        TaskKind.EXPIRE_FUNDS_CONSENT: funds_consents.expire,
        TaskKind.SETTLE_CARD: cards.run,
    }
    paying = create_payments(WatchedPaymentStore(changes), database, ledger=ledger, schedule=schedule, clock=clocks, real=real)
    tasks |= paying.tasks
    planner = create_planner(personas)
    tenants = create_tenant_registry(database, real, planner)
    inbox = Inbox(database=database, store=SqlInboxStore())
    personalities = create_personalities(settings, database)
    authorisations = create_authorisations(
        WatchedAuthorisationStore(changes), require_free=create_membership(clocks).require_free
    )
    approvables = with_baskets(_approvables(changes, expiry) | paying.approvables, WatchedBasketStore(changes))
    sca, enrolment = create_sca(
        ScaParts(settings=settings, database=database, inbox=inbox, personalities=personalities, clock=real, codes=codes)
    )
    authorising = create_authorising(
        database,
        approvables,
        authorisations=authorisations,
        psus=psus,
        accounts=accounts,
        sca=sca,
        personalities=personalities,
        clock=clocks,
    )
    desk = _FrontDesk(
        settings,
        database,
        clocks,
        psus=psus,
        accounts=accounts,
        authorisations=authorisations,
        signing=authorising.signing,
        approvables=approvables,
    )
    consent_access = ConsentAccess(database=database, store=WatchedConsentStore(changes), accounts=accounts, clock=clocks)
    account_data = create_account_services(
        database,
        access=consent_access,
        accounts=accounts,
        ledger=ledger,
        statements=statements,
        standing_orders=paying.standing_orders,
    )
    books = TenantBooks(
        tenants=tenants, accounts=accounts, ledger=ledger, statements=statements, database=database, clock=clocks
    )
    scheduler = create_scheduler(database, clock=clocks, real=real, tasks=tasks)
    return Services(
        settings=settings,
        clock=clocks,
        database=database,
        personalities=personalities,
        sca=sca,
        enrolment=enrolment,
        psus=psus,
        accounts=accounts,
        account_data=account_data,
        cards=cards,
        ledger=ledger,
        schedule=schedule,
        scheduler=scheduler,
        tenants=tenants,
        books=books,
        inbox=inbox,
        notifications=push.notifications,
        authorisations=authorisations,
        openings=authorising.openings,
        signing=authorising.signing,
        updates=authorising.updates,
        baskets=create_baskets(
            database,
            WatchedBasketStore(changes),
            authorisations=authorisations,
            signing=authorising.signing,
            clock=clocks,
        ),
        consents=Consents(database=database, store=WatchedConsentStore(changes), expiry=expiry, clock=clocks),
        consent_access=consent_access,
        payments=paying.payments,
        funds_consents=funds_consents,
        funds_confirmations=FundsConfirmations(
            database=database, store=funds, accounts=accounts, ledger=ledger, rates=RATES, clock=clocks
        ),
        test_data=data_wiring.create_test_data(database, clocks, real, scheduler=scheduler, tenants=tenants, planner=planner),
        interactions=desk.interactions(),
        addressed_decisions=desk.addressed_decisions(),
        visits=desk.visits(sca, tenants),
        bank_app=create_bank_app(
            database,
            psus=psus,
            accounts=accounts,
            tenants=tenants,
            authorisations=authorisations,
            signing=authorising.signing,
            decisions=desk.decisions,
            sca=sca,
            clock=clocks,
            real=real,
        ),
    )


def _approvables(changes: Changes, expiry: ConsentExpiry) -> dict[ResourceKind, Approvable]:
    """Return what a PSU can decide on; a new kind of resource is added here."""
    return {
        ResourceKind.AIS: ConsentApproval(WatchedConsentStore(changes), expiry=expiry),
        ResourceKind.PIIS: FundsApproval(SqlFundsConsentStore()),
    }


class _FrontDesk:
    """Builds the two ways to a PSU's decision, headless and by browser, on one `Decisions`."""

    def __init__(
        self,
        settings: BankSettings,
        database: Database,
        clock: TenantClock,
        *,
        psus: PsuDirectory,
        accounts: AccountDirectory,
        authorisations: Authorisations,
        signing: Signing,
        approvables: dict[ResourceKind, Approvable],
    ) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._psus, self._accounts, self._authorisations = psus, accounts, authorisations
        self._store = SqlInteractionStore()
        self._signing = signing
        self.decisions = Decisions(store=self._store, signing=signing, approvables=approvables, clock=clock)

    def interactions(self) -> Interactions:
        return Interactions(
            database=self._database,
            store=self._store,
            decisions=self.decisions,
            authorisations=self._authorisations,
            signing=self._signing,
            customers=self._psus,
            holdings=self._accounts,
            clock=self._clock,
            front_url=self._settings.front_url,
        )

    def addressed_decisions(self) -> AddressedDecisions:
        return AddressedDecisions(
            database=self._database,
            interactions=self.interactions(),
            authorisations=self._authorisations,
            signing=self._signing,
            holders=SqlHolderStore(),
            customers=self._psus,
            clock=self._clock,
        )

    def visits(self, sca: ScaMethods, tenants: TenantRegistry) -> Visits:
        return Visits(
            database=self._database,
            store=self._store,
            decisions=self.decisions,
            authorisations=self._authorisations,
            customers=self._psus,
            holdings=self._accounts,
            sca=sca,
            tpps=tenants,
            clock=self._clock,
        )


def create_app(services: Services) -> Flask:
    """Return the bank's web application; `bank_backend.wsgi` puts the callers' guard in front of it."""
    app = Flask("bank_backend", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BODY_BYTES
    render_problems(app, sandbox_mode=services.settings.sandbox_mode)
    guard_doors(app)
    data_api.take_large_bodies(app)
    refuse_nul(app)
    note_arrivals(app, services.database)
    inject_faults(app, services.test_data.faults, sandbox_mode=services.settings.sandbox_mode)
    personalities_api.hold_to_personality(app, services.personalities)
    app.add_url_rule("/health", view_func=_health, methods=["GET"])
    for module in WEB_MODULES:
        module.register(app, services)
    return app


def _health() -> dict[str, str]:
    return {"status": "ok"}
