"""Keeps requests, codes and tokens in the gateway's database.

Each method is one transaction. Revoking also tells the change feed in it, so that no worker goes on honouring a token.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.database import for_reading
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change
from gateway.oauth.grant_management.store import put_grant
from gateway.oauth.model import (
    AccessToken,
    AuthorizationCode,
    AuthorizationRequest,
    CodeAlreadyRedeemed,
    GrantWithdrawn,
    RefreshToken,
)
from gateway.tables.oauth import (
    access_tokens,
    authorization_codes,
    authorization_requests,
    client_assertions,
    grants,
    pushed_requests,
    refresh_tokens,
)
from gateway.tables.register import clients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Row, Table

    from gateway.oauth.grant_management.model import Grant

_Kept = TypeVar("_Kept", AuthorizationRequest, AuthorizationCode, AccessToken, RefreshToken)
# Those that point at nothing come first.
_PRUNED = (
    client_assertions,
    pushed_requests,
    authorization_requests,
    authorization_codes,
    access_tokens,
    refresh_tokens,
    grants,
)


# Made once: making a statement costs more than running it.
_ADD_ACCESS: Final = insert(access_tokens)
_ADD_REFRESH: Final = insert(refresh_tokens)
_CLIENT_KEPT: Final = (
    select(clients.c.client_id).where(clients.c.client_id == bindparam("client_id")).with_for_update(read=True)
)


class SqlOAuthStore:
    """Requests, codes and tokens on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def add_request(self, request: AuthorizationRequest) -> None:
        """Keep an authorization request."""
        with self._engine.begin() as connection:
            connection.execute(insert(authorization_requests).values(**_values(request)))

    def request(self, sha256: str) -> AuthorizationRequest | None:
        """Return the authorization request, or None."""
        return self._one(authorization_requests, AuthorizationRequest, sha256)

    def has_code(self, request_sha256: str) -> bool:
        """Tell whether the request was answered with a code, redeemed or not."""
        table = authorization_codes
        with self._reading.connect() as connection:
            found = connection.execute(select(table.c.sha256).where(table.c.request_sha256 == request_sha256))
            return found.first() is not None

    def put_code(self, code: AuthorizationCode) -> None:
        """Keep a code in the place of an unredeemed one of the same request; raises `CodeAlreadyRedeemed`."""
        with self._engine.begin() as connection:
            table = authorization_codes
            unredeemed = (table.c.request_sha256 == code.request_sha256) & table.c.claimed_at.is_(None)
            if connection.execute(update(table).where(unredeemed).values(**_values(code))).rowcount:
                return
            try:
                connection.execute(insert(table).values(**_values(code)))
            except IntegrityError as error:
                raise CodeAlreadyRedeemed from error

    def code(self, sha256: str) -> AuthorizationCode | None:
        """Return the code, redeemed or not, or None."""
        return self._one(authorization_codes, AuthorizationCode, sha256)

    def redeem(self, code_sha256: str, access: AccessToken, refresh: RefreshToken | None, grant: Grant | None = None) -> None:
        """Claim a code and keep what it gave; raises `CodeAlreadyRedeemed` for all but the first, `GrantWithdrawn`.

        A grant that is there already is replaced: what it has given so far is revoked.
        """
        with self._engine.begin() as connection:
            # The claim comes first: the database lets one of several claimers through, whatever process it is in.
            unclaimed = (authorization_codes.c.sha256 == code_sha256) & authorization_codes.c.claimed_at.is_(None)
            claim = update(authorization_codes).where(unclaimed).values(claimed_at=access.issued_at.timestamp())
            if connection.execute(claim).rowcount != 1:
                raise CodeAlreadyRedeemed
            if grant is not None and put_grant(connection, grant):
                _revoke_tokens(connection, grant.id, access.issued_at)
            _add_access(connection, access)
            if refresh is not None:
                connection.execute(_ADD_REFRESH, _values(refresh))

    def add_access_token(self, access: AccessToken) -> None:
        """Keep an access token; raises `GrantWithdrawn` where its client is gone."""
        with self._engine.begin() as connection:
            _add_access(connection, access)

    def add_refreshed(self, access: AccessToken, refresh_sha256: str) -> None:
        """Keep an access token made by a refresh token; raises `GrantWithdrawn` where that was revoked meanwhile."""
        living = (refresh_tokens.c.sha256 == refresh_sha256) & refresh_tokens.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            # Locked, so that a revocation either comes before and is seen here, or after and revokes this token too.
            if connection.execute(select(refresh_tokens.c.sha256).where(living).with_for_update()).first() is None:
                raise GrantWithdrawn
            _add_access(connection, access)

    def access_token(self, sha256: str) -> AccessToken | None:
        """Return the access token, living or not, or None."""
        return self._one(access_tokens, AccessToken, sha256)

    def refresh_token(self, sha256: str) -> RefreshToken | None:
        """Return the refresh token, living or not, or None."""
        return self._one(refresh_tokens, RefreshToken, sha256)

    def revoke_access_token(self, sha256: str, at: datetime) -> None:
        """Revoke one access token."""
        living = (access_tokens.c.sha256 == sha256) & access_tokens.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            if connection.execute(update(access_tokens).where(living).values(revoked_at=at.timestamp())).rowcount:
                append_change(connection, ChangeKind.TOKEN, sha256, at)

    def revoke_grant(self, grant_id: str, at: datetime) -> None:
        """Revoke every refresh and access token that one decision of the PSU has given."""
        with self._engine.begin() as connection:
            _revoke_tokens(connection, grant_id, at)

    def prune(self, before: datetime, batch: int) -> int:
        """Delete up to `batch` rows of each table that expired before `before`; returns how many went."""
        with self._engine.begin() as connection:
            return sum(_prune(connection, table, before, batch) for table in _PRUNED)

    def _one(self, table: Table, type_: type[_Kept], sha256: str) -> _Kept | None:
        with self._reading.connect() as connection:
            row = connection.execute(select(table).where(table.c.sha256 == sha256)).one_or_none()
        return _kept(row, type_) if row else None


