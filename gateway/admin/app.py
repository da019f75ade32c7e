"""The control API as a Flask application; `gateway.wsgi` puts the check of its callers in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, jsonify

from gateway.admin.acme_api import acme_blueprint, order_failures
from gateway.admin.actors import note_actors
from gateway.admin.admin_audit_api import admin_audit_blueprint
from gateway.admin.api import MOST_JSON_BYTES, register_blueprint, trust_blueprint
from gateway.admin.certificates_api import certificates_blueprint
from gateway.admin.characters import refuse_nul
from gateway.admin.configuration_api import configuration_blueprint
from gateway.admin.dry_runs import take_dry_runs
from gateway.admin.explain_api import explain_blueprint
from gateway.admin.metrics_api import metrics_blueprint
from gateway.admin.openapi import openapi_blueprint
from gateway.admin.operations import operation
from gateway.admin.plans_api import blocked_addresses_blueprint, subscriber_tokens_blueprint
from gateway.admin.problems import handle_errors
from gateway.admin.requests_api import requests_blueprint
from gateway.admin.revocation_api import revocation_blueprint
from gateway.admin.servers_api import servers_blueprint
from gateway.admin.signing_keys_api import signing_keys_blueprint
from gateway.metrics.expiry import documented_expiries, platform_expiries, trusted_expiries
from gateway.metrics.publishing import published
from gateway.trust.model import TPP_STORE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.admin.services import Services


def create_app(services: Services) -> Flask:
    """Make the application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_JSON_BYTES
    for blueprint in _blueprints(services):
        app.register_blueprint(blueprint)
    refuse_nul(app)
    note_actors(app)
    take_dry_runs(app)
    app.add_url_rule("/health", "health", _health, methods=["GET"])
    handle_errors(app)
    return app


def _blueprints(services: Services) -> Iterator[Blueprint]:
    configuration, clock = services.configuration, services.clock
    yield register_blueprint(services.register)
    yield trust_blueprint(services.trust)
    yield revocation_blueprint(services.trust, services.crl_points)
    yield configuration_blueprint(configuration)
    yield certificates_blueprint(configuration, services.watched, clock)
    yield acme_blueprint(configuration, services.acme, clock)
    yield subscriber_tokens_blueprint(configuration)
    yield blocked_addresses_blueprint(services.blocks)
    yield admin_audit_blueprint(services.admin_audit)
    yield requests_blueprint(services.audit_folder, services.audit_records, clock)
    yield explain_blueprint(services.explain_desk)
    yield signing_keys_blueprint(services.signing_keys)
    yield servers_blueprint(services.neighbours)
    yield _metrics(services)
    yield openapi_blueprint(configuration.kinds)


def _metrics(services: Services) -> Blueprint:
    return metrics_blueprint(
        workers=lambda: list(published(services.metrics_folder, now=services.clock.now().timestamp())),
        expiries=lambda: [
            *platform_expiries(services.home),
            *trusted_expiries(services.trust.authorities(TPP_STORE)),
            *documented_expiries(services.watched()),
        ],
        order_failures=lambda: order_failures(services.configuration, services.acme),
        unshipped_bytes=services.unshipped_bytes,
        clock=services.clock,
    )


@operation("Say whether it is well")
def _health() -> Response:
    return jsonify({"status": "ok"})
