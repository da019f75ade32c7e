"""Certificates' status for machines: CRLs (RFC 5280), OCSP (RFC 6960 appendix A.1), CA certificates, the bundle to trust."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from sandbox.portal.listeners import PublicListener, require_listener

if TYPE_CHECKING:
    from sandbox.services import Services

_LARGEST_OCSP_REQUEST_BYTES = 10_240
_OCSP_REQUEST, _OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
# OCSPResponse { malformedRequest (1) } (RFC 6960 §4.2.1): five bytes that need no signature.
_MALFORMED = bytes.fromhex("30030a0101")


def pki(services: Services) -> Blueprint:
    """Return the endpoints."""
    blueprint = Blueprint("pki", __name__)
    blueprint.before_request(require_listener(PublicListener.WELCOME, PublicListener.PORTAL))
    endpoints = _Endpoints(services)
    blueprint.add_url_rule("/trust.pem", view_func=endpoints.trust_bundle)
    blueprint.add_url_rule("/pki/crl/<name>.crl", view_func=endpoints.crl)
    blueprint.add_url_rule("/pki/ca/<name>.crt", view_func=endpoints.certificate)
    blueprint.add_url_rule("/pki/ocsp/<name>", view_func=endpoints.ocsp_post, methods=["POST"])
    # The base64 of a request may hold slashes, even two in a row.
    blueprint.add_url_rule("/pki/ocsp/<name>/<path:encoded>", view_func=endpoints.ocsp_get, merge_slashes=False)
    return blueprint


class _Endpoints:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._authority = services.authority

    def trust_bundle(self) -> Response:
        return _public(self._services.settings.home.trust_bundle.read_bytes(), "application/x-pem-file")

    def crl(self, name: str) -> Response:
        # Not kept by caches: a list that a cache still holds would hide a revocation.
        return _fresh(self._authority.crl(name), "application/pkix-crl")

    def certificate(self, name: str) -> Response:
        return _public(self._authority.ca_certificate(name), "application/pkix-cert")

    def ocsp_post(self, name: str) -> Response:
        if request.mimetype != _OCSP_REQUEST:
            return _fresh(_MALFORMED, _OCSP_RESPONSE)
        return self._ocsp(name, request.get_data())

    def ocsp_get(self, name: str, encoded: str) -> Response:
        try:
            der = base64.b64decode(encoded, validate=True)
        except ValueError:  # no base64, or no ASCII at all
            return _fresh(_MALFORMED, _OCSP_RESPONSE)
        return self._ocsp(name, der)

    def _ocsp(self, name: str, der: bytes) -> Response:
        if len(der) > _LARGEST_OCSP_REQUEST_BYTES:
            return _fresh(_MALFORMED, _OCSP_RESPONSE)
        return _fresh(self._authority.ocsp_response(name, der), _OCSP_RESPONSE)


def _fresh(body: bytes, content_type: str) -> Response:
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-cache"})


def _public(body: bytes, content_type: str) -> Response:
    return Response(body, content_type=content_type, headers={"Cache-Control": "max-age=300"})
