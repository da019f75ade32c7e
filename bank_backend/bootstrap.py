"""Wires the bank: stores into services, services into one Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from flask import Flask

from bank_backend.accounts.service import AccountDirectory
from bank_backend.accounts.store import SqlAccountStore
from bank_backend.ledger.service import Ledger
from bank_backend.ledger.store import SqlLedgerStore
from bank_backend.problems import render_problems
from bank_backend.psus.service import PsuDirectory
from bank_backend.psus.store import SqlPsuStore
from bank_backend.services import Services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bank_backend.config import BankSettings
    from bank_backend.database import Database
    from psd2.clock import Clock

_MOST_BODY_BYTES: Final = 256 * 1024


class WebModule(Protocol):
    """A domain's `api` or `pages` module: it adds its routes to the application."""

    def register(self, app: Flask, services: Services) -> None:
        """Add the routes."""


# Each domain's web module, in the order of DESIGN's house: add yours here.
WEB_MODULES: Sequence[WebModule] = ()


def create_services(settings: BankSettings, database: Database, clock: Clock) -> Services:
    """Build every service on one database and one clock."""
    return Services(
        settings=settings,
        clock=clock,
        database=database,
        psus=PsuDirectory(store=SqlPsuStore(database), clock=clock),
        accounts=AccountDirectory(SqlAccountStore(database)),
        ledger=Ledger(SqlLedgerStore()),
    )


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
