"""`private_key_jwt`: a client proves itself by a JWT of its own, good for one request (RFC 7523 §3, FAPI 2.0 SP §5.3.2.1)."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from gateway.oauth.jose.algorithms import SUPPORTED
from gateway.oauth.jose.jws import typ_of
from gateway.oauth.jose.refusals import JwsRefused
from gateway.oauth.jose.strict_json import NotAnObject, read_object
from gateway.oauth.refusals import OAuthRefused, invalid_client, invalid_request

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.oauth.jose.claims import Claims
    from gateway.oauth.jose.client_keys import ClientKeys
    from gateway.oauth.parameters import Parameters
    from gateway.register.model import Client
    from psd2.clock import Clock

ASSERTION_PARAMETERS: Final = ("client_assertion_type", "client_assertion")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TYPED: Final = "client-authentication+jwt"
MOST_CLOCK_DIFFERENCE: Final = timedelta(seconds=60)
"""How far ahead a client's clock may be: 10 s has to be borne with, more than 60 s has not (FAPI 2.0 SP §5.3.2.1)."""
MOST_LIFETIME: Final = timedelta(hours=1)
MOST_ID_CHARACTERS: Final = 256
_PARTS: Final = 3
_CLAUSE: Final = "RFC 7523 §3"
_FAPI: Final = "FAPI 2.0 SP §5.3.2.1"


class AssertionUsed(Exception):
    """An assertion that has been used before."""


class UsedAssertions(Protocol):
    """Which assertions have been used, of all workers."""

    def use(self, sha256: str, expires_at: datetime) -> None:
        """Note that an assertion is used; raises `AssertionUsed` for all but the first."""


class Assertions:
    """Judges clients' assertions."""

    def __init__(self, *, keys: ClientKeys, used: UsedAssertions, clock: Clock, issuer: str) -> None:
        self._keys = keys
        self._used = used
        self._clock = clock
        self._issuer = issuer

    def require(self, parameters: Parameters, client: Client) -> None:
        """Raise `OAuthRefused` unless the request holds an assertion of the client, made for this server and not used yet."""
        claims = self._verified(_assertion(parameters), client)
        now = self._clock.now()
        try:
            require_client_claims(claims, client_id=client.client_id, issuer=self._issuer, now=now)
            identifier, expires_at = claims.text("jti"), claims.moment("exp")
        except JwsRefused as refused:
            raise _refused(refused) from refused
        if len(identifier) > MOST_ID_CHARACTERS:
            raise _fault("jti", f"has more than {MOST_ID_CHARACTERS} characters")
        try:
            self._used.use(_used_sha256(client.client_id, identifier), expires_at)
        except AssertionUsed as error:
            raise _fault("jti", "was used before: an assertion is good for one request", reason="assertion.replayed") from error

    def _verified(self, compact: str, client: Client) -> Claims:
        wanted = client.token_endpoint_auth_signing_alg
        algs = SUPPORTED if wanted is None else frozenset({wanted})
        try:
            typ = TYPED if typ_of(compact) == TYPED else None
            return self._keys.verified(compact, client, algs=algs, typ=typ)
        except JwsRefused as refused:
            raise _refused(refused) from refused


def require_client_claims(claims: Claims, *, client_id: str, issuer: str, now: datetime) -> None:
    """Raise `OAuthRefused` or `JwsRefused` unless the claims name client, audience and time as they must."""
    for name in ("iss", "sub"):
        if claims.text(name) != client_id:
            raise _fault(name, "is not the client_id of the client")
    # One text and this issuer: whoever shows an assertion elsewhere must not be able to use it here, nor the other way round.
    if claims.values.get("aud") != issuer:
        raise _fault("aud", f"must be {issuer}, as a text and nothing else", clause=_FAPI)
    expires_at = claims.moment("exp")
    if expires_at <= now:
        raise _fault("exp", "has passed: make a new assertion for each request")
    if expires_at - now > MOST_LIFETIME + MOST_CLOCK_DIFFERENCE:
        raise _fault("exp", f"is more than {MOST_LIFETIME} ahead")
    for name in ("iat", "nbf"):
        moment = claims.optional_moment(name)
        if moment is not None and moment - now > MOST_CLOCK_DIFFERENCE:
            seconds = int(MOST_CLOCK_DIFFERENCE.total_seconds())
            raise _fault(name, f"is more than {seconds} s ahead: set the client's clock", clause=_FAPI)


def asserted_client_id(parameters: Parameters) -> str | None:
    """Return whose assertion the request holds, before anything is verified; None where there is none.

    Raises `OAuthRefused` for one that names nobody: no client_id stands beside it.
    """
    assertion = parameters.get("client_assertion")
    if assertion is None:
        return None
    parts = assertion.split(".")
    if len(parts) != _PARTS:
        raise _nobodys("is no JWS: three parts of base64url without padding, joined by dots")
    try:
        subject = read_object(urlsafe_b64decode(parts[1].encode())).get("sub")
    except NotAnObject as error:
        raise _nobodys(f"its payload {error}") from error
    except (ValueError, JoseError) as error:
        raise _nobodys("its payload is not base64url") from error
    # It is looked for as a form's client_id would be, and no other characters are (RFC 6749 Appendix A.1).
    if not (isinstance(subject, str) and subject.isascii() and subject.isprintable()):
        raise _nobodys("claim sub: names no client, and no client_id stands beside it")
    return subject


def _assertion(parameters: Parameters) -> str:
    if parameters.require("client_assertion_type") != ASSERTION_TYPE:
        raise invalid_request("client_assertion_type", f"must be {ASSERTION_TYPE}", clause="RFC 7523 §2.2")
    return parameters.require("client_assertion")


def _nobodys(rule: str) -> OAuthRefused:
    return invalid_client(
        f"client_assertion: {rule}",
        reason="assertion.sub",
        hint="sign an assertion with iss and sub the client_id",
        clause="RFC 7521 §4.2",
    )


def _used_sha256(client_id: str, identifier: str) -> str:
    return hashlib.sha256(json.dumps([client_id, identifier]).encode()).hexdigest()


def _refused(refused: JwsRefused) -> OAuthRefused:
    reason = f"assertion.{refused.reason.removeprefix('jose.').removeprefix('claim.')}"
    return invalid_client(f"client_assertion: {refused.text}", reason=reason, hint=refused.hint, clause=refused.clause)


def _fault(claim: str, rule: str, *, reason: str | None = None, clause: str = _CLAUSE) -> OAuthRefused:
    return invalid_client(
        f"client_assertion: claim {claim}: {rule}",
        reason=reason or f"assertion.{claim}",
        hint="sign an assertion with iss and sub the client_id, aud the issuer, exp in a minute and a jti of its own",
        clause=clause,
    )
