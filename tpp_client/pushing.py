"""Pushing an authorization request before the PSU is sent anywhere (RFC 9126)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tpp_client.authorization import authorization_parameters
from tpp_client.documents import document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import require_status
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.authorization import AuthorizationAttempt
    from tpp_client.discovery import ServerMetadata
    from tpp_client.wire import HttpResponse, Transport


def pushed_request(transport: Transport, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> HttpResponse:
    """Push what an attempt asks for, over the TPP's QWAC; raises `UnexpectedResponse` where the server takes no such thing."""
    return pushed_parameters_request(transport, metadata, authorization_parameters(attempt))


def pushed_parameters_request(transport: Transport, metadata: ServerMetadata, parameters: Mapping[str, str]) -> HttpResponse:
    """Push parameters as they are, such as a signed request object; raises `UnexpectedResponse`."""
    if not metadata.pushed_authorization_request_endpoint:
        msg = f"{metadata.issuer} takes no pushed authorization requests, and this client may send no others"
        raise UnexpectedResponse(msg)
    return transport.send(form_request(metadata.pushed_authorization_request_endpoint, parameters))


def process_pushed_response(response: HttpResponse, metadata: ServerMetadata, attempt: AuthorizationAttempt) -> str:
    """Return the address that the PSU's browser opens: it names what was pushed, and nothing else (RFC 9126 §4)."""
    require_status(response, HTTPStatus.CREATED)
    query = {"client_id": attempt.client_id, "request_uri": document_of(response).text("request_uri")}
    return f"{metadata.authorization_endpoint}?{urlencode(query)}"
