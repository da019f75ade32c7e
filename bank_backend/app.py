"""The bank's Flask application: what every request passes, then each domain's routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from flask import Flask

from bank_backend.accounts import api as accounts_api
from bank_backend.backchannel import api as backchannel_api
from bank_backend.baskets import api as baskets_api
from bank_backend.characters import refuse_nul
from bank_backend.consents import api as consents_api
from bank_backend.data import api as data_api
from bank_backend.data import wiring as data_wiring
from bank_backend.doors import guard_doors
from bank_backend.faults.injection import inject_faults
from bank_backend.funds import api as funds_api
from bank_backend.grants import api as grants_api
from bank_backend.inbox import api as inbox_api
from bank_backend.interactions import api as interactions_api
from bank_backend.ledger import api as ledger_api
from bank_backend.notifications import api as notifications_api
from bank_backend.openapi import api as openapi_api
from bank_backend.pages import views as psu_pages
from bank_backend.payments import api as payments_api
from bank_backend.personalities import api as personalities_api
from bank_backend.problems import render_problems
from bank_backend.sca import api as sca_api
from bank_backend.schedule import api as schedule_api
from bank_backend.tenants import api as tenants_api
from bank_backend.tenants.arrival_store import Arrivals
from bank_backend.tenants.arriving import note_arrivals
from chassis.serving.straight_way import StraightWay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_backend.services import Services

_MOST_BODY_BYTES: Final = 256 * 1024


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
    grants_api,
    backchannel_api,
    *data_wiring.WEB_MODULES,
    ledger_api,
    schedule_api,
    psu_pages,
    notifications_api,
    openapi_api,
)


class _Bank(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return it as it is: no view here is a coroutine, and asking so of each function costs each call."""
        return func


def create_app(services: Services) -> Flask:
    """Return the bank's web application; `bank_backend.wsgi` puts the callers' guard in front of it."""
    app = _Bank("bank_backend", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BODY_BYTES
    render_problems(app, sandbox_mode=services.settings.sandbox_mode)
    guard_doors(app)
    data_api.take_large_bodies(app)
    refuse_nul(app)
    note_arrivals(app, Arrivals(services.database))
    inject_faults(app, services.test_data.faults, sandbox_mode=services.settings.sandbox_mode)
    personalities_api.hold_to_personality(app, services.personalities)
    app.add_url_rule("/health", view_func=_health, methods=["GET"])
    for module in WEB_MODULES:
        module.register(app, services)
    straight = {grants_api.PATH: grants_api.grant_endpoint(services)}
    app.wsgi_app = StraightWay(app.wsgi_app, straight, most_bytes=_MOST_BODY_BYTES)  # type: ignore[method-assign]
    return app


def _health() -> dict[str, str]:
    return {"status": "ok"}
