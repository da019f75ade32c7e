"""What the edge established about a request: which listener it came by, and with which certificate.

Believed only from the gateway's own edge, recognised by its internal certificate (`chassis.serving.callers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from chassis.serving.callers import caller_of
from chassis.told.vouched_certificates import HEADER, Vouched
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_client
from psd2.certificates import MalformedCertificate, NotAQwac, Psd2Certificate, parse_certificate, require_qwac
from psd2.client_cert_header import MalformedClientCert, decode_client_cert

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_VOUCHED: Final = f"HTTP_{HEADER.upper().replace('-', '_')}"
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


@dataclass(frozen=True, slots=True)
class PresentedCertificate:
    """The certificate of a request, and the TPP that it stands for by the word of whoever vouches for it."""

    certificate: Psd2Certificate
    authorisation_number: str
    vouched: Vouched


def require_presented_qwac(environ: WSGIEnvironment) -> Psd2Certificate:
    """Return the QWAC that the edge has judged; raises `OAuthRefused` (invalid_client) without one."""
    presented = require_presented_certificate(environ)
    if presented.vouched is not Vouched.QWAC:
        raise _no_qwac("it is a self-signed one that a client has registered")
    return presented.certificate


def require_presented_certificate(environ: WSGIEnvironment) -> PresentedCertificate:
    """Return the QWAC or the client's own certificate that the edge has judged; raises `OAuthRefused` without one.

    Trust, validity and revocation are the edge's judgement. A certificate that came by another way counts as none.
    """
    require_listener(Listener.EDGE, environ)
    value = environ.get("HTTP_CLIENT_CERT")
    if value is None:
        hint = "present the TPP's QWAC in the TLS handshake (curl --cert qwac.crt --key qwac.key)"
        raise invalid_client("no client certificate was presented", reason="mtls.missing", hint=hint)
    try:
        return _presented(value, environ.get(_VOUCHED), environ.get("HTTP_X_SANDBOX_TPP"))
    except (MalformedClientCert, MalformedCertificate) as error:
        raise invalid_client("the client certificate can't be read", reason="mtls.malformed", hint=str(error)) from error
    except NotAQwac as error:
        raise _no_qwac(str(error)) from error


@lru_cache(maxsize=_MOST_REMEMBERED)
def _presented(header: str, vouched: str | None, tpp: str | None) -> PresentedCertificate:
    """Read a certificate, the same each time; a TPP shows its own with every request."""
    certificate = parse_certificate(decode_client_cert(header))
    if vouched == Vouched.REGISTERED and tpp is not None:
        return PresentedCertificate(certificate, tpp, Vouched.REGISTERED)
    if vouched != Vouched.QWAC:
        raise _no_qwac("no authority for TPPs' certificates vouches for it")
    require_qwac(certificate)
    return PresentedCertificate(certificate, certificate.authorisation_number or "", Vouched.QWAC)


def _no_qwac(why: str) -> OAuthRefused:
    hint = "a QSealC signs, a QWAC authenticates: present the QWAC"
    return invalid_client("the client certificate is no QWAC", reason="mtls.not_a_qwac", hint=f"{why}; {hint}")
