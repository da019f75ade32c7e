"""Keeps which self-signed certificates are of which client (RFC 8705 §2.2); each change tells the change feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, insert, select

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change
from gateway.tables.register import client_certificates as table

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.register.model import Client

_HOLDERS: Final = select(table.c.client_id).where(table.c.sha256 == bindparam("sha256")).order_by(table.c.client_id)


def holders(connection: Connection, sha256: str) -> tuple[str, ...]:
    """Return the ids of the clients whose certificate this is."""
    return tuple(connection.scalars(_HOLDERS, {"sha256": sha256}))


def taken_certificates(connection: Connection, sha256s: Collection[str], *, besides: str) -> frozenset[str]:
    """Return those of the certificates that clients of other TPPs have registered."""
    others = (table.c.sha256.in_(sha256s)) & (table.c.authorisation_number != besides)
    return frozenset(connection.scalars(select(table.c.sha256).where(others)))


def kept_certificates(connection: Connection, client_id: str) -> frozenset[str]:
    """Return the certificates of a client."""
    return frozenset(connection.scalars(select(table.c.sha256).where(table.c.client_id == client_id)))


def keep_certificates(connection: Connection, client: Client, sha256s: Collection[str], at: datetime) -> None:
    """Let these be the client's certificates, and no others."""
    wanted, standing = frozenset(sha256s), kept_certificates(connection, client.client_id)
    gone = (table.c.client_id == client.client_id) & table.c.sha256.in_(standing - wanted)
    connection.execute(delete(table).where(gone))
    of_client = {"client_id": client.client_id, "authorisation_number": client.authorisation_number}
    rows = [{"sha256": sha256, **of_client} for sha256 in sorted(wanted - standing)]
    if rows:
        connection.execute(insert(table), rows)
    for sha256 in sorted(wanted ^ standing):
        append_change(connection, ChangeKind.CLIENT_CERTIFICATE, sha256, at)
