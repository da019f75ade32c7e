"""`GET /jwks`: the public keys that verify what this server signs (RFC 8414 §2 `jwks_uri`, RFC 7517 §8.5.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, request

from gateway.oauth.arrival import Listener, require_listener
from gateway.oauth.security_headers import add_browser_headers

if TYPE_CHECKING:
    from gateway.oauth.jose.server_keys import ServerKeys

JWKS_PATH: Final = "/jwks"
# Far less than a key is published before it signs, so that nobody's copy lacks the key that signs.
CACHE_SECONDS: Final = 300


def jwks_blueprint(keys: ServerKeys) -> Blueprint:
    """Return the endpoint of the front."""
    blueprint = Blueprint("jwks", __name__, static_folder=None)

    @blueprint.before_request
    def come_by_the_front() -> None:
        require_listener(Listener.FRONT, request.environ)

    blueprint.after_request(add_browser_headers)

    @blueprint.get(JWKS_PATH, provide_automatic_options=False)
    def jwks() -> Response:
        response = Response(json.dumps(keys.jwks()), content_type="application/jwk-set+json")
        response.cache_control.public = True
        response.cache_control.max_age = CACHE_SECONDS
        return response

    return blueprint
