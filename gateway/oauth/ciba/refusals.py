"""What a backchannel request, or a poll for its tokens, is refused with (CIBA Core §11, §13)."""

from __future__ import annotations

from typing import Final

from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_grant

_AUTHENTICATION: Final = "CIBA Core §13"
_TOKEN: Final = "CIBA Core §11"  # noqa: S105 - a clause


def unknown_user() -> OAuthRefused:
    """Return the refusal of a hint that leads to nobody."""
    description, hint = "login_hint: names no PSU of this bank", "send the PSU's id at its bank"
    return _refused("unknown_user_id", description, "ciba.psu", hint, _AUTHENTICATION)


def strange_binding_message(rule: str) -> OAuthRefused:
    """Return the refusal of a message that could not be shown."""
    hint = "send a few words or signs that the PSU sees at the TPP as well"
    return _refused("invalid_binding_message", f"binding_message: {rule}", "ciba.binding_message", hint, _AUTHENTICATION)


def no_backchannel_client() -> OAuthRefused:
    """Return the refusal of a client that has not registered for this."""
    description = "the client is not registered for backchannel authentication"
    hint = "register it with the grant type urn:openid:params:grant-type:ciba and a backchannel_token_delivery_mode"
    return _refused("unauthorized_client", description, "ciba.client", hint, _AUTHENTICATION)


def resource_unknown(scope: str) -> OAuthRefused:
    """Return the refusal of a consent or payment that there is not."""
    description, hint = f"scope: the bank knows no {scope} of this TPP", "make the consent or payment first, and name its id"
    return _refused("invalid_scope", description, "resource.unknown", hint, "BG IG 1.3.8 §13.1")


def resource_not_awaiting(scope: str) -> OAuthRefused:
    """Return the refusal of a consent or payment that is decided."""
    description = f"scope: {scope} is not waiting to be authorised"
    return _refused("invalid_scope", description, "resource.state", "make a new one", "BG IG 1.3.8 §13.1")


def bank_unavailable() -> OAuthRefused:
    """Return the refusal while the bank does not answer."""
    description, hint = "the bank can't be reached at the moment", "send the request again in a moment"
    return _refused("temporarily_unavailable", description, "upstream.bank", hint, "RFC 9110 §15.6.4", status=503)


def not_offered() -> OAuthRefused:
    """Return the refusal where the bank asks nobody in an app: a decision on all such requests, as §13 foresees."""
    description = "this bank does not offer the decoupled approach, by which a PSU is asked in its bank app"
    hint = "send the PSU to /authorize; GET /sandbox/v1/personality tells what this bank offers"
    return _refused("access_denied", description, "ciba.not_offered", hint, _AUTHENTICATION, status=403)


def asked_too_often(asks: int, wait_seconds: int) -> OAuthRefused:
    """Return the refusal of one ask too many: the server's own decision, made before the PSU hears of it (CIBA Core §13)."""
    description = f"login_hint: this PSU has been asked {asks} times lately without a yes, and is asked no more for now"
    hint = f"wait {wait_seconds} s before the next one, and for the PSU to expect it; each yes is counted out again"
    return _refused("access_denied", description, "ciba.too_many_asks", hint, _AUTHENTICATION, status=403)


def allowance_unknown() -> OAuthRefused:
    """Return the refusal while nobody can tell how often the PSU has been asked."""
    description, hint = "how often the PSU has been asked can't be told at the moment", "send the request again in a moment"
    return _refused("temporarily_unavailable", description, "ciba.allowance", hint, "RFC 9110 §15.6.4", status=503)


def pending() -> OAuthRefused:
    """Return the answer while the PSU has not decided."""
    hint = "ask again after the interval, or wait for the ping"
    return _refused("authorization_pending", "the PSU has not decided yet", "ciba.pending", hint, _TOKEN)


def too_soon() -> OAuthRefused:
    """Return the answer to a poll that came within the interval."""
    description = "auth_req_id: was asked about too soon; the interval is 5 seconds longer from now on"
    return _refused("slow_down", description, "ciba.slow_down", "wait for the interval between two polls", _TOKEN)


def expired() -> OAuthRefused:
    """Return the refusal of a request that nobody decided on in time."""
    return _refused("expired_token", "auth_req_id: has expired", "ciba.expired", "begin a new request", _TOKEN)


def denied() -> OAuthRefused:
    """Return the refusal where the PSU said no, or could not be asked: which, is between the bank and its customer."""
    return _refused("access_denied", "the PSU refused", "ciba.denied", "ask the PSU why before you ask again", _TOKEN)


def unknown_request() -> OAuthRefused:
    """Return the refusal of an id that was not given to this client."""
    description = "auth_req_id: is not known, or was given to another client"
    hint = "send the auth_req_id unchanged, with the client_id that it was given to"
    return invalid_grant(description, reason="ciba.unknown", hint=hint, clause=_TOKEN)


def already_redeemed() -> OAuthRefused:
    """Return the refusal of an id whose tokens have been given."""
    description, hint = "auth_req_id: was redeemed before", "use the tokens that it gave, or begin a new request"
    return invalid_grant(description, reason="ciba.redeemed", hint=hint, clause=_TOKEN)


def _refused(error: str, description: str, reason: str, hint: str, clause: str, *, status: int = 400) -> OAuthRefused:
    return OAuthRefused(Refusal(error=error, description=description, reason=reason, hint=hint, clause=clause, status=status))
