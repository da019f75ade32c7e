"""The table of inbox messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Row, String, Table, delete, insert, select

from bank_backend.database import METADATA
from bank_backend.inbox.model import Channel, Message
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

inbox_messages = Table(
    "inbox_messages",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("psu", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("subject", String(120), nullable=False),
    Column("text", String(4000), nullable=False),
    Index("ix_inbox_messages_psu", "tenant", "psu", "at"),
)


class SqlInboxStore:
    """Messages in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, message: Message) -> None:
        """Write a message."""
        connection.execute(
            insert(inbox_messages).values(
                tenant=message.tenant,
                psu=message.psu,
                at=message.at.timestamp(),
                channel=message.channel.value,
                subject=message.subject,
                text=message.text,
            )
        )

    def forget_before(self, connection: Connection, tenant: TenantId, psu: PsuId, before: datetime) -> None:
        """Delete what was delivered to the PSU before a time."""
        connection.execute(
            delete(inbox_messages).where(
                inbox_messages.c.tenant == tenant,
                inbox_messages.c.psu == psu,
                inbox_messages.c.at < before.timestamp(),
            )
        )

    def newest(self, connection: Connection, tenant: TenantId, psu: str | None, *, limit: int) -> list[Message]:
        """Return the tenant's messages (of one PSU, or of all), newest first."""
        statement = select(inbox_messages).where(inbox_messages.c.tenant == tenant)
        if psu is not None:
            statement = statement.where(inbox_messages.c.psu == psu)
        newest_first = statement.order_by(inbox_messages.c.at.desc(), inbox_messages.c.id.desc()).limit(limit)
        return [_message(row) for row in connection.execute(newest_first)]


def _message(row: Row[tuple[object, ...]]) -> Message:
    return Message(
        tenant=TenantId(row.tenant),
        psu=PsuId(row.psu),
        at=datetime.fromtimestamp(row.at, UTC),
        channel=Channel(row.channel),
        subject=row.subject,
        text=row.text,
    )
