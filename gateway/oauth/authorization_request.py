"""What an authorization request must be before anybody is shown anything (RFC 6749 §4.1.1, RFC 9700 §2.1, BG IG §13.1).

The order matters: until client and redirect URI are known to belong together, a refusal is a page and never a redirect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.oauth.code_challenge import require_challenge
from gateway.oauth.dpop.key_binding import asked_key
from gateway.oauth.grant_management.wishes import read_grant_wish
from gateway.oauth.rar.asked import read_asked, require_announced, require_may_ask
from gateway.oauth.refusals import OAuthRefused, PageRefused, RedirectRefused, Refusal, invalid_request, shown
from gateway.oauth.response_modes import require_response_mode, return_address
from gateway.register.loopback import is_registered
from gateway.register.model import Client, ClientStatus, Tpp, TppStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.oauth.authorization_response import ReturnAddress
    from gateway.oauth.grant_management.model import GrantWish
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.rar.asked import Asked
    from gateway.register.service import RegisteredClient

KNOWN_PARAMETERS: Final = frozenset(
    {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "response_mode",
        "request",
        "request_uri",
        "authorization_details",
        "grant_management_action",
        "grant_id",
        "dpop_jkt",
    }
)
RESPONSE_TYPE: Final = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidRequest:
    """An authorization request that may be put before the PSU."""

    client: Client
    return_address: ReturnAddress
    asked: Asked
    code_challenge: str
    grant: GrantWish | None = None
    dpop_jkt: str | None = None
    pushed_sha256: str | None = None  # of the request_uri that it came by


def validated_request(
    parameters: Parameters, registered: Callable[[str], RegisteredClient | None], *, location: str, is_pushed: bool = False
) -> ValidRequest:
    """Judge an authorization request; raises `PageRefused`, and `RedirectRefused` once the redirect URI is sure.

    `registered` finds the client; `location` is where the bank's interface is, for which tokens are given.
    """
    client, tpp = _known_client(parameters, registered)
    redirect_uri = _registered_redirect_uri(parameters, client)
    to = return_address(parameters, client, redirect_uri)
    try:
        parameters.require_single()
        _require_plain_request(parameters)
        require_response_mode(parameters, client)
        _require_active(client, tpp)
        _require_pushed(client, is_pushed=is_pushed)
        challenge = require_challenge(parameters)
        asked, grant = read_asked(parameters), read_grant_wish(parameters)
        dpop_jkt = asked_key(parameters)
        require_may_ask(asked, tpp, types=client.authorization_details_types, location=location)
        require_announced(asked, is_pushed=is_pushed)
    except OAuthRefused as refused:
        # A status belongs to JSON answers; here the refusal travels in a redirect.
        raise RedirectRefused(refused.refusal, to=to) from refused
    return ValidRequest(
        client=client,
        return_address=to,
        asked=asked,
        code_challenge=challenge,
        grant=grant,
        dpop_jkt=dpop_jkt,
    )


def _known_client(parameters: Parameters, registered: Callable[[str], RegisteredClient | None]) -> RegisteredClient:
    try:
        parameters.require_single({"client_id", "redirect_uri"})
        client_id = parameters.require("client_id")
    except OAuthRefused as refused:
        raise PageRefused(refused.refusal) from refused
    found = registered(client_id)
    if found is None:
        raise PageRefused(
            Refusal(
                error="invalid_client",
                description=f"client_id: {shown(client_id)} is not registered here",
                reason="client.unknown",
                hint="register the client, or correct client_id: client.json in the TPP's folder holds it",
                clause="RFC 6749 §4.1.2.1",
                quoted=shown(client_id),
            )
        )
    return found


def _registered_redirect_uri(parameters: Parameters, client: Client) -> str:
    try:
        redirect_uri = parameters.require("redirect_uri", "is missing: it has to be written out in each request")
    except OAuthRefused as refused:
        raise PageRefused(refused.refusal) from refused
    if not is_registered(redirect_uri, client):
        raise PageRefused(
            Refusal(
                error="invalid_request",
                description=f"redirect_uri: {shown(redirect_uri)} is not registered for this client",
                reason="client.redirect_uri",
                hint="register the address, or send one that is registered, the same in every character",
                clause="RFC 9700 §2.1",
                quoted=shown(redirect_uri),
            )
        )
    return redirect_uri


def _require_plain_request(parameters: Parameters) -> None:
    for name in ("request", "request_uri"):
        if parameters.get(name) is not None:
            refused = invalid_request(name, "is not supported: send the parameters themselves", clause="RFC 9101 §6")
            raise OAuthRefused(replace(refused.refusal, error=f"{name}_not_supported"))
    if parameters.require("response_type", "is missing: write code") != RESPONSE_TYPE:
        refused = invalid_request("response_type", "must be code", clause="RFC 9700 §2.1.2")
        raise OAuthRefused(replace(refused.refusal, error="unsupported_response_type"))


def _require_active(client: Client, tpp: Tpp) -> None:
    if tpp.status is not TppStatus.ACTIVE or client.status is not ClientStatus.ACTIVE:
        raise _unauthorized_client("the TPP or its client is not active", reason="tpp.blocked", hint="ask the operator why")


def _require_pushed(client: Client, *, is_pushed: bool) -> None:
    if client.profile.pushes_requests and not is_pushed:
        raise OAuthRefused(
            Refusal(
                error="invalid_request",
                description=f"request_uri: is missing, clients of the profile {client.profile} push their requests",
                reason="par.required",
                hint="post the parameters to pushed_authorization_request_endpoint, and send request_uri and client_id",
                clause="FAPI 2.0 SP §5.3.2.2",
            )
        )


def _unauthorized_client(description: str, *, reason: str, hint: str) -> OAuthRefused:
    return OAuthRefused(
        Refusal(error="unauthorized_client", description=description, reason=reason, hint=hint, clause="RFC 6749 §4.1.2.1")
    )
