"""Tokens: issue, refresh, look into, take back. Who is asking, the transport says: by its QWAC, and perhaps by a signature."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tpp_client.documents import Document, document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from tpp_client.authorization import AuthorizationCode
    from tpp_client.discovery import ServerMetadata
    from tpp_client.wire import HttpResponse, Transport

BEARER: Final = "Bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """An access token, perhaps with a refresh token; neither shows in the repr. `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """What the server tells of a token (RFC 7662 §2.2).

    It is bound to a certificate (`thumbprint`, RFC 8705 §3.2) or to a key (`jkt`, RFC 9449 §6.2).
    """

    active: bool
    client_id: str | None = None
    scope: str | None = None
    thumbprint: str | None = None
    jkt: str | None = None


def token_request(transport: Transport, metadata: ServerMetadata, code: AuthorizationCode) -> HttpResponse:
    """Exchange a code, with the verifier only we know, at the issuer we asked."""
    fields = {
        "grant_type": "authorization_code",
        "code": code.value,
        "redirect_uri": code.attempt.redirect_uri,
        "client_id": code.attempt.client_id,
        "code_verifier": code.attempt.verifier,
    }
    return transport.send(form_request(metadata.token_endpoint, fields))


def refresh_request(transport: Transport, metadata: ServerMetadata, *, client_id: str, refresh_token: str) -> HttpResponse:
    """Ask for a fresh access token (RFC 6749 §6), bound to the certificate presented now."""
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client_id}
    return transport.send(form_request(metadata.token_endpoint, fields))


def client_credentials_request(
    transport: Transport, metadata: ServerMetadata, *, client_id: str, scope: str = ""
) -> HttpResponse:
    """Ask for a token of the TPP's own, without a PSU (RFC 6749 §4.4)."""
    fields = {"grant_type": "client_credentials", "client_id": client_id} | ({"scope": scope} if scope else {})
    return transport.send(form_request(metadata.token_endpoint, fields))


def process_token_response(response: HttpResponse, *, asked_scope: str = "", token_type: str = BEARER) -> Tokens:
    """Judge a token response (RFC 6749 §5.1); an absent scope means the one asked for, another `token_type` is refused."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    _require_type(document, token_type)
    return Tokens(
        access_token=document.text("access_token"),
        expires_in=document.whole_number("expires_in"),
        scope=document.optional_text("scope") or asked_scope,
        refresh_token=document.optional_text("refresh_token"),
    )


def introspection_request(
    transport: Transport, metadata: ServerMetadata, *, client_id: str, token: str, accept: str = "application/json"
) -> HttpResponse:
    """Ask what a token of ours is worth; what is accepted says whether the answer comes signed (RFC 9701 §4)."""
    fields = {"token": token, "client_id": client_id}
    request = form_request(metadata.introspection_endpoint, fields)
    return transport.send(replace(request, headers={**request.headers, "Accept": accept}))


def process_introspection_response(response: HttpResponse) -> Introspection:
    """Judge an introspection response (RFC 7662 §2.2)."""
    require_status(response, HTTPStatus.OK)
    return introspection_of(document_of(response))


def introspection_of(document: Document) -> Introspection:
    """Return what an introspection says, in whatever it came."""
    if not document.flag("active"):
        return Introspection(active=False)
    bound_to = document.optional_child("cnf")
    return Introspection(
        active=True,
        client_id=document.optional_text("client_id"),
        scope=document.optional_text("scope"),
        thumbprint=bound_to.optional_text("x5t#S256"),
        jkt=bound_to.optional_text("jkt"),
    )


def revocation_request(transport: Transport, metadata: ServerMetadata, *, client_id: str, token: str) -> HttpResponse:
    """Take a token back."""
    return transport.send(form_request(metadata.revocation_endpoint, {"token": token, "client_id": client_id}))


def process_revocation_response(response: HttpResponse) -> None:
    """Judge a revocation response: 200, also for a token the server does not know (RFC 7009 §2.2)."""
    require_status(response, HTTPStatus.OK)


def _require_type(document: Document, wanted: str) -> None:
    # A token of a type we can't use must not be used as another (RFC 6749 §7.1, RFC 9449 §5).
    kind = document.text("token_type")
    if kind.lower() != wanted.lower():
        msg = f"{document.where}: token_type is {kind!r}, this client can use {wanted} tokens only"
        raise UnexpectedResponse(msg)
