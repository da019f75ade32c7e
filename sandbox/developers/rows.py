"""Rows that more than one store of accounts reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, update

from sandbox.database import invitations
from sandbox.developers.errors import UnknownInvitation
from sandbox.developers.model import Developer
from sandbox.developers.parsing import email_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row

    from sandbox.developers.model import Organisation


def organisation_values(organisation: Organisation) -> dict[str, object]:
    """Return an organisation as the database keeps it."""
    return {"id": organisation.id, "name": organisation.name, "created_at": organisation.created_at}


def developer_values(developer: Developer, password_hash: str) -> dict[str, object]:
    """Return a developer as the database keeps it."""
    return {
        "id": developer.id,
        "email": developer.email,
        "email_key": email_key(developer.email),
        "name": developer.name,
        "password_hash": password_hash,
        "is_operator": developer.is_operator,
        "organisation_id": developer.organisation_id,
        "created_at": developer.created_at,
    }


def developer_of(row: Row[Any]) -> Developer:
    """Return a row of the table as a developer."""
    return Developer(
        id=row.id,
        email=row.email,
        name=row.name,
        organisation_id=row.organisation_id,
        is_operator=row.is_operator,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def use_invitation(connection: Connection, key: str, *, now: float) -> str:
    """Use up an open invitation and return the organisation's id; raises `UnknownInvitation`. One statement: it works once."""
    using = update(invitations).where(is_open(now), invitations.c.key == key).values(used_at=now)
    row = connection.execute(using.returning(invitations.c.organisation_id)).first()
    if row is None:
        raise UnknownInvitation
    return str(row.organisation_id)


def is_open(now: float) -> ColumnElement[bool]:
    """Return the condition under which an invitation may be used."""
    return and_(invitations.c.used_at.is_(None), invitations.c.expires_at > now)
