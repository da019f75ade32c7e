"""Makes tokens: opaque, random, kept as hashes, and bound to the certificate presented (RFC 8705 §3, RFC 6750)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway.oauth.dpop.key_binding import require_asked_key
from gateway.oauth.grant_management.merging import changed_meanwhile
from gateway.oauth.model import (
    AccessToken,
    AuthorizationCode,
    CodeAlreadyRedeemed,
    GrantReplaced,
    GrantWithdrawn,
    Lifetimes,
    RefreshToken,
    secret_sha256,
)
from gateway.oauth.rar.narrowing import narrowed_details, narrowed_scope
from gateway.oauth.refusals import OAuthRefused, invalid_grant
from gateway.oauth.scope import Service, narrower_scope, resource_of
from gateway.register.model import GrantType
from psd2.ids import new_secret, new_uuid

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.oauth.clients.authentication import AuthenticatedClient
    from gateway.oauth.grant_management.model import GivenGrant
    from psd2.certificates import Psd2Certificate
    from psd2.clock import Clock

SECRET_BYTES: Final = 32
# A payment is authorised once: nothing is left to renew.
_RENEWABLE: Final = frozenset({Service.AIS, Service.PIIS})


class TokenStore(Protocol):
    """Where codes and tokens are kept."""

    def code(self, sha256: str) -> AuthorizationCode | None:
        """Return the code, redeemed or not, or None."""

    def redeem(
        self, code: AuthorizationCode, access: AccessToken, refresh: RefreshToken | None, given: GivenGrant | None = None
    ) -> None:
        """Claim a code and keep what it gave.

        Raises `CodeAlreadyRedeemed` for all but the first, `GrantReplaced` where that was done since `given` was read, and
        `GrantWithdrawn`.
        """

    def add_access_token(self, access: AccessToken) -> None:
        """Keep an access token; raises `GrantWithdrawn` where its client is gone."""

    def add_refreshed(self, access: AccessToken, refresh_sha256: str) -> None:
        """Keep an access token made by a refresh token; raises `GrantWithdrawn` where that was revoked meanwhile."""

    def access_token(self, sha256: str) -> AccessToken | None:
        """Return the access token, living or not, or None."""

    def refresh_token(self, sha256: str) -> RefreshToken | None:
        """Return the refresh token, living or not, or None."""

    def revoke_access_token(self, sha256: str, at: datetime) -> None:
        """Revoke one access token."""

    def revoke_grant(self, grant_id: str, at: datetime) -> None:
        """Revoke every refresh and access token that one decision of the PSU has given."""


class Grants(Protocol):
    """What is kept of grants beside their tokens."""

    def of_code(self, code: AuthorizationCode, *, expires_at: datetime) -> GivenGrant | None:
        """Return the grant that a code gives, None where nothing is kept of it; raises `OAuthRefused`."""

    def details(self, grant_id: str) -> list[dict[str, Any]] | None:
        """Return what a token's grant says in full; None for a token that has a scope and nothing more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who gets a token: the client, the certificate that it presented just now, the key that it proved to have, if it did."""

    client: AuthenticatedClient
    certificate: Psd2Certificate
    jkt: str | None = None

    @property
    def thumbprint(self) -> str:
        """The certificate that a token is bound to; empty for a client whose tokens are bound to a key instead."""
        return "" if self.client.client.dpop_bound_access_tokens else self.certificate.thumbprint


class Tokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, *, store: TokenStore, grants: Grants, clock: Clock, lifetimes: Lifetimes) -> None:
        self._store = store
        self._grants = grants
        self._clock = clock
        self._lifetimes = lifetimes

    def redeemable_code(self, secret: str, client: AuthenticatedClient) -> AuthorizationCode:
        """Return the code that the client may redeem; raises `OAuthRefused` (invalid_grant)."""
        code = self._store.code(secret_sha256(secret))
        if code is None or code.client_id != client.client_id:
            raise _unknown_code()
        if code.claimed_at is not None:
            raise self._replayed(code)
        if code.expires_at <= self._clock.now():
            raise _expired("code", "begin the authorization again, and redeem the code at once")
        return code

    def redeem(self, code: AuthorizationCode, holder: Holder, wanted: str | None = None) -> dict[str, object]:
        """Give the tokens of a code, once; raises `OAuthRefused` (invalid_grant) for all but the first.

        `wanted`: less than what was granted, for the access token (RFC 9396 §6).
        """
        _require_role_still(code.scope, holder.client)
        require_asked_key(code.dpop_jkt, holder.jkt)
        access_secret, refresh_secret = new_secret(SECRET_BYTES), new_secret(SECRET_BYTES)
        scope = narrowed_scope(code.scope, wanted, code.granted)
        access = self._access(access_secret, holder, scope=scope, subject=code.subject, grant_id=code.grant_id)
        renewable = resource_of(code.scope).service in _RENEWABLE and holder.client.check_grant_type(GrantType.REFRESH_TOKEN)
        refresh = self._refresh(refresh_secret, code) if renewable else None
        given = self._kept(code, access, refresh)
        told: dict[str, object] = {"grant_id": code.grant_id} if code.tells_grant else {}
        told |= {} if given is None else {"authorization_details": narrowed_details(given.grant.details, scope)}
        return self._answer(access_secret, access) | ({"refresh_token": refresh_secret} if renewable else {}) | told

    def _kept(self, code: AuthorizationCode, access: AccessToken, refresh: RefreshToken | None) -> GivenGrant | None:
        """Return the grant of a code, which is kept with its tokens; raises `OAuthRefused`."""
        while True:
            given = self._grants.of_code(code, expires_at=self._clock.now() + self._lifetimes.refresh_token)
            try:
                self._store.redeem(code, access, refresh, given)
            except GrantReplaced:
                continue  # by another code, each of which does so once: what that has put there is what this one replaces
            except CodeAlreadyRedeemed as error:
                raise self._lost(code) from error
            except GrantWithdrawn as error:
                raise (_withdrawn() if code.merges is None else changed_meanwhile()) from error
            return given

    def usable_refresh_token(self, secret: str, client: AuthenticatedClient) -> RefreshToken:
        """Return the client's refresh token, unless it expired; raises `OAuthRefused` (invalid_grant).

        Whether it was revoked is judged where it is used, in the transaction that keeps what it gives.
        """
        refresh = self._store.refresh_token(secret_sha256(secret))
        if refresh is None or refresh.client_id != client.client_id:
            raise _unknown_refresh_token()
        if refresh.expires_at <= self._clock.now():
            raise _expired("refresh_token", "ask the PSU for a new authorization")
        _require_role_still(refresh.scope, client)
        return refresh

    def refresh(
        self, refresh: RefreshToken, holder: Holder, wanted: str | None = None, *, scope: str | None = None
    ) -> dict[str, object]:
        """Give a new access token, bound to the certificate presented now; raises `OAuthRefused`.

        The refresh token stays: it is bound to the client by its certificate, so a stolen one is worth nothing, and
        rotation only breaks clients whose answer got lost (FAPI 2.0 §5.3.2.1).
        """
        secret = new_secret(SECRET_BYTES)
        granted = self._grants.details(refresh.grant_id)
        scope = narrowed_scope(narrower_scope(refresh.scope, scope), wanted, granted)
        access = self._access(secret, holder, scope=scope, subject=refresh.subject, grant_id=refresh.grant_id)
        try:
            self._store.add_refreshed(access, refresh.sha256)
        except GrantWithdrawn as error:
            raise _withdrawn() from error
        return self._answer(secret, access) | _told(granted, scope)

    def told_of(self, grant_id: str, scope: str) -> dict[str, object]:
        """Return what answers about a token say of its grant beside the scope (RFC 9396 §7, §9)."""
        return _told(self._grants.details(grant_id), scope)

    def for_client(self, holder: Holder, scope: str) -> dict[str, object]:
        """Give a token that stands for the client alone; it reaches no PSU's data; raises `OAuthRefused`."""
        secret = new_secret(SECRET_BYTES)
        access = self._access(secret, holder, scope=scope, subject=None, grant_id=new_uuid())
        try:
            self._store.add_access_token(access)
        except GrantWithdrawn as error:
            raise _withdrawn() from error
        return self._answer(secret, access)

    def find(self, secret: str) -> AccessToken | RefreshToken | None:
        """Return the token, living or not, or None."""
        sha256 = secret_sha256(secret)
        return self._store.access_token(sha256) or self._store.refresh_token(sha256)

    def is_active(self, token: AccessToken | RefreshToken) -> bool:
        """Tell whether the token still opens anything."""
        return token.revoked_at is None and token.expires_at > self._clock.now()

    def revoke(self, token: AccessToken | RefreshToken) -> None:
        """Revoke an access token, or a refresh token with all access tokens of its grant (RFC 7009 §2.1)."""
        if isinstance(token, RefreshToken):
            self._store.revoke_grant(token.grant_id, self._clock.now())
        else:
            self._store.revoke_access_token(token.sha256, self._clock.now())

    def _access(self, secret: str, holder: Holder, *, scope: str, subject: str | None, grant_id: str) -> AccessToken:
        now = self._clock.now()
        return AccessToken(
            sha256=secret_sha256(secret),
            client_id=holder.client.client_id,
            authorisation_number=holder.client.tpp.authorisation_number,
            scope=scope,
            subject=subject,
            thumbprint=holder.thumbprint,
            jkt=holder.jkt,
            grant_id=grant_id,
            issued_at=now,
            expires_at=now + self._lifetimes.access_token,
        )

    def _refresh(self, secret: str, code: AuthorizationCode) -> RefreshToken:
        now = self._clock.now()
        return RefreshToken(
            sha256=secret_sha256(secret),
            client_id=code.client_id,
            authorisation_number=code.authorisation_number,
            scope=code.scope,
            subject=code.subject,
            grant_id=code.grant_id,
            issued_at=now,
            expires_at=now + self._lifetimes.refresh_token,
        )

    def _answer(self, secret: str, access: AccessToken) -> dict[str, object]:
        seconds = int(self._lifetimes.access_token.total_seconds())
        answer: dict[str, object] = {"access_token": secret, "token_type": access.token_type, "expires_in": seconds}
        return answer | ({"scope": access.scope} if access.scope else {})

    def _lost(self, code: AuthorizationCode) -> OAuthRefused:
        # Nobody has redeemed one whose place another code of its authorization has taken meanwhile: what that one gives lives.
        return _unknown_code() if self._store.code(code.sha256) is None else self._replayed(code)

    def _replayed(self, code: AuthorizationCode) -> OAuthRefused:
        # Two have held this code: nobody knows which was the thief, so both lose (RFC 6749 §4.1.2).
        self._store.revoke_grant(code.grant_id, self._clock.now())
        return invalid_grant(
            "code: was redeemed before; what it gave has been revoked",
            reason="grant.code_replayed",
            hint="redeem each code once; begin the authorization again",
            clause="RFC 6749 §4.1.2",
        )


