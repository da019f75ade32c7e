"""Grants in the gateway's database. They come into being with the tokens that they give (`gateway.oauth.store`)."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from chassis.database import for_reading
from gateway.oauth.grant_management.model import Grant
from gateway.oauth.model import GrantWithdrawn
from gateway.tables.oauth import grants

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


class SqlGrantStore:
    """Grants on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def grant(self, grant_id: str) -> Grant | None:
        """Return the grant, in force or not, or None."""
        with self._reading.connect() as connection:
            row = connection.execute(select(grants).where(grants.c.id == grant_id)).one_or_none()
        return Grant(**{field.name: _read(field.name, getattr(row, field.name)) for field in fields(Grant)}) if row else None

    def end(self, grant_id: str, at: datetime) -> None:
        """Note that a grant was revoked; the first time counts."""
        living = (grants.c.id == grant_id) & grants.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            connection.execute(update(grants).where(living).values(revoked_at=at.timestamp()))


def put_grant(connection: Connection, grant: Grant) -> bool:
    """Keep a grant in the caller's transaction; tell whether it replaces another. Raises `GrantWithdrawn`.

    The row is locked by this, so that a revocation comes either before, and is seen here, or after.
    """
    values = _values(grant)
    replacing = {name: values[name] for name in ("scope", "authorization_details", "updated_at", "expires_at")}
    is_there = (grants.c.id == grant.id) & (grants.c.client_id == grant.client_id)
    if connection.execute(update(grants).where(is_there & grants.c.revoked_at.is_(None)).values(**replacing)).rowcount:
        return True
    if connection.execute(select(grants.c.id).where(grants.c.id == grant.id)).first() is not None:
        raise GrantWithdrawn
    connection.execute(insert(grants).values(**values))
    return False


def _values(grant: Grant) -> dict[str, Any]:
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in asdict(grant).items()}


def _read(name: str, value: Any) -> Any:  # noqa: ANN401 - a column's value
    return datetime.fromtimestamp(value, UTC) if name.endswith("_at") and value is not None else value
