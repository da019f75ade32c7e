"""What the edge established about a request: which listener it came by, and with which certificate.

Believed only from the gateway's own edge, recognised by its internal certificate (`chassis.callers`).
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from chassis.callers import caller_of
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_client
from psd2.certificates import MalformedCertificate, NotAQwac, Psd2Certificate, parse_certificate, require_qwac
from psd2.client_cert_header import MalformedClientCert, decode_client_cert

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_EDGE: Final = "gateway"
_MOST_REMEMBERED: Final = 500


class Listener(StrEnum):
    """A public listener that leads here."""

    FRONT = "front"  # browsers, without client certificates
    EDGE = "edge"  # TPPs, over mutual TLS


def require_listener(listener: Listener, environ: WSGIEnvironment) -> None:
    """Raise `OAuthRefused` unless the edge passed this request on from `listener`."""
    if caller_of(environ) != _EDGE or listener_of(environ) != listener:
        raise OAuthRefused(
            Refusal(
                error="invalid_request",
                description=f"this address is not served here: it belongs to the {listener} listener",
                reason="oauth.listener",
                hint="take the addresses from /.well-known/oauth-authorization-server",
                clause="RFC 8414 §3",
                status=404,
            )
        )


def listener_of(environ: WSGIEnvironment) -> str | None:
    """Return the name of the public listener that the request came by, as the edge says."""
    return environ.get("HTTP_X_SANDBOX_LISTENER")


def request_id_of(environ: WSGIEnvironment) -> str | None:
    """Return the gateway's id of the request, for logs and pages."""
    return environ.get("HTTP_X_SANDBOX_REQUEST")


def require_presented_qwac(environ: WSGIEnvironment) -> Psd2Certificate:
    """Return the QWAC that the edge has judged; raises `OAuthRefused` (invalid_client) without one.

    Trust, validity and revocation are the edge's judgement. A certificate that came by another way counts as none.
    """
    require_listener(Listener.EDGE, environ)
    value = environ.get("HTTP_CLIENT_CERT")
    if value is None:
        hint = "present the TPP's QWAC in the TLS handshake (curl --cert qwac.crt --key qwac.key)"
        raise invalid_client("no client certificate was presented", reason="mtls.missing", hint=hint)
    try:
        return _qwac(value)
    except (MalformedClientCert, MalformedCertificate) as error:
        raise invalid_client("the client certificate can't be read", reason="mtls.malformed", hint=str(error)) from error
    except NotAQwac as error:
        hint = "a QSealC signs, a QWAC authenticates: present the QWAC"
        raise invalid_client("the client certificate is no QWAC", reason="mtls.not_a_qwac", hint=f"{error}; {hint}") from error


@lru_cache(maxsize=_MOST_REMEMBERED)
def _qwac(header: str) -> Psd2Certificate:
    """Read a certificate, the same each time; a TPP shows its own with every request."""
    certificate = parse_certificate(decode_client_cert(header))
    require_qwac(certificate)
    return certificate
