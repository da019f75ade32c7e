"""`POST /internal/unknown-certificates`: the edge was shown a self-signed certificate that no client has registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, jsonify

from gateway.oauth.internal_calls import require_edge_itself

if TYPE_CHECKING:
    from gateway.oauth.clients.published_certificates import PublishedCertificates

UNKNOWN_CERTIFICATES_PATH: Final = "/internal/unknown-certificates"


def unknown_certificates_blueprint(certificates: PublishedCertificates) -> Blueprint:
    """Return the endpoint."""
    blueprint = Blueprint("unknown_certificates", __name__, static_folder=None)
    blueprint.before_request(require_edge_itself)

    @blueprint.post(UNKNOWN_CERTIFICATES_PATH)
    def look_early() -> Response:
        certificates.look_early()
        return jsonify({})

    return blueprint
