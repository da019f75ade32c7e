"""Authorization without a browser: the PSU decides in its bank app, the TPP polls for the tokens (OpenID CIBA Core 1.0)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tpp_client.documents import document_of
from tpp_client.refusals import require_status
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from tpp_client.dpop import DpopKey
    from tpp_client.wire import HttpResponse, Transport

GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelRequest:
    """A request that a PSU decides on; `interval` and `expires_in` are seconds."""

    auth_req_id: str = field(repr=False)
    expires_in: int
    interval: int


def backchannel_request(
    transport: Transport, endpoint: str, *, client_id: str, scope: str, psu: str, binding_message: str
) -> HttpResponse:
    """Have the bank ask a PSU, who sees the message in its app."""
    fields = {"client_id": client_id, "scope": scope, "login_hint": psu, "binding_message": binding_message}
    return transport.send(form_request(endpoint, fields))


def process_backchannel_response(response: HttpResponse) -> BackchannelRequest:
    """Judge the answer (CIBA Core §7.3); where it names no interval, five seconds count."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    return BackchannelRequest(
        auth_req_id=document.text("auth_req_id"),
        expires_in=document.whole_number("expires_in"),
        interval=document.whole_number("interval") if "interval" in document else 5,
    )


def backchannel_token_request(
    transport: Transport, token_endpoint: str, begun: BackchannelRequest, *, client_id: str, key: DpopKey | None = None
) -> HttpResponse:
    """Ask for the tokens; with a key they are bound to it (RFC 9449 §5)."""
    fields = {"grant_type": GRANT_TYPE, "auth_req_id": begun.auth_req_id, "client_id": client_id}
    headers = {} if key is None else {"DPoP": key.proof("POST", token_endpoint)}
    return transport.send(form_request(token_endpoint, fields, headers))
