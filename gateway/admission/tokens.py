"""The access token of a request: known, in force, of this TPP and certificate, wide enough (RFC 6750, RFC 8705 §3).

A token that is bound to a key (RFC 9449) comes as `DPoP`, any other as `Bearer`, and neither as the other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.admission.refusal import Refusal, Scheme
from gateway.admission.tpps import admitted_tpp
from gateway.policies.model import TokenBinding, TokenRule
from gateway.register.model import ClientStatus

if TYPE_CHECKING:
    from gateway.admission.memory import Memory
    from gateway.admission.request import Leaf, Request
    from gateway.policies.model import Route
    from gateway.register.model import Client, Tpp

# RFC 6750 §2.1; the limit is far beyond the 43 characters of ours.
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]{1,512}=*)")
# How the kinds are written that name a resource (BG IG 1.3.8 §13.1).
_VALUES = {"AIS": "AIS:<consentId>", "PIS": "PIS:<paymentId>", "PIIS": "PIIS:<consentId>"}
_DPOP = re.compile(rb"[Dd][Pp][Oo][Pp] +([A-Za-z0-9\-._~+/]{1,512}=*)")  # RFC 9449 §7.1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A token as issued. Times are epoch seconds.

    `thumbprint` is the `x5t#S256` of the certificate that it is bound to, `jkt` of the key; empty where to none.
    """

    sha256: str
    client_id: str
    authorisation_number: str
    scope: str
    subject: str | None
    thumbprint: str
    expires_at: float
    revoked_at: float | None
    jkt: str = ""


def active_token(request: Request, route: Route, tokens: Memory[AccessToken], now: float) -> AccessToken | None:
    """Return the token, None where the route does without one; raises 401, 400, `NotLoaded`.

    One that is presented is judged in any case: a token that is no good must not pass as none at all.
    """
    if route.token is TokenRule.OFF or (request.authorization is None and route.token is TokenRule.IF_PRESENTED):
        return None
    secret, scheme = _presented(request.authorization)
    token = tokens.known(hashlib.sha256(secret).hexdigest())
    if token is None:
        raise Refusal("token.unknown", scheme=scheme)
    if token.revoked_at is not None:
        raise Refusal("token.revoked", f"of client {token.client_id}", scheme=scheme)
    if now >= token.expires_at:
        raise Refusal("token.expired", f"of client {token.client_id}", scheme=scheme)
    if token.jkt and scheme is Scheme.BEARER:
        raise Refusal("token.dpop_as_bearer", f"of client {token.client_id}", scheme=Scheme.DPOP)
    if scheme is Scheme.DPOP and not token.jkt:
        raise Refusal("token.bearer_as_dpop", f"of client {token.client_id}")
    return token


def presented_secret(authorization: bytes | None) -> bytes:
    """Return the access token as it was sent; raises 401, 400."""
    return _presented(authorization)[0]


def _presented(authorization: bytes | None) -> tuple[bytes, Scheme]:
    if authorization is None:
        raise Refusal("token.missing")
    match = _BEARER.fullmatch(authorization)
    if match is not None:
        return match[1], Scheme.BEARER
    match = _DPOP.fullmatch(authorization)
    if match is not None:
        return match[1], Scheme.DPOP
    raise Refusal("token.malformed")


def require_binding(token: AccessToken | None, leaf: Leaf | None, route: Route) -> None:
    """Raise 401 unless the token is bound to `leaf`, the certificate that is looked at, as far as the route wants it bound."""
    if token is None or route.token_binding is TokenBinding.OFF:
        return
    if not token.thumbprint:
        if token.jkt or route.token_binding is TokenBinding.IF_BOUND:
            return
        raise Refusal("token.unbound", f"token of client {token.client_id}")
    if leaf is None:
        raise Refusal("token.cnf_without_certificate")
    if not hmac.compare_digest(token.thumbprint, leaf.thumbprint):
        raise Refusal("token.cnf_mismatch", f"token of client {token.client_id} is bound to {token.thumbprint}")


def owner_of(token: AccessToken | None, tpps: Memory[Tpp]) -> Tpp | None:
    """Return the TPP of a token that came without a certificate; raises 401, `NotLoaded`."""
    return None if token is None else admitted_tpp(token.authorisation_number, tpps)


def require_owner(token: AccessToken | None, tpp: Tpp | None, clients: Memory[Client]) -> None:
    """Raise 401 unless the token's client is active and belongs to this TPP; raises `NotLoaded`."""
    if token is None:
        return
    if tpp is None or token.authorisation_number != tpp.authorisation_number:
        raise Refusal("token.other_tpp", f"token of {token.authorisation_number}")
    client = clients.known(token.client_id)
    if client is None or client.status is not ClientStatus.ACTIVE:
        raise Refusal("token.client_inactive", f"client {token.client_id}")
    if client.authorisation_number != tpp.authorisation_number:
        raise Refusal("token.other_tpp", f"client {token.client_id} belongs to {client.authorisation_number}")


def require_scope(token: AccessToken | None, route: Route) -> None:
    """Raise 403 unless the token holds a scope value of one of the route's kinds: `AIS:<consentId>` for `AIS`.

    A kind in small letters is a value by itself, which names no resource: `grant_management_query`.
    """
    if token is None:
        return
    if not any(_is_of(value, route.scopes) for value in token.scope.split(" ")):
        needed = " or ".join(_VALUES.get(scope, scope) for scope in route.scopes)
        hint = f"Ask for a token with the scope {needed}: that is what this route wants."
        raise Refusal("token.scope", f"scope is {token.scope}, {needed} is needed", hint=hint)


def _is_of(value: str, kinds: tuple[str, ...]) -> bool:
    kind, _, resource = value.partition(":")
    return kind in kinds and (bool(resource) or value.islower())
