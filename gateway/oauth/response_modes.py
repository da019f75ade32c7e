"""Which response mode a request asks for, and which its client may and must ask for (JARM §4.3, FAPI 2.0 MS §5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.authorization_response import DEFAULT_ALG, ResponseMode, ReturnAddress
from gateway.oauth.refusals import invalid_request

if TYPE_CHECKING:
    from gateway.oauth.parameters import Parameters
    from gateway.register.model import Client


def return_address(parameters: Parameters, client: Client, redirect_uri: str) -> ReturnAddress:
    """Return where the answer to a request goes, be it a refusal: signed if that is asked for, or registered as a must."""
    is_signed = client.profile.signs_messages or _asks_for_signed(parameters)
    return ReturnAddress(
        redirect_uri=redirect_uri,
        state=None if "state" in parameters.repeated else parameters.get("state"),
        client_id=client.client_id,
        response_alg=(client.authorization_signed_response_alg or DEFAULT_ALG).value if is_signed else None,
    )


def require_response_mode(parameters: Parameters, client: Client) -> None:
    """Raise `OAuthRefused` unless the response mode is one of ours, and a signed one where the client's profile wants it."""
    named = parameters.get("response_mode")
    if named not in {None, *ResponseMode}:
        raise invalid_request("response_mode", f"must be one of {', '.join(ResponseMode)}, or left out")
    if client.profile.signs_messages and not _asks_for_signed(parameters):
        raise invalid_request("response_mode", "must be jwt: answers to this client are signed", clause="FAPI 2.0 MS §5.4")


def _asks_for_signed(parameters: Parameters) -> bool:
    named = parameters.get("response_mode")
    return named in set(ResponseMode) and ResponseMode(named).is_signed
