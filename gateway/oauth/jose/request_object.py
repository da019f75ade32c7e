"""Signed requests of clients: authorization requests (RFC 9101, FAPI 2.0 MS §5.3) and backchannel ones (CIBA Core §7.1.1)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.claims import claim_refused
from gateway.oauth.jose.jws import typ_of
from gateway.oauth.jose.refusals import JwsRefused
from gateway.oauth.parameters import readable_parameters
from gateway.oauth.refusals import OAuthRefused, Refusal, invalid_request

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from gateway.oauth.jose.claims import Claims
    from gateway.oauth.jose.client_keys import KeyHolder
    from gateway.oauth.parameters import Parameters
    from gateway.register.model import Client, SigningAlg
    from psd2.clock import Clock

REQUEST_TYP: Final = "oauth-authz-req+jwt"
OLDEST: Final = timedelta(minutes=60)
LONGEST: Final = timedelta(minutes=60)
# FAPI 2.0 SP §5.3.2.1: clocks of clients go wrong by as much.
CLOCKS_APART: Final = timedelta(seconds=10)
_BESIDE: Final = frozenset({"request", "client_id", "client_assertion", "client_assertion_type", "client_secret"})
_MS: Final = "FAPI 2.0 MS §5.3.1"


class VerifyingKeys(Protocol):
    """The keys of all clients."""

    def verified(self, compact: str, client: KeyHolder, *, algs: Collection[SigningAlg] = ..., typ: str | None = ...) -> Claims:
        """Return what a message of the client says; raises `JwsRefused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedKind:
    """One kind of signed requests, with the parameters that it knows.

    Backchannel requests are dated, name their client by `iss`, and are refused as any others (CIBA Core §7.1.1, §13).
    """

    known: frozenset[str]
    is_backchannel: bool = False

    @property
    def error(self) -> str:
        """What a refusal is called."""
        return "invalid_request" if self.is_backchannel else "invalid_request_object"

    def must_be_signed(self, client: Client) -> bool:
        """Whether a client may send no others."""
        return client.must_sign_backchannel_requests if self.is_backchannel else client.must_sign_requests

    def algs_of(self, client: Client) -> Collection[SigningAlg]:
        """Return the algorithms that a client may sign by: the one that it has registered, or all."""
        own = client.backchannel_authentication_request_signing_alg if self.is_backchannel else None
        registered = own or client.request_object_signing_alg
        return SUPPORTED if registered is None else {registered}


class RequestObjects:
    """Takes the parameters of requests of one kind from what clients signed."""

    def __init__(self, *, keys: VerifyingKeys, issuer: str, clock: Clock, kind: SignedKind) -> None:
        """Claims that the kind does not know are ignored."""
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._kind = kind

    def effective(self, outer: Parameters, client: Client) -> Parameters:
        """Return the parameters that count: those signed, or those sent by who need not sign; raises `OAuthRefused`."""
        compact = outer.get("request")
        if compact is None:
            if self._kind.must_be_signed(client):
                raise invalid_request("request", "is missing: this client signs its requests", clause=_MS)
            return outer
        for name in sorted(outer.values.keys() - _BESIDE):
            raise invalid_request(name, "belongs into the request object, and nowhere else", clause="RFC 9126 §3")
        try:
            return parameters_of_request_object(
                self._verified(compact, client),
                client_id=client.client_id,
                issuer=self._issuer,
                now=self._clock.now(),
                kind=self._kind,
            )
        except JwsRefused as refused:
            raise _invalid(self._kind.error, refused) from refused

    def _verified(self, compact: str, client: Client) -> Claims:
        # Clients "should" send the type (FAPI 2.0 MS §5.3.2): a message that names none is taken, none that names another.
        typ = None if typ_of(compact) is None else REQUEST_TYP
        return self._keys.verified(compact, client, algs=self._kind.algs_of(client), typ=typ)


def parameters_of_request_object(claims: Claims, *, client_id: str, issuer: str, now: datetime, kind: SignedKind) -> Parameters:
    """Return the parameters that a request object holds; raises `JwsRefused`, and `OAuthRefused` for a parameter."""
    _require_from_to(claims, client_id=client_id, issuer=issuer, kind=kind)
    _require_timely(claims, now)
    if kind.is_backchannel:
        claims.moment("iat")
        claims.text("jti")
    for name in ("request", "request_uri"):
        if name in claims.values:
            raise claim_refused(name, "must not stand in a request object", clause="RFC 9101 §4")
    return readable_parameters(
        {name: _as_parameter(name, value) for name, value in claims.values.items() if name in kind.known}
    )


def _require_from_to(claims: Claims, *, client_id: str, issuer: str, kind: SignedKind) -> None:
    for name, clause in (("iss", "RFC 9101 §4"), ("client_id", "RFC 9101 §5")):
        is_wanted = name == "iss" or not kind.is_backchannel or name in claims.values
        if is_wanted and claims.text(name) != client_id:
            raise claim_refused(name, "must be the client_id that the request is sent with", clause=clause)
    if issuer not in claims.audiences():
        raise claim_refused("aud", f"must be, or hold, the issuer {issuer}", clause=_MS)
    if claims.values.get("sub") == client_id:
        # What authenticates a client has it; what it asks for has not: neither passes for the other.
        raise claim_refused("sub", "must not be the client_id: that is what client assertions say", clause="RFC 9101 §10.8")


def _require_timely(claims: Claims, now: datetime) -> None:
    begins, ends, made = claims.moment("nbf"), claims.moment("exp"), claims.optional_moment("iat")
    if begins > now + CLOCKS_APART:
        raise claim_refused("nbf", "lies in the future", clause="RFC 7519 §4.1.5")
    if begins < now - OLDEST:
        raise claim_refused("nbf", "lies more than 60 minutes in the past", clause=_MS)
    if ends <= now:
        raise claim_refused("exp", "has passed", clause="RFC 7519 §4.1.4")
    if ends > begins + LONGEST:
        raise claim_refused("exp", "lies more than 60 minutes after nbf", clause=_MS)
    if made is not None and made > now + CLOCKS_APART:
        raise claim_refused("iat", "lies in the future", clause="FAPI 2.0 SP §5.3.2.1")


def _as_parameter(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if name == "authorization_details" and isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)  # an array in a JWT, its text in a form (RFC 9396 §3)
    if name == "requested_expiry" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # may be either (CIBA Core §7.1.1)
    kinds = "an array, or a text that holds one" if name == "authorization_details" else "a text"
    raise claim_refused(name, f"must be {kinds}", clause="RFC 9101 §4")


def _invalid(error: str, refused: JwsRefused) -> OAuthRefused:
    return OAuthRefused(
        Refusal(
            error=error,
            description=f"request: {refused.text}",
            reason=refused.reason,
            hint=refused.hint,
            clause=refused.clause,
        )
    )
