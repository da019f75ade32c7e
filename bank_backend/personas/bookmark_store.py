"""Bookmarks in the bank's database: part of a tenant's state, so that a snapshot keeps it with the books that it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Integer, String, Table, select

from bank_backend.database import METADATA
from bank_backend.ledger.model import Position
from bank_backend.personas.bookmark import Bookmark
from psd2.ids import AccountId

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from psd2.ids import TenantId

bookmarks = Table(
    "seed_bookmarks",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("seed", BigInteger, nullable=False),
    Column("told_at", Float, nullable=False),
    Column("telling", BigInteger, nullable=False),
    Column("entries", Integer, nullable=False),
    # Of each account with postings: the number of the newest, and the balance after it.
    Column("positions", JSON, nullable=False),
)


def read_bookmark(connection: Connection, tenant: TenantId) -> Bookmark | None:
    """Return where the tenant's story can be gone on from, or None."""
    row = connection.execute(select(bookmarks).where(bookmarks.c.tenant == tenant)).first()
    if row is None:
        return None
    return Bookmark(
        seed=row.seed,
        told_at=datetime.fromtimestamp(row.told_at, UTC),
        telling=row.telling,
        entries=row.entries,
        positions={AccountId(account): Position(*position) for account, position in row.positions.items()},
    )


def row_of_bookmark(tenant: TenantId, bookmark: Bookmark) -> dict[str, object]:
    """Return the row of a bookmark."""
    return {
        "tenant": tenant,
        "seed": bookmark.seed,
        "told_at": bookmark.told_at.timestamp(),
        "telling": bookmark.telling,
        "entries": bookmark.entries,
        "positions": {account: [each.number, each.balance_minor] for account, each in bookmark.positions.items()},
    }
