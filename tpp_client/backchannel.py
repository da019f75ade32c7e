"""Authorization without a browser: the PSU decides in its bank app, the TPP polls for the tokens (OpenID CIBA Core 1.0)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tpp_client.documents import document_of
from tpp_client.errors import UnexpectedResponse
from tpp_client.refusals import refusal_of, require_status
from tpp_client.tokens import BEARER, process_token_response
from tpp_client.wire import form_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tpp_client.discovery import ServerMetadata
    from tpp_client.dpop import DpopKey
    from tpp_client.tokens import Tokens
    from tpp_client.wire import HttpResponse, Transport

GRANT_TYPE: Final = "urn:openid:params:grant-type:ciba"
_USUAL_INTERVAL: Final = 5
_SLOWER_BY: Final = 5
_PENDING, _TOO_SOON = "authorization_pending", "slow_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackchannelRequest:
    """A request that a PSU decides on; `interval` and `expires_in` are seconds."""

    auth_req_id: str = field(repr=False)
    expires_in: int
    interval: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided:
    """The PSU has not decided yet; `too_soon` says that the poll came before the interval was over."""

    too_soon: bool

    def interval_after(self, seconds: int) -> int:
        """Return how long to wait from now on: whoever has come too soon waits five seconds more (CIBA Core §11)."""
        return seconds + _SLOWER_BY if self.too_soon else seconds


def backchannel_parameters(
    *, client_id: str, scope: str, psu: str, binding_message: str, notification_token: str | None = None
) -> dict[str, str]:
    """Return what a backchannel request says (CIBA Core §7.1); the token is what the bank shows when it pings the client."""
    told = {"client_id": client_id, "scope": scope, "login_hint": psu, "binding_message": binding_message}
    return told | ({"client_notification_token": notification_token} if notification_token else {})


def backchannel_request(
    transport: Transport, endpoint: str, *, client_id: str, scope: str, psu: str, binding_message: str
) -> HttpResponse:
    """Have the bank ask a PSU, who sees the message in its app."""
    parameters = backchannel_parameters(client_id=client_id, scope=scope, psu=psu, binding_message=binding_message)
    return transport.send(form_request(endpoint, parameters))


def backchannel_parameters_request(
    transport: Transport, metadata: ServerMetadata, parameters: Mapping[str, str]
) -> HttpResponse:
    """Ask with parameters as they are, such as a signed request object; raises `UnexpectedResponse` where nobody can."""
    if not metadata.backchannel_authentication_endpoint:
        msg = f"{metadata.issuer} has no backchannel_authentication_endpoint: it asks nobody without a browser (CIBA Core §4)"
        raise UnexpectedResponse(msg)
    return transport.send(form_request(metadata.backchannel_authentication_endpoint, parameters))


def process_backchannel_response(response: HttpResponse) -> BackchannelRequest:
    """Judge the answer (CIBA Core §7.3); where it names no interval, five seconds count."""
    require_status(response, HTTPStatus.OK)
    document = document_of(response)
    return BackchannelRequest(
        auth_req_id=document.text("auth_req_id"),
        expires_in=document.whole_number("expires_in"),
        interval=document.whole_number("interval") if "interval" in document else _USUAL_INTERVAL,
    )


def backchannel_token_request(
    transport: Transport, token_endpoint: str, begun: BackchannelRequest, *, client_id: str, key: DpopKey | None = None
) -> HttpResponse:
    """Ask for the tokens; with a key they are bound to it (RFC 9449 §5)."""
    fields = {"grant_type": GRANT_TYPE, "auth_req_id": begun.auth_req_id, "client_id": client_id}
    headers = {} if key is None else {"DPoP": key.proof("POST", token_endpoint)}
    return transport.send(form_request(token_endpoint, fields, headers))


def process_backchannel_token_response(
    response: HttpResponse, *, asked_scope: str = "", token_type: str = BEARER
) -> Tokens | Undecided:
    """Judge the answer to a poll (CIBA Core §11): tokens, or not yet; raises `Refused` where there will be none."""
    if response.status == HTTPStatus.BAD_REQUEST and (code := refusal_of(response).code) in {_PENDING, _TOO_SOON}:
        return Undecided(too_soon=code == _TOO_SOON)
    return process_token_response(response, asked_scope=asked_scope, token_type=token_type)
