"""The portal's Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from sandbox.portal.api import registration_api
from sandbox.portal.characters import refuse_nul
from sandbox.portal.csrf import install_csrf
from sandbox.portal.forms import GLOBALS
from sandbox.portal.listeners import PublicListener, require_listener
from sandbox.portal.look import install_look
from sandbox.portal.pages import (
    account,
    certificates,
    client,
    doctor,
    dry_runs,
    entry,
    first_call,
    home,
    invitations,
    operator,
    organisation,
    people,
    requests,
    tpps,
    welcome,
    workbench,
)
from sandbox.portal.pki import pki
from sandbox.portal.problems import install_problems
from sandbox.portal.sessions import install_form_sessions, signing_key
from sandbox.portal.visitor import current_visitor, install_visitors
from sandbox.portal.wording import FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint

    from sandbox.services import Services

_LARGEST_BODY_BYTES = 65_536
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Within the portal only: a browser that tells its origin of no form would look like a stranger (csrf).
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # No Strict-Transport-Security: it holds for a host with all its ports, and would lock the plain-HTTP listener of localhost.
}
# Each answers on the portal's own listener only.
_PAGES: tuple[Callable[[Services], Blueprint], ...] = (
    entry.blueprint,
    requests.blueprint,
    dry_runs.blueprint,
    operator.blueprint,
    account.blueprint,
    organisation.blueprint,
    invitations.blueprint,
    tpps.blueprint,
    certificates.blueprint,
    client.blueprint,
    doctor.blueprint,
    first_call.blueprint,
    people.blueprint,
    workbench.blueprint,
)
# Programs call these: no cookie gives them any authority, so that no form of another site can use it.
_WITHOUT_FORMS = ("pki", "registration", "look")


def create_app(services: Services) -> Flask:
    """Return the application; whom it answers to is judged in front of it (`chassis.serving.callers`)."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY_BYTES
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(GLOBALS)
    install_form_sessions(app, signing_key(services.settings.home.var / "portal.key"))
    install_visitors(app, services.developers)
    install_look(app)
    workbench.take_test_data(app)
    _register_blueprints(app, services)
    app.add_url_rule("/health", view_func=_health)
    app.context_processor(lambda: {"visitor": current_visitor()})
    app.after_request(_harden)
    install_csrf(app, exempt=_WITHOUT_FORMS)
    refuse_nul(app)
    install_problems(app)
    return app


def _register_blueprints(app: Flask, services: Services) -> None:
    for blueprint in (home.blueprint(services), welcome.blueprint(services), pki(services), registration_api(services)):
        app.register_blueprint(blueprint)
    for make in _PAGES:
        pages = make(services)
        pages.before_request(require_listener(PublicListener.PORTAL))
        app.register_blueprint(pages)


def _health() -> Response:
    return jsonify({"status": "ok"})


def _harden(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if response.mimetype == "text/html":
        # Pages are a person's own: neither kept on the way, nor shown by the back button after signing out.
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.endpoint == "static":
        response.headers.setdefault("Cache-Control", "no-cache")
    return response
