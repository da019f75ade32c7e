"""Wires the bank: stores into services, services into one Flask application."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, Protocol

from flask import Flask

from bank_backend.accounts.service import AccountDirectory
from bank_backend.accounts.store import SqlAccountStore
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.store import SqlLedgerStore, settlement_id
from bank_backend.personas.service import plan_seed
from bank_backend.problems import render_problems
from bank_backend.psus.passwords import hash_password
from bank_backend.psus.service import PsuDirectory
from bank_backend.psus.store import SqlPsuStore
from bank_backend.services import Services
from bank_backend.tenants import api as tenants_api
from bank_backend.tenants.service import TenantRegistry
from bank_backend.tenants.store import SqlTenantStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from bank_backend.personas.service import Seed
    from bank_backend.tenants.model import Registration
    from psd2.clock import Clock

_MOST_BODY_BYTES: Final = 256 * 1024
_SALT_BYTES: Final = 16


class WebModule(Protocol):
    """A domain's `api` or `pages` module: it adds its routes to the application."""

    def register(self, app: Flask, services: Services) -> None:
        """Add the routes."""


# Each domain's web module, in the order of DESIGN's house: add yours here.
WEB_MODULES: Final[Sequence[WebModule]] = (tenants_api,)


def create_services(settings: BankSettings, database: Database, clock: Clock) -> Services:
    """Build every service on one database and one clock."""
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        psus=PsuDirectory(store=SqlPsuStore(database), clock=clock),
        accounts=AccountDirectory(SqlAccountStore(database)),
        ledger=Ledger(SqlLedgerStore()),
        tenants=create_tenant_registry(database, clock),
    )


def create_tenant_registry(database: Database, clock: Clock) -> TenantRegistry:
    """Build the registry of tenants, which seeds each with personas."""

    def plan(registration: Registration, seed: int, now: datetime) -> Seed:
        return plan_seed(registration.tenant, country=registration.country, seed=seed, now=now, settlement=settlement_id)

    def hashed(password: str) -> str:
        return hash_password(password, salt=secrets.token_bytes(_SALT_BYTES))

    return TenantRegistry(store=SqlTenantStore(database, hash_password=hashed), plan=plan, clock=clock)


def create_app(services: Services) -> Flask:
    """Return the bank's web application; `bank_backend.wsgi` puts the callers' guard in front of it."""
    app = Flask("bank_backend", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BODY_BYTES
    render_problems(app)
    app.add_url_rule("/health", view_func=_health, methods=["GET"])
    for module in WEB_MODULES:
        module.register(app, services)
    return app


def _health() -> dict[str, str]:
    return {"status": "ok"}
