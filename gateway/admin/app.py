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
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from chassis.home import Home
    from gateway.admin.acme_api import Keeping
    from gateway.admin.servers_api import Neighbour
    from gateway.admin_audit.store import SqlAdminAudit
    from gateway.audit.reader import ShippedRecords
    from gateway.certificates.expiry import Watched
    from gateway.configuration.service import Configuration
    from gateway.explain.desk import ExplainDesk
    from gateway.limits.blocks import Blocks
    from gateway.oauth.jose.administration import KeyAdministration
    from gateway.register.service import Register
    from gateway.trust.crl_points import SqlCrlPoints
    from gateway.trust.service import Trust
    from psd2.clock import Clock


def create_app(
    *,
    register: Register,
    trust: Trust,
    crl_points: SqlCrlPoints,
    configuration: Configuration,
    acme: Keeping,
    watched: Callable[[], Sequence[Watched]],
    admin_audit: SqlAdminAudit,
    blocks: Blocks,
    audit_folder: Path,
    audit_records: ShippedRecords,
    metrics_folder: Path,
    unshipped_bytes: Callable[[], int],
    explain_desk: ExplainDesk,
    home: Home,
    clock: Clock,
    signing_keys: KeyAdministration,
    neighbours: Sequence[Neighbour] = (),
) -> Flask:
    """Make the application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_JSON_BYTES
    app.register_blueprint(register_blueprint(register))
    app.register_blueprint(trust_blueprint(trust))
    app.register_blueprint(revocation_blueprint(trust, crl_points))
    app.register_blueprint(configuration_blueprint(configuration))
    app.register_blueprint(certificates_blueprint(configuration, watched, clock))
    app.register_blueprint(acme_blueprint(configuration, acme, clock))
    app.register_blueprint(subscriber_tokens_blueprint(configuration))
    app.register_blueprint(blocked_addresses_blueprint(blocks))
    app.register_blueprint(admin_audit_blueprint(admin_audit))
    app.register_blueprint(requests_blueprint(audit_folder, audit_records, clock))
    app.register_blueprint(explain_blueprint(explain_desk))
    app.register_blueprint(signing_keys_blueprint(signing_keys))
    app.register_blueprint(servers_blueprint(neighbours))
    app.register_blueprint(
        _metrics(
            folder=metrics_folder,
            home=home,
            trust=trust,
            watched=watched,
            order_failures=lambda: order_failures(configuration, acme),
            unshipped_bytes=unshipped_bytes,
            clock=clock,
        )
    )
    app.register_blueprint(openapi_blueprint(configuration.kinds))
    refuse_nul(app)
    note_actors(app)
    take_dry_runs(app)
    app.add_url_rule("/health", "health", _health, methods=["GET"])
    handle_errors(app)
    return app


def _metrics(
    *,
    folder: Path,
    home: Home,
    trust: Trust,
    watched: Callable[[], Sequence[Watched]],
    order_failures: Callable[[], Mapping[str, int]],
    unshipped_bytes: Callable[[], int],
    clock: Clock,
) -> Blueprint:
    return metrics_blueprint(
        workers=lambda: list(published(folder, now=clock.now().timestamp())),
        expiries=lambda: [
            *platform_expiries(home),
            *trusted_expiries(trust.authorities(TPP_STORE)),
            *documented_expiries(watched()),
        ],
        order_failures=order_failures,
        unshipped_bytes=unshipped_bytes,
        clock=clock,
    )


@operation("Say whether it is well")
def _health() -> Response:
    return jsonify({"status": "ok"})
