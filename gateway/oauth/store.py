"""Keeps requests, codes and tokens in the gateway's database.

Each method is one transaction. Revoking also tells the change feed in it, so that no worker goes on honouring a token.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import bindparam, cast, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.sql.single_statements import SingleRead, SingleWrite
from chassis.sql.statements import Change, Query
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
from gateway.oauth.par.model import ClaimLost
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
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Engine, Insert, Table

    from gateway.oauth.grant_management.model import GivenGrant
    from gateway.oauth.par.model import Claim

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
_NAMES: Final = {
    type_: [field.name for field in fields(type_)]
    for type_ in (AuthorizationRequest, AuthorizationCode, AccessToken, RefreshToken)
}
_TIMES: Final = {type_: [name for name in names if name.endswith("_at")] for type_, names in _NAMES.items()}
_OF_SHA256: Final = {
    type_: select(table).where(table.c.sha256 == bindparam("wanted"))
    for type_, table in (
        (AuthorizationRequest, authorization_requests),
        (AuthorizationCode, authorization_codes),
        (AccessToken, access_tokens),
        (RefreshToken, refresh_tokens),
    )
}
_ADD_REQUEST: Final = Change(insert(authorization_requests))
_BEGIN_PUSHED: Final = Change(
    update(pushed_requests)
    .where(pushed_requests.c.sha256 == bindparam("wanted"), pushed_requests.c.claimed_at == bindparam("at"))
    .values(begun_as=bindparam("begun"))
)
_ADD_REFRESH: Final = Change(insert(refresh_tokens))
# Of a client that is locked against deletion: one deleted a moment ago must not leave a living token behind.
_OF_CLIENT: Final = insert(access_tokens).from_select(
    access_tokens.c.keys(),
    select(*(cast(bindparam(column.name), column.type) for column in access_tokens.c))
    .where(clients.c.client_id == bindparam("client_id"))
    .with_for_update(read=True, of=clients),
)
_ADD_ACCESS: Final = Change(_OF_CLIENT)
_CODE_OF_REQUEST: Final = select(authorization_codes.c.claimed_at).where(
    authorization_codes.c.request_sha256 == bindparam("wanted")
)
_CLAIM: Final = Change(
    update(authorization_codes).where(
        authorization_codes.c.sha256 == bindparam("wanted"), authorization_codes.c.claimed_at.is_(None)
    )
)
_LIVING_REFRESH: Final = Query(
    select(refresh_tokens.c.sha256)
    .where(refresh_tokens.c.sha256 == bindparam("wanted"), refresh_tokens.c.revoked_at.is_(None))
    .with_for_update()
)


class SqlOAuthStore:
    """Requests, codes and tokens on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found = {type_: SingleRead(engine, query) for type_, query in _OF_SHA256.items()}
        self._code_of_request = SingleRead(engine, _CODE_OF_REQUEST)
        insert_ = postgresql.Insert if engine.dialect.name == "postgresql" else sqlite.Insert
        self._put_code = SingleWrite(engine, _code_unless_redeemed(insert_))
        self._add_access = SingleWrite(engine, _OF_CLIENT)

    def add_request(self, request: AuthorizationRequest, claim: Claim | None = None) -> None:
        """Keep an authorization request, begun by `claim`; raises `ClaimLost` where that is another's now."""
        with self._engine.begin() as connection:
            if claim is not None:
                values = {"wanted": claim.sha256, "at": claim.at.timestamp(), "begun": request.sha256}
                if _BEGIN_PUSHED.run(connection, values) != 1:
                    raise ClaimLost
            _ADD_REQUEST.run(connection, _values(request))

    def request(self, sha256: str) -> AuthorizationRequest | None:
        """Return the authorization request, or None."""
        return self._one(AuthorizationRequest, sha256)

    def has_code(self, request_sha256: str) -> bool:
        """Tell whether the request was answered with a code, redeemed or not."""
        return self._code_of_request.row(wanted=request_sha256) is not None

    def has_redeemed_code(self, request_sha256: str) -> bool:
        """Tell whether the request was answered with a code that has been redeemed."""
        row = self._code_of_request.row(wanted=request_sha256)
        return row is not None and row["claimed_at"] is not None

    def put_code(self, code: AuthorizationCode) -> None:
        """Keep a code in the place of an unredeemed one of the same request; raises `CodeAlreadyRedeemed`."""
        if self._put_code.rows_written(_values(code)) != 1:
            raise CodeAlreadyRedeemed

    def code(self, sha256: str) -> AuthorizationCode | None:
        """Return the code, redeemed or not, or None."""
        return self._one(AuthorizationCode, sha256)

    def redeem(
        self, code: AuthorizationCode, access: AccessToken, refresh: RefreshToken | None, given: GivenGrant | None = None
    ) -> None:
        """Claim a code and keep what it gave; raises `CodeAlreadyRedeemed` for all but the first, and as `put_grant`.

        A grant that is there already is replaced: what it has given so far is revoked.
        """
        with self._engine.begin() as connection:
            # The claim comes first: the database lets one of several claimers through, whatever process it is in.
            claim = {"wanted": code.sha256, "claimed_at": access.issued_at.timestamp()}
            if _CLAIM.run(connection, claim) != 1:
                raise CodeAlreadyRedeemed
            if given is not None and put_grant(connection, given):
                _revoke_tokens(connection, given.grant.id, access.issued_at)
            _add_access(connection, access)
            if refresh is not None:
                _ADD_REFRESH.run(connection, _values(refresh))

    def add_access_token(self, access: AccessToken) -> None:
        """Keep an access token; raises `GrantWithdrawn` where its client is gone."""
        if self._add_access.rows_written(_values(access)) != 1:
            raise GrantWithdrawn

    def add_refreshed(self, access: AccessToken, refresh_sha256: str) -> None:
        """Keep an access token made by a refresh token; raises `GrantWithdrawn` where that was revoked meanwhile."""
        with self._engine.begin() as connection:
            # Locked, so that a revocation either comes before and is seen here, or after and revokes this token too.
            if _LIVING_REFRESH.first(connection, wanted=refresh_sha256) is None:
                raise GrantWithdrawn
            _add_access(connection, access)

    def access_token(self, sha256: str) -> AccessToken | None:
        """Return the access token, living or not, or None."""
        return self._one(AccessToken, sha256)

    def refresh_token(self, sha256: str) -> RefreshToken | None:
        """Return the refresh token, living or not, or None."""
        return self._one(RefreshToken, sha256)

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

    def _one(self, type_: type[_Kept], sha256: str) -> _Kept | None:
        row = self._found[type_].row(wanted=sha256)
        return _kept(row, type_) if row else None


def _code_unless_redeemed(insert_: type[postgresql.Insert | sqlite.Insert]) -> Insert:
    """Return what keeps a code in the place of an unredeemed one of the same request, and of no other."""
    put = insert_(authorization_codes)
    kept = put.on_conflict_do_update(
        index_elements=["request_sha256"],
        set_={column.name: put.excluded[column.name] for column in authorization_codes.c},
        where=authorization_codes.c.claimed_at.is_(None),
    )
    return kept.execution_options(preserve_rowcount=True)


def _add_access(connection: Connection, access: AccessToken) -> None:
    if _ADD_ACCESS.run(connection, _values(access)) != 1:
        raise GrantWithdrawn


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
    values = {name: getattr(kept, name) for name in _NAMES[type(kept)]}
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in values.items()}


def _kept(row: Mapping[str, Any], type_: type[_Kept]) -> _Kept:
    kept = dict(row)
    for name in _TIMES[type_]:
        if kept[name] is not None:
            kept[name] = datetime.fromtimestamp(kept[name], UTC)
    return type_(**kept)
