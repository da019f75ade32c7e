"""`POST /internal/response-signatures`: signs what the edge answers TPPs with (RFC 9421), for the edge has no such key.

It signs signature bases of answers and nothing else, so that no token or request object can be had from it.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort, jsonify, request

from gateway.message_signatures.base import NoResponseBase, ResponseBase
from gateway.oauth.internal_calls import require_edge_itself
from gateway.register.model import SigningAlg

if TYPE_CHECKING:
    from gateway.oauth.jose.server_keys import ServerKeys

RESPONSE_SIGNATURES_PATH: Final = "/internal/response-signatures"


def response_signatures_blueprint(keys: ServerKeys) -> Blueprint:
    """Return the endpoint, which is the edge's own: nothing that came by a listener gets here."""
    blueprint = Blueprint("response_signatures", __name__, static_folder=None)

    blueprint.before_request(require_edge_itself)

    @blueprint.post(RESPONSE_SIGNATURES_PATH)
    def sign() -> Response:
        body = request.get_json()
        try:
            algorithm, base = SigningAlg(body["alg"]), ResponseBase.read(body["lines"], body["parameters"])
        except (NoResponseBase, KeyError, TypeError, ValueError) as error:
            abort(400, f"this is no signature base of an answer: {error}")
        keyid, signature = keys.signature(lambda kid: base.text(kid).encode("ascii"), alg=algorithm)
        return jsonify({"keyid": keyid, "signature": base64.b64encode(signature).decode("ascii")})

    return blueprint
