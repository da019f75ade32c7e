"""Grants in the gateway's database. They come into being with the tokens that they give (`gateway.oauth.store`)."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from chassis.sql.single_statements import SingleRead
from chassis.sql.statements import Change, Query
from gateway.oauth.grant_management.model import Grant
from gateway.oauth.model import GrantReplaced, GrantWithdrawn
from gateway.tables.oauth import grants

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from gateway.oauth.grant_management.model import GivenGrant


# Made once: making a statement costs more than running it.
_FIND: Final = select(grants).where(grants.c.id == bindparam("wanted"))
_ADD: Final = {
    "postgresql": Change(postgresql.insert(grants).on_conflict_do_nothing()),
    "sqlite": Change(sqlite.insert(grants).on_conflict_do_nothing()),
}
_IS_OWN: Final = and_(
    grants.c.id == bindparam("wanted"), grants.c.client_id == bindparam("owner"), grants.c.revoked_at.is_(None)
)
_REPLACE: Final = Change(update(grants).where(_IS_OWN, grants.c.scope == bindparam("standing")))
_OWN: Final = Query(select(grants.c.scope).where(_IS_OWN))
_NAMES: Final = [field.name for field in fields(Grant)]
_REPLACED: Final = ("scope", "authorization_details", "updated_at", "expires_at")


class SqlGrantStore:
    """Grants on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._find = SingleRead(engine, _FIND)

    def grant(self, grant_id: str) -> Grant | None:
        """Return the grant, in force or not, or None."""
        row = self._find.row(wanted=grant_id)
        return Grant(**{field.name: _read(field.name, row[field.name]) for field in fields(Grant)}) if row else None

    def end(self, grant_id: str, at: datetime) -> None:
        """Note that a grant was revoked; the first time counts."""
        living = (grants.c.id == grant_id) & grants.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            connection.execute(update(grants).where(living).values(revoked_at=at.timestamp()))


def put_grant(connection: Connection, given: GivenGrant) -> bool:
    """Keep a grant in the caller's transaction; tell whether it replaces another. Raises `GrantReplaced`, `GrantWithdrawn`.

    It replaces what was looked at and nothing else: of what came between, the consent has not been ended. The row is
    locked by this, so that a revocation comes either before, and is seen here, or after.
    """
    grant, values = given.grant, _values(given.grant)
    if _ADD[connection.dialect.name].run(connection, values):
        return False
    replacing = {name: values[name] for name in _REPLACED}
    own = {"wanted": grant.id, "owner": grant.client_id}
    if _REPLACE.run(connection, replacing | own | {"standing": given.replaces}):
        return True
    raise GrantWithdrawn if _OWN.first(connection, **own) is None else GrantReplaced


def _values(grant: Grant) -> dict[str, Any]:
    values = {name: getattr(grant, name) for name in _NAMES}
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in values.items()}


def _read(name: str, value: Any) -> Any:  # noqa: ANN401 - a column's value
    return datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
