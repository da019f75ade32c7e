"""Keeps what clients publish in the database: one process fetches, all of them read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.sql.database import for_reading
from gateway.oauth.jose.published_keys import FETCHED_AT_MOST_EVERY, PublishedKeys
from gateway.tables.keys import client_key_sets

if TYPE_CHECKING:
    from sqlalchemy import Engine


class SqlPublishedKeys:
    """Published keys on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def read(self, url: str) -> PublishedKeys | None:
        """Return what is known of an address."""
        with self._reading.connect() as connection:
            row = connection.execute(select(client_key_sets).where(client_key_sets.c.url == url)).one_or_none()
        if row is None:
            return None
        fetched_at = None if row.fetched_at is None else datetime.fromtimestamp(row.fetched_at, UTC)
        tried_at = datetime.fromtimestamp(row.tried_at, UTC)
        return PublishedKeys(url=url, tried_at=tried_at, failure=row.failure, jwks=row.jwks, fetched_at=fetched_at)

    def is_claimed(self, url: str, now: datetime) -> bool:
        """Take on asking an address, and tell whether nobody has done so just now."""
        table = client_key_sets
        earliest, latest = (now - FETCHED_AT_MOST_EVERY).timestamp(), (now + FETCHED_AT_MOST_EVERY).timestamp()
        # A try of the time to come was made before the clock was set back.
        is_due = (table.c.url == url) & ((table.c.tried_at <= earliest) | (table.c.tried_at > latest))
        try:
            with self._engine.begin() as connection:
                claim = update(table).where(is_due).values(tried_at=now.timestamp(), failure=None)
                if connection.execute(claim).rowcount:
                    return True
                connection.execute(insert(table).values(url=url, tried_at=now.timestamp()))
        except IntegrityError:
            return False
        return True

    def keep(self, url: str, jwks: str, at: datetime) -> None:
        """Put a set in the place of an older one."""
        self._note(url, jwks=jwks, fetched_at=at.timestamp(), failure=None)

    def note_failure(self, url: str, failure: str) -> None:
        """Note why nothing came; what came before stays."""
        self._note(url, failure=failure)

    def prune(self, before: datetime, batch: int) -> int:
        """Delete up to `batch` addresses that nobody has asked since `before`."""
        old = select(client_key_sets.c.url).where(client_key_sets.c.tried_at < before.timestamp()).limit(batch)
        with self._engine.begin() as connection:
            return connection.execute(delete(client_key_sets).where(client_key_sets.c.url.in_(old))).rowcount

    def _note(self, url: str, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(client_key_sets).where(client_key_sets.c.url == url).values(**values))
