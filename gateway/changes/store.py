"""Appends to and reads the change feed.

An append belongs to the transaction of the change that it tells of: both are there, or neither is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from gateway.database import changes

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from gateway.changes.kinds import ChangeKind


def append_change(connection: Connection, kind: ChangeKind | str, key: str, at: datetime) -> None:
    """Tell every edge worker that `key` of `kind` has changed; `at` is aware UTC."""
    connection.execute(insert(changes).values(at=at.timestamp(), kind=str(kind), key=key))
