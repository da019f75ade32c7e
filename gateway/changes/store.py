"""Appends to and reads the change feed.

An append belongs to the transaction of the change that it tells of: both are there, or neither is.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select, text

from chassis.sql.database import for_reading, one_at_a_time
from gateway.changes.kinds import Change
from gateway.changes.listening import notify
from gateway.changes.rehearsal import is_rehearsal
from gateway.tables.configuration import changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from gateway.changes.kinds import ChangeKind

_KEPT: Final = 100_000  # rows; a reader that is further behind forgets everything
_PRUNE_EVERY: Final = 1_000
_POSTGRESQL_APPEND_LOCK: Final = 7_295_003  # any constant: all writers must use the same


def append_change(connection: Connection, kind: ChangeKind | str, key: str, at: datetime) -> None:
    """Tell every edge worker that `key` of `kind` has changed; `at` is aware UTC. Best last in its transaction."""
    if connection.dialect.name == "postgresql":
        # Ids are handed out before the commit: without this, a reader could see 6, move on, and never see 5.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRESQL_APPEND_LOCK})
    appended = connection.execute(insert(changes).values(at=at.timestamp(), kind=str(kind), key=key))
    notify(connection)
    position = int(appended.inserted_primary_key[0]) if appended.inserted_primary_key else 0
    if position % _PRUNE_EVERY == 0:
        connection.execute(delete(changes).where(changes.c.id <= position - _KEPT))


@contextmanager
def changing(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that changes whom the gateway trusts or knows; there is one at a time.

    Such changes are rare, and each replaces what stands: two at once on PostgreSQL would leave a mixture of both.
    """
    with engine.begin() as connection:
        one_at_a_time(connection, "gateway.control")
        yield connection
        if is_rehearsal():
            connection.rollback()


def newest_position(engine: Engine) -> int:
    """Return the id of the newest change, 0 where there is none."""
    with for_reading(engine).connect() as connection:
        return connection.scalar(select(func.max(changes.c.id))) or 0


def changes_after(engine: Engine, position: int, *, limit: int) -> Sequence[Change]:
    """Return the oldest changes after `position`, at most `limit`."""
    query = (
        select(changes.c.id, changes.c.kind, changes.c.key).where(changes.c.id > position).order_by(changes.c.id).limit(limit)
    )
    with for_reading(engine).connect() as connection:
        return [Change(position=row.id, kind=row.kind, key=row.key) for row in connection.execute(query)]


def tell(engine: Engine, kind: ChangeKind, key: str, at: datetime) -> None:
    """Tell every edge worker of something that stands nowhere but in the feed."""
    with engine.begin() as connection:
        append_change(connection, kind, key, at)


def keys_since(engine: Engine, kind: ChangeKind, since: datetime) -> list[str]:
    """Return the keys of changes of one kind, oldest first."""
    query = (
        select(changes.c.key).where(changes.c.at >= since.timestamp()).where(changes.c.kind == str(kind)).order_by(changes.c.id)
    )
    with for_reading(engine).connect() as connection:
        return list(connection.scalars(query))
