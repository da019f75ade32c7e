"""Grants as their clients may ask about and revoke them (Grant Management §6.4, §6.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gateway.oauth.bank import BankUnavailable
from gateway.oauth.grant_management.merging import changed_meanwhile
from gateway.oauth.grant_management.model import GivenGrant, Grant
from gateway.oauth.grant_management.wishes import unknown_grant
from gateway.oauth.refusals import OAuthRefused, Refusal
from gateway.oauth.scope import parse_scope, resource_of

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.oauth.model import AuthorizationCode
    from gateway.oauth.rar.resources import Resources
    from psd2.clock import Clock


class GrantStore(Protocol):
    """Where grants are kept."""

    def grant(self, grant_id: str) -> Grant | None:
        """Return the grant, in force or not, or None."""

    def end(self, grant_id: str, at: datetime) -> None:
        """Note that a grant was revoked; the first time counts."""


class TokenRevocation(Protocol):
    """What ends the tokens of a grant."""

    def revoke_grant(self, grant_id: str, at: datetime) -> None:
        """Revoke every refresh and access token of a grant."""


class GrantManagement:
    """What clients do with their grants."""

    def __init__(self, *, store: GrantStore, tokens: TokenRevocation, resources: Resources, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._resources = resources
        self._clock = clock

    def owned(self, grant_id: str, client_id: str, *, psu: str | None = None) -> Grant:
        """Return the client's grant in force, this PSU's if one is named; raises `OAuthRefused` (invalid_grant_id)."""
        grant = self._store.grant(grant_id)
        # Another client's grant is as unknown as one that nobody gave.
        if grant is None or grant.client_id != client_id or psu not in {None, grant.subject} or not self._is_in_force(grant):
            raise unknown_grant()
        return grant

    def of_code(self, code: AuthorizationCode, *, expires_at: datetime) -> GivenGrant | None:
        """Return the grant that a code gives, None where nothing is kept of it; raises `OAuthRefused`.

        One that is replaced loses its consent now: until the code is redeemed, nothing else of it has changed.
        """
        if code.authorization_details is None:
            return None
        # A grant that is to be replaced, its client has named: of any other, the id is new with the code.
        scope = str(resource_of(code.scope))
        now, earlier = self._clock.now(), self._store.grant(code.grant_id) if code.tells_grant else None
        if earlier is not None and code.merges not in {None, earlier.scope}:
            raise changed_meanwhile()
        if earlier is not None and earlier.scope != scope:
            self._end_at_bank(self.owned(earlier.id, code.client_id))
        given = Grant(
            id=code.grant_id,
            client_id=code.client_id,
            authorisation_number=code.authorisation_number,
            subject=code.subject,
            scope=scope,
            authorization_details=code.authorization_details,
            created_at=now if earlier is None else earlier.created_at,
            updated_at=now,
            expires_at=expires_at,
        )
        return GivenGrant(given, replaces=None if earlier is None else earlier.scope)

    def details(self, grant_id: str) -> list[dict[str, Any]] | None:
        """Return what a token's grant says in full; None for a token that has a scope and nothing more."""
        grant = self._store.grant(grant_id)
        return None if grant is None else grant.details

    def standing(self, grant: Grant) -> list[dict[str, Any]]:
        """Return what was granted, as it stands at the bank now; raises `OAuthRefused` while that can't be reached."""
        try:
            return [
                self._resources.standing(entry, parse_scope(grant.scope), tenant=grant.authorisation_number)
                for entry in grant.details
            ]
        except BankUnavailable as error:
            raise OAuthRefused(_BANK_UNAVAILABLE) from error

    def revoke(self, grant: Grant) -> None:
        """End a grant with its tokens and its consent; raises `OAuthRefused` while the bank can't be reached.

        Tokens first: whatever happens to the rest, they open nothing any more. The grant is over once all of it is, so
        that a client may try again.
        """
        now = self._clock.now()
        self._tokens.revoke_grant(grant.id, now)
        self._end_at_bank(grant)
        self._store.end(grant.id, now)
        self._end_replacement(grant, now)

    def _end_replacement(self, grant: Grant, now: datetime) -> None:
        """End what a code has put in the grant's place since it was looked at; from here on none can (`put_grant`)."""
        self._tokens.revoke_grant(grant.id, now)
        latest = self._store.grant(grant.id)
        if latest is not None and latest.scope != grant.scope:
            self._end_at_bank(latest)

    def _end_at_bank(self, grant: Grant) -> None:
        try:
            self._resources.end(parse_scope(grant.scope), tenant=grant.authorisation_number)
        except BankUnavailable as error:
            raise OAuthRefused(_BANK_UNAVAILABLE) from error

    def _is_in_force(self, grant: Grant) -> bool:
        return grant.revoked_at is None and grant.expires_at > self._clock.now()


_BANK_UNAVAILABLE = Refusal(
    error="temporarily_unavailable",
    description="the bank can't be reached at the moment",
    reason="upstream.bank",
    hint="send the request again in a moment",
    clause="RFC 9110 §15.6.4",
    status=503,
)