def _told(details: list[dict[str, Any]] | None, scope: str) -> dict[str, object]:
    return {} if details is None else {"authorization_details": narrowed_details(details, scope)}


def _require_role_still(scope: str, client: AuthenticatedClient) -> None:
    role = resource_of(scope).service.role
    if role not in client.tpp.roles:
        raise invalid_grant(
            f"the TPP no longer holds the role {role}, which scope {scope} needs",
            reason="psd2.role",
            hint=f"the TPP is registered with the roles {' '.join(sorted(client.tpp.roles))}",
            clause="BG IG 1.3.8 §13.1",
        )


def _unknown_code() -> OAuthRefused:
    return invalid_grant(
        "code: is not known, or was given to another client",
        reason="grant.code_unknown",
        hint="send the code of the redirect, unchanged, with the client_id that began the authorization",
        clause="RFC 6749 §5.2",
    )


def _unknown_refresh_token() -> OAuthRefused:
    return invalid_grant(
        "refresh_token: is not known, or was given to another client",
        reason="grant.refresh_token_unknown",
        hint="send the refresh token unchanged, with the client_id that it was given to",
        clause="RFC 6749 §6",
    )


def _expired(parameter: str, hint: str) -> OAuthRefused:
    return invalid_grant(f"{parameter}: has expired", reason="grant.expired", hint=hint, clause="RFC 6749 §5.2")


def _withdrawn() -> OAuthRefused:
    return invalid_grant(
        "the grant was revoked",
        reason="grant.revoked",
        hint="ask the PSU for a new authorization",
        clause="RFC 6749 §5.2",
    )
