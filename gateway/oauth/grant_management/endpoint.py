"""`GET` and `DELETE /grants/{grant_id}` at the edge, for the client whose grant it is (Grant Management §6).

The edge has judged the access token: known, in force, bound to the certificate, of the scope that the method needs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, jsonify, request

from gateway.oauth.answers import NO_STORE, Answers, answer_refusals
from gateway.oauth.arrival import Listener, require_listener
from gateway.oauth.grant_management.model import GRANTS_PATH, QUERY_SCOPE, REVOKE_SCOPE
from gateway.oauth.refusals import OAuthRefused, Refusal

if TYPE_CHECKING:
    from gateway.oauth.grant_management.model import Grant
    from gateway.oauth.grant_management.service import GrantManagement

_NOT_FOUND: Final = 404


def grants_blueprint(*, grants: GrantManagement, answers: Answers) -> Blueprint:
    """Return the grant management API."""
    api = Blueprint("grants", __name__, static_folder=None)

    answer_refusals(api, answers.as_json)

    @api.before_request
    def come_by_the_edge() -> None:
        require_listener(Listener.EDGE, request.environ)

    @api.get(f"{GRANTS_PATH}/<grant_id>", provide_automatic_options=False)
    def query(grant_id: str) -> Response:
        grant = _own(grants, grant_id, QUERY_SCOPE)
        answer = jsonify(_as_json(grant, grants.standing(grant)))
        answer.headers.update(NO_STORE)
        return answer

    @api.delete(f"{GRANTS_PATH}/<grant_id>", provide_automatic_options=False)
    def revoke(grant_id: str) -> Response:
        grants.revoke(_own(grants, grant_id, REVOKE_SCOPE))
        return Response(status=204, headers=NO_STORE)

    return api


def _own(grants: GrantManagement, grant_id: str, scope: str) -> Grant:
    """Return the grant of the client whose token came; raises `OAuthRefused`."""
    client = request.headers.get("X-Sandbox-Client")
    if client is None or scope not in request.headers.get("X-Sandbox-Scope", "").split(" "):
        raise _token_needed(scope)
    try:
        # A token that a PSU has given reaches what that PSU has granted; the client's own, all grants of the client.
        return grants.owned(grant_id, client, psu=request.headers.get("X-Sandbox-Subject"))
    except OAuthRefused as refused:
        raise OAuthRefused(replace(refused.refusal, status=_NOT_FOUND, clause="Grant Management §6.6")) from refused


def _as_json(grant: Grant, details: list[dict[str, object]]) -> dict[str, object]:
    """Write the answer of §6.4; there are no OpenID claims here."""
    return {
        "scopes": [{"scope": grant.scope}],
        "claims": [],
        "authorization_details": details,
        "created_at": int(grant.created_at.timestamp()),
        "last_updated_at": int(grant.updated_at.timestamp()),
        "expires_at": int(grant.expires_at.timestamp()),
    }


def _token_needed(scope: str) -> OAuthRefused:
    return OAuthRefused(
        Refusal(
            error="invalid_token",
            description=f"an access token with the scope {scope} is needed",
            reason="token.scope",
            hint=f"fetch one: POST /token with grant_type=client_credentials and scope={scope}",
            clause="Grant Management §6.1",
            status=401,
            headers=(("WWW-Authenticate", f'Bearer error="invalid_token", scope="{scope}"'),),
        )
    )
