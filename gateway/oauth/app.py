"""The authorization server as a Flask application; `gateway.wsgi` puts the check of its callers in front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from chassis.logs import get_logger
from chassis.serving.straight_way import StraightWay
from chassis.sql.database import first_line, is_unavailability
from gateway.limits.accounts import StoreUnreachable
from gateway.oauth.answers import NO_STORE, Answers, answer_refusals, log_refusal, route_of_request
from gateway.oauth.arrival import Listener, listener_of, request_id_of
from gateway.oauth.browser_endpoints import browser_blueprint
from gateway.oauth.clients.unknown_certificates import unknown_certificates_blueprint
from gateway.oauth.grant_management.endpoint import grants_blueprint
from gateway.oauth.jose.endpoint import jwks_blueprint
from gateway.oauth.jose.response_signatures import response_signatures_blueprint
from gateway.oauth.refusals import RedirectRefused, Refusal, shown
from gateway.oauth.registration.endpoint import registration_blueprint
from gateway.oauth.tpp_endpoints import PSU_INTERACTIONS_PATH, form_endpoints, oauth_blueprint, psu_blueprint, psu_endpoint

if TYPE_CHECKING:
    from gateway.oauth.authorization import Authorization
    from gateway.oauth.authorization_response import Responses
    from gateway.oauth.clients.published_certificates import PublishedCertificates
    from gateway.oauth.grant_management.service import GrantManagement
    from gateway.oauth.jose.introspection import SignedIntrospection
    from gateway.oauth.jose.server_keys import ServerKeys
    from gateway.oauth.par.endpoint import PushEndpoint
    from gateway.oauth.protocol import OAuthProtocol
    from gateway.oauth.psu_interactions import PsuInteractions
    from gateway.oauth.registration.service import Registration
    from gateway.oauth.registration.statements import SoftwareStatements

MOST_BODY_BYTES = 64 * 1024
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationServices:
    """What the application is made of."""

    authorization: Authorization
    protocol: OAuthProtocol
    pushing: PushEndpoint
    interactions: PsuInteractions
    grants: GrantManagement
    server_keys: ServerKeys
    certificates: PublishedCertificates
    registration: Registration
    statements: SoftwareStatements
    responses: Responses
    introspection: SignedIntrospection
    issuer: str
    edge_url: str
    authorization_seconds: int
    sandbox_mode: bool


def create_app(services: AuthorizationServices) -> Flask:
    """Make the application."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BODY_BYTES
    answers = Answers(responses=services.responses, sandbox_mode=services.sandbox_mode)
    app.register_blueprint(
        browser_blueprint(
            authorization=services.authorization,
            issuer=services.issuer,
            edge_url=services.edge_url,
            cookie_seconds=services.authorization_seconds,
        )
    )
    app.register_blueprint(jwks_blueprint(services.server_keys))
    app.register_blueprint(response_signatures_blueprint(services.server_keys))
    app.register_blueprint(unknown_certificates_blueprint(services.certificates))
    forms = form_endpoints(protocol=services.protocol, pushing=services.pushing, edge_url=services.edge_url)
    interact = psu_endpoint(services.interactions)
    posted = {**forms, PSU_INTERACTIONS_PATH: interact}
    app.wsgi_app = StraightWay(  # type: ignore[method-assign]
        app.wsgi_app, posted, most_bytes=MOST_BODY_BYTES, headers=NO_STORE
    )
    app.register_blueprint(
        oauth_blueprint(
            protocol=services.protocol,
            forms=forms,
            introspection=services.introspection,
            answers=answers,
            edge_url=services.edge_url,
        )
    )
    app.register_blueprint(grants_blueprint(grants=services.grants, answers=answers))
    app.register_blueprint(
        registration_blueprint(
            registration=services.registration, statements=services.statements, answers=answers, edge_url=services.edge_url
        )
    )
    app.register_blueprint(psu_blueprint(endpoint=interact, answers=answers))
    app.add_url_rule("/health", "health", _health, methods=["GET"])
    _handle_errors(app, answers)
    return app


def _health() -> Response:
    return jsonify({"status": "ok"})


def _handle_errors(app: Flask, answers: Answers) -> None:
    @app.errorhandler(RedirectRefused)
    def redirect_with_error(refused: RedirectRefused) -> Response:
        log_refusal(refused.refusal, refused)
        return answers.as_redirect(refused)

    answer_refusals(app, answers.as_page)

    @app.errorhandler(HTTPException)
    def answer_http_error(error: HTTPException) -> Response:
        response = _by_asker(answers, _http_refusal(error))
        if (allowed := dict(error.get_headers()).get("Allow")) is not None:
            response.headers["Allow"] = allowed
        return response

    @app.errorhandler(Exception)
    def answer_fault(error: Exception) -> Response:
        # What counts proofs of possession, too, is a database.
        if is_unavailability(error) or isinstance(error, StoreUnreachable):
            get_logger().warning("database.unavailable", path=route_of_request(), error=first_line(error))
            response = _by_asker(answers, _UNAVAILABLE)
            response.headers["Retry-After"] = "1"
            return response
        get_logger().exception("oauth.fault", path=route_of_request(), request=request_id_of(request.environ))
        return _by_asker(answers, _FAULT)


_UNAVAILABLE = Refusal(
    error="temporarily_unavailable",
    description="the authorization server can't reach its data at the moment",
    reason="server.unavailable",
    hint="nothing is wrong with your request: send it again in a few seconds",
    clause="RFC 9110 §15.6.4",
    status=503,
)
_FAULT = Refusal(
    error="server_error",
    description="something went wrong on our side",
    reason="server.fault",
    hint="try again; if it comes back, give the operator the request's id",
    clause="RFC 9110 §15.6.1",
    status=500,
)


def _http_refusal(error: HTTPException) -> Refusal:
    too_large = f"body: is larger than the {MOST_BODY_BYTES} bytes that are read" if error.code == _TOO_LARGE else None
    return Refusal(
        error="invalid_request",
        description=too_large or shown(error.description or error.name),
        reason=f"page.{error.code}",
        hint="take the addresses from /.well-known/oauth-authorization-server",
        clause="RFC 9110 §15.5",
        status=error.code or 500,
    )


def _by_asker(answers: Answers, refusal: Refusal) -> Response:
    if listener_of(request.environ) == Listener.FRONT:
        return answers.as_page(refusal)
    if request.path == PSU_INTERACTIONS_PATH:
        return answers.as_problem(refusal)
    return answers.as_json(refusal)