def _add_access(connection: Connection, access: AccessToken) -> None:
    # Locked against deletion: a client deleted a moment ago must not leave a living token behind.
    if connection.execute(_CLIENT_KEPT, {"client_id": access.client_id}).first() is None:
        raise GrantWithdrawn
    connection.execute(_ADD_ACCESS, _values(access))


def _revoke_tokens(connection: Connection, grant_id: str, at: datetime) -> None:
    # The refresh token first: from here on nothing new can be made from it (`add_refreshed`).
    revoked = [_revoke_grant_in(connection, table, grant_id, at) for table in (refresh_tokens, access_tokens)]
    for sha256 in chain(*revoked):
        append_change(connection, ChangeKind.TOKEN, sha256, at)


def _revoke_grant_in(connection: Connection, table: Table, grant_id: str, at: datetime) -> Sequence[str]:
    living = (table.c.grant_id == grant_id) & table.c.revoked_at.is_(None)
    revoked = update(table).where(living).values(revoked_at=at.timestamp()).returning(table.c.sha256)
    return connection.execute(revoked).scalars().all()


def _prune(connection: Connection, table: Table, before: datetime, batch: int) -> int:
    # Several processes prune: on PostgreSQL each takes rows of its own instead of waiting for the others'.
    (key,) = table.primary_key
    expired = select(key).where(table.c.expires_at < before.timestamp()).limit(batch).with_for_update(skip_locked=True)
    return connection.execute(delete(table).where(key.in_(expired))).rowcount


def _values(kept: _Kept) -> dict[str, Any]:
    values = {field.name: getattr(kept, field.name) for field in fields(kept)}
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in values.items()}


def _kept(row: Row[Any], type_: type[_Kept]) -> _Kept:
    return type_(**{field.name: _read(field.name, getattr(row, field.name)) for field in fields(type_)})


def _read(name: str, value: Any) -> Any:  # noqa: ANN401 - a column's value
    return datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
