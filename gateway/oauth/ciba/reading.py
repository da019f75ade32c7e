"""Reads a backchannel authentication request, and judges it as far as that needs nobody else (CIBA Core §7.1, §7.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.oauth.ciba.model import USUAL_SECONDS
from gateway.oauth.ciba.refusals import no_backchannel_client, strange_binding_message
from gateway.oauth.grant_management.wishes import read_grant_wish
from gateway.oauth.jose.request_object import SignedKind
from gateway.oauth.rar.asked import read_asked, require_may_ask
from gateway.oauth.refusals import invalid_request
from gateway.register.model import DeliveryMode, GrantType

if TYPE_CHECKING:
    from gateway.oauth.grant_management.model import GrantWish
    from gateway.oauth.parameters import Parameters
    from gateway.oauth.rar.asked import Asked
    from gateway.register.model import Client, Tpp

PARAMETERS: Final = frozenset(
    {
        "scope", "authorization_details", "login_hint", "login_hint_token", "id_token_hint", "binding_message",
        "requested_expiry", "client_notification_token", "request", "grant_management_action", "grant_id",
    }
)  # fmt: skip
SIGNED_REQUESTS: Final = SignedKind(known=PARAMETERS, is_backchannel=True)
_HINTS: Final = ("login_hint", "login_hint_token", "id_token_hint")
_LOGIN: Final = re.compile(r"[!-~]{1,64}")
_MESSAGE: Final = re.compile(r"[A-Za-z0-9 .,:;#+/()_-]{1,40}")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,5}")
# RFC 6750 §2.1; 128 bits at least (CIBA Core §7.1), 1,024 characters at most.
_TOKEN: Final = re.compile(r"(?=.{22,1024}$)[A-Za-z0-9._~+/-]+=*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client wants a PSU to be asked; `notification_token` is there where the client is to be told."""

    asked: Asked
    grant: GrantWish | None
    psu: str
    binding_message: str | None
    seconds: int
    notification_token: str | None


def read_wanted(parameters: Parameters, client: Client, tpp: Tpp, *, location: str, most_seconds: int) -> Wanted:
    """Read a request of an authenticated client; raises `OAuthRefused`."""
    require_registered(client)
    asked = read_asked(parameters)
    require_may_ask(asked, tpp, types=client.authorization_details_types, location=location)
    return Wanted(
        asked=asked,
        grant=read_grant_wish(parameters),
        psu=_hint(parameters),
        binding_message=_message(parameters),
        seconds=_seconds(parameters, most_seconds),
        notification_token=_notification_token(parameters, client),
    )


def require_registered(client: Client) -> None:
    """Raise `OAuthRefused` unless the client has registered for this (CIBA Core §4)."""
    if GrantType.CIBA not in client.grant_types or client.backchannel_token_delivery_mode is None:
        raise no_backchannel_client()


def _hint(parameters: Parameters) -> str:
    given = [name for name in _HINTS if parameters.get(name) is not None]
    if len(given) != 1:
        rule = "is missing: exactly one hint says whom to ask" if not given else "stands beside another hint: send one only"
        raise invalid_request(given[-1] if given else "login_hint", rule, clause="CIBA Core §7.1")
    if given[0] != "login_hint":
        raise invalid_request(given[0], "is not taken: send login_hint, the PSU's id at its bank", clause="CIBA Core §7.1")
    hint = parameters.require("login_hint")
    if not _LOGIN.fullmatch(hint):
        raise invalid_request("login_hint", "must be the PSU's id at its bank, 1 to 64 characters", clause="CIBA Core §7.1")
    return hint


def _message(parameters: Parameters) -> str | None:
    message = parameters.get("binding_message")
    if message is not None and not _MESSAGE.fullmatch(message):
        raise strange_binding_message("must be 1 to 40 letters, digits, spaces or signs of . , : ; # + / ( ) _ -")
    return message


def _seconds(parameters: Parameters, most: int) -> int:
    text = parameters.get("requested_expiry")
    if text is None:
        return min(USUAL_SECONDS, most)
    if not _SECONDS.fullmatch(text):
        raise invalid_request("requested_expiry", "must be a positive number of seconds", clause="CIBA Core §7.1")
    return min(int(text), most)


def _notification_token(parameters: Parameters, client: Client) -> str | None:
    if client.backchannel_token_delivery_mode is not DeliveryMode.PING:
        return None
    token = parameters.require("client_notification_token", "is missing: a client that is pinged must send one")
    if not _TOKEN.fullmatch(token):
        rule = "must be a bearer token of 22 to 1024 characters, 128 random bits at least"
        raise invalid_request("client_notification_token", rule, clause="CIBA Core §7.1")
    return token
