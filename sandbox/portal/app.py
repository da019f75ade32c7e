"""The portal's Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify

from sandbox.portal.api import registration_api
from sandbox.portal.pages import pages
from sandbox.portal.pki import pki
from sandbox.portal.problems import install_problems

if TYPE_CHECKING:
    from sandbox.bootstrap import Services

_LARGEST_BODY_BYTES = 65_536
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # No Strict-Transport-Security: it holds for a host with all its ports, and would lock the plain-HTTP listener of localhost.
}


def create_app(services: Services) -> Flask:
    """Return the application; whom it answers to is judged in front of it (`chassis.callers`)."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY_BYTES
    app.register_blueprint(pages(services))
    app.register_blueprint(pki(services))
    app.register_blueprint(registration_api(services))
    app.add_url_rule("/health", view_func=_health)
    app.after_request(_harden)
    install_problems(app)
    return app


def _health() -> Response:
    return jsonify({"status": "ok"})


def _harden(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
