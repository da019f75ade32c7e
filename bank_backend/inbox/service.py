"""Delivering to a PSU's inbox and reading it; only ever within one tenant."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from bank_backend.database import Connection, Database
    from bank_backend.inbox.model import Message
    from psd2.ids import PsuId, TenantId

MOST_MESSAGES = 50
KEPT = timedelta(days=7)


class InboxStore(Protocol):
    """Where messages are kept; each call works inside the caller's transaction."""

    def add(self, connection: Connection, message: Message) -> None:
        """Write a message."""

    def forget_before(self, connection: Connection, tenant: TenantId, psu: PsuId, before: datetime) -> None:
        """Delete what was delivered to the PSU before a time."""

    def newest(self, connection: Connection, tenant: TenantId, psu: str | None, *, limit: int) -> list[Message]:
        """Return the tenant's messages (of one PSU, or of all), newest first."""


class Inbox:
    """The inboxes of every tenant's PSUs."""

    def __init__(self, *, database: Database, store: InboxStore) -> None:
        """Read `store` in transactions of `database`."""
        self._database = database
        self._store = store

    def deliver(self, connection: Connection, message: Message) -> None:
        """Put a message into the inbox, and drop what is a week old, inside the caller's transaction."""
        self._store.forget_before(connection, message.tenant, message.psu, message.at - KEPT)
        self._store.add(connection, message)

    def messages(self, tenant: TenantId, psu: str | None) -> list[Message]:
        """Return the newest messages of one PSU, or of the whole tenant, newest first."""
        with self._database.reading() as connection:
            return self._store.newest(connection, tenant, psu, limit=MOST_MESSAGES)
