"""What TPPs come to over mutual TLS, by the edge: token, introspection, revocation, and the PSU without a browser."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, request
from pydantic import ValidationError

from chassis.serving.straight_way import JSON, raise_what_was_raised
from gateway.dpop.rule import NONCE_HEADER
from gateway.oauth.answers import NO_STORE, answer_refusals
from gateway.oauth.arrival import Listener, require_listener, require_presented_certificate, require_presented_qwac
from gateway.oauth.authorization_request import KNOWN_PARAMETERS
from gateway.oauth.ciba.model import BC_AUTHORIZE_PATH
from gateway.oauth.ciba.reading import PARAMETERS as CIBA_PARAMETERS
from gateway.oauth.clients.authentication import CREDENTIALS
from gateway.oauth.dpop.key_binding import presented_proofs
from gateway.oauth.jose.introspection import CONTENT_TYPE as SIGNED_INTROSPECTION
from gateway.oauth.metadata import INTROSPECT_PATH, PAR_PATH, REVOKE_PATH, TOKEN_PATH
from gateway.oauth.parameters import parse_parameters
from gateway.oauth.protocol import INTROSPECTION, REVOCATION, CertifiedRequest, OAuthProtocol
from gateway.oauth.psu_interactions import InteractionRefused, PsuInteraction, PsuInteractions
from gateway.oauth.refusals import Refusal, invalid_request

PSU_INTERACTIONS_PATH: Final = "/sandbox/v1/psu-interactions"
_FORM: Final = "application/x-www-form-urlencoded"
_TOKEN_PARAMETERS: Final = CREDENTIALS | {
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "auth_req_id",
    "authorization_details",
}
_TOKEN_QUERY_PARAMETERS: Final = CREDENTIALS | {"token", "token_type_hint"}
_PROOF: Final = "HTTP_DPOP"
_NONCE: Final = f"HTTP_{NONCE_HEADER.upper().replace('-', '_')}"

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import WSGIEnvironment

    from chassis.serving.straight_way import Answer, PostedEndpoint
    from gateway.oauth.answers import Answers
    from gateway.oauth.jose.introspection import SignedIntrospection
    from gateway.oauth.par.endpoint import PushEndpoint
    from psd2.certificates import Psd2Certificate


def form_endpoints(*, protocol: OAuthProtocol, pushing: PushEndpoint, edge_url: str) -> Mapping[str, PostedEndpoint]:
    """Return what answers the forms that TPPs post, by path; each raises `OAuthRefused`."""

    def push(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        certified = _certified_request(environ, read, edge_url, CREDENTIALS | KNOWN_PARAMETERS)
        client = protocol.authenticated(certified)
        jkt = protocol.keys.proven_key(certified.proofs, address=certified.uri)
        return HTTPStatus.CREATED, pushing.push(certified.parameters, client, jkt=jkt)

    def ask_psu(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        certified = _certified_request(environ, read, edge_url, CREDENTIALS | CIBA_PARAMETERS)
        client = protocol.authenticated(certified)
        return HTTPStatus.OK, protocol.backchannel.begin(certified.parameters, client.client, client.tpp)

    def token(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        return protocol.token_response(_certified_request(environ, read, edge_url, _TOKEN_PARAMETERS))

    def revoke(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        return protocol.endpoint_response(REVOCATION, _certified_request(environ, read, edge_url, _TOKEN_QUERY_PARAMETERS))

    return {PAR_PATH: push, BC_AUTHORIZE_PATH: ask_psu, TOKEN_PATH: token, REVOKE_PATH: revoke}


def oauth_blueprint(
    *,
    protocol: OAuthProtocol,
    forms: Mapping[str, PostedEndpoint],
    introspection: SignedIntrospection,
    answers: Answers,
    edge_url: str,
) -> Blueprint:
    """Return the OAuth endpoints of the edge."""
    edge = Blueprint("oauth", __name__, static_folder=None)

    answer_refusals(edge, answers.as_json)

    @edge.before_request
    def come_by_the_edge() -> None:
        require_listener(Listener.EDGE, request.environ)

    for path, endpoint in forms.items():
        view = partial(_answered, endpoint)
        edge.add_url_rule(path, path.strip("/"), view, methods=["POST"], provide_automatic_options=False)
    _add_introspection(edge, protocol, introspection, edge_url)
    return edge


def _answered(endpoint: PostedEndpoint) -> Response:
    raise_what_was_raised(request.environ)
    return _json(*endpoint(request.environ, _body_of_request))


def _add_introspection(edge: Blueprint, protocol: OAuthProtocol, introspection: SignedIntrospection, edge_url: str) -> None:
    @edge.post(INTROSPECT_PATH, provide_automatic_options=False)
    def introspect() -> Response:
        certified = _certified_request(request.environ, _body_of_request, edge_url, _TOKEN_QUERY_PARAMETERS)
        status, answer = protocol.endpoint_response(INTROSPECTION, certified)
        if request.accept_mimetypes.best_match([JSON, SIGNED_INTROSPECTION]) != SIGNED_INTROSPECTION:
            return _json(status, answer)
        signed = introspection.signed(answer, certified.client.client)
        return Response(signed, content_type=SIGNED_INTROSPECTION, headers=NO_STORE)


def _json(status: HTTPStatus, document: Mapping[str, object]) -> Response:
    return Response(json.dumps(document), status, headers=NO_STORE, content_type=JSON)


def psu_endpoint(interactions: PsuInteractions) -> PostedEndpoint:
    """Return what stands in for a PSU with a browser; raises `InteractionRefused`."""

    def interact(environ: WSGIEnvironment, read: Callable[[], bytes]) -> Answer:
        certificate: Psd2Certificate = require_presented_qwac(environ)
        decided = interactions.decide(_wish(environ, read), certificate)
        status = {} if decided.sca_status is None else {"scaStatus": decided.sca_status}
        return HTTPStatus.OK, {"redirect": decided.redirect} | status

    return interact


def psu_blueprint(*, endpoint: PostedEndpoint, answers: Answers) -> Blueprint:
    """Return the same for Flask."""
    psu = Blueprint("psu", __name__, static_folder=None)

    answer_refusals(psu, answers.as_problem)
    view = partial(_answered, endpoint)
    psu.add_url_rule(PSU_INTERACTIONS_PATH, "interact", view, methods=["POST"], provide_automatic_options=False)
    return psu


def _body_of_request() -> bytes:
    return request.get_data(cache=False)


def _media_type(environ: WSGIEnvironment) -> str:
    said: str = environ.get("CONTENT_TYPE", "")
    return said.partition(";")[0].strip().lower()


def _certified_request(
    environ: WSGIEnvironment, read: Callable[[], bytes], edge_url: str, known: frozenset[str]
) -> CertifiedRequest:
    """Read the body, and only the body: a parameter in the query would end up in logs (RFC 6749 §3.2, §2.3.1)."""
    presented = require_presented_certificate(environ)
    if environ.get("QUERY_STRING"):
        raise invalid_request("query", "must be empty: parameters belong into the body", clause="RFC 6749 §3.2")
    if _media_type(environ) != _FORM:
        raise invalid_request("Content-Type", f"must be {_FORM}", clause="RFC 6749 §3.2")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise invalid_request("Content-Encoding", "is not taken: send the body as it is", clause="RFC 9110 §8.4")
    if "HTTP_AUTHORIZATION" in environ:
        raise invalid_request("Authorization", "is not taken: clients have keys and certificates here", clause="RFC 6749 §2.3")
    parameters = parse_parameters(read(), known=known)
    parameters.require_single()
    proofs = presented_proofs(environ.get(_PROOF), environ.get(_NONCE))
    return CertifiedRequest(f"{edge_url}{environ['PATH_INFO']}", parameters, presented, proofs)


def _wish(environ: WSGIEnvironment, read: Callable[[], bytes]) -> PsuInteraction:
    if _media_type(environ) != JSON:
        raise _faulty_body("Content-Type", [{"field": "Content-Type", "problem": "must be application/json"}])
    try:
        return PsuInteraction.model_validate_json(read())
    except ValidationError as error:
        errors = [
            {"field": ".".join(str(step) for step in fault["loc"]) or "body", "problem": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise _faulty_body(", ".join(sorted({entry["field"] for entry in errors})), errors) from error


def _faulty_body(fields: str, errors: list[dict[str, str]]) -> InteractionRefused:
    refusal = Refusal(
        error="invalid_request",
        description=f"the body is not a PSU interaction: see {fields}",
        reason="interaction.body",
        hint='send {"url", "psu", "result": "APPROVED" or "REJECTED"} and, if not all, "accounts"',
        clause="docs/architecture.md §3.6",
        status=422,
    )
    return InteractionRefused(refusal, errors)
