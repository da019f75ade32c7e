"""Pushing an authorization request, so that the browser carries nothing but a reference to it (RFC 9126)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tpp_client.authorization import authorization_parameters
from tpp_client.documents import document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.discovery import ServerMetadata
    from tpp_client.wire import HttpResponse, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRequest:
    """The reference to a pushed request; `expires_in` is in seconds."""

    request_uri: str = field(repr=False)
    expires_in: int


def push_request(transport: Transport, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> HttpResponse:
    """Push the request, authenticated as at the token endpoint."""
    if not metadata.pushed_authorization_request_endpoint:
        msg = f"{metadata.issuer} takes no pushed authorization requests, and this client may send no others"
        raise UnexpectedResponse(msg)
    return transport.send(form_request(metadata.pushed_authorization_request_endpoint, authorization_parameters(attempt)))


def process_push_response(response: HttpResponse) -> PushedRequest:
    """Judge the answer (RFC 9126 §2.2)."""
    require_status(response, HTTPStatus.CREATED)
    document = document_of(response)
    return PushedRequest(request_uri=document.text("request_uri"), expires_in=document.whole_number("expires_in"))


def pushed_authorization_url(metadata: ServerMetadata, attempt: AuthorizationAttempt, pushed: PushedRequest) -> str:
    """Return the address that the PSU's browser opens (RFC 9126 §4)."""
    query = {"client_id": attempt.client_id, "request_uri": pushed.request_uri}
    return f"{metadata.authorization_endpoint}?{urlencode(query)}"
