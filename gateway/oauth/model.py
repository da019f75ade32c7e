"""What the authorization server keeps: requests under way, codes, tokens. Each secret only as its SHA-256, in hex."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.oauth.authorization_response import ReturnAddress

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def secret_sha256(secret: str) -> str:
    """Return what is kept of a token, code or one-time id.

    All are random with at least 256 bits, so that a plain hash can't be turned back: no salt, no stretching.
    """
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long each thing lives."""

    access_token: timedelta
    refresh_token: timedelta
    code: timedelta
    authorization: timedelta
    pushed_request: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """An authorization request that the PSU is deciding on at the bank.

    `is_made`: its consent or payment was made for it. `authorization_details` is JSON, the one entry as it was sent;
    `grant_id` the grant that is to be changed, `merges` the scope of the consent that is part of this one.
    """

    sha256: str
    browser_sha256: str
    client_id: str
    authorisation_number: str
    redirect_uri: str
    scope: str
    state: str | None
    code_challenge: str
    interaction: str
    interaction_url: str
    created_at: datetime
    expires_at: datetime
    is_made: bool = False
    dpop_jkt: str | None = None
    authorization_details: str | None = None
    grant_action: str | None = None
    grant_id: str | None = None
    merges: str | None = None
    pushed_sha256: str | None = None
    response_alg: str | None = None

    @property
    def return_address(self) -> ReturnAddress:
        """Where the client awaits the answer, and how."""
        return ReturnAddress(
            redirect_uri=self.redirect_uri, state=self.state, client_id=self.client_id, response_alg=self.response_alg
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationCode:
    """A code that a client may redeem once; `claimed_at` says when it did.

    `authorization_details` is JSON, an array, as granted; None where nothing is told of it. `tells_grant`: the client
    manages its grants, and is told the id. `merges`: the scope that the grant must have still.
    """

    sha256: str
    request_sha256: str
    client_id: str
    authorisation_number: str
    redirect_uri: str
    scope: str
    subject: str
    code_challenge: str
    grant_id: str
    issued_at: datetime
    expires_at: datetime
    claimed_at: datetime | None = None
    dpop_jkt: str | None = None
    authorization_details: str | None = None
    tells_grant: bool = False
    merges: str | None = None

    @property
    def granted(self) -> list[dict[str, Any]] | None:
        """What was granted, where it is told."""
        if self.authorization_details is None:
            return None
        read: list[dict[str, Any]] = json.loads(self.authorization_details)
        return read

    def get_redirect_uri(self) -> str:
        """Return the redirect URI of the authorization request (Authlib asks)."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Return the granted scope (Authlib asks)."""
        return self.scope


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What opens access, bound to the certificate with `thumbprint` (`x5t#S256`), to the key with thumbprint `jkt`, or to both.

    `thumbprint` is empty, and `jkt` None, where it is bound to none.
    """

    sha256: str
    client_id: str
    authorisation_number: str
    scope: str
    subject: str | None
    thumbprint: str
    grant_id: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    jkt: str | None = None

    @property
    def token_type(self) -> str:
        """How it is to be sent (RFC 6750 §2.1, RFC 9449 §7.1)."""
        return "Bearer" if self.jkt is None else "DPoP"

    @property
    def confirmation(self) -> dict[str, str]:
        """What it is bound to (RFC 8705 §3.1, RFC 9449 §6.1)."""
        bound = {"x5t#S256": self.thumbprint, "jkt": self.jkt or ""}
        return {name: value for name, value in bound.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """Renews the access tokens of one grant; bound to its client, which any certificate of its TPP can authenticate."""

    sha256: str
    client_id: str
    authorisation_number: str
    scope: str
    subject: str
    grant_id: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def get_scope(self) -> str:
        """Return the granted scope (Authlib asks)."""
        return self.scope


class CodeAlreadyRedeemed(Exception):
    """A code that another token request has won."""


class GrantReplaced(Exception):
    """A grant that another code has replaced since it was looked at."""


class GrantWithdrawn(Exception):
    """A client deleted, or a refresh token revoked, while a token was being made from it."""
