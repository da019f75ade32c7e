"""The tables of snapshots, and of the replacements that are the only way past the ledger's guards."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table

from bank_backend.database import METADATA

snapshots = Table(
    "snapshots",
    METADATA,
    Column("tenant", String(80), ForeignKey("tenants.id"), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("taken_at", Float, nullable=False),
    # What the tenant's clock showed, which a restore brings back.
    Column("tenant_time", Float, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Has no rows, and can have none: an open replacement refers to one, so no transaction that leaves it open can be committed.
replacement_guard = Table(
    "replacement_guard",
    METADATA,
    Column("id", String(36), primary_key=True),
    CheckConstraint("id IS NULL", name="empty"),
)

# The ledger's guards let rows of a tenant be deleted while a replacement of it is open, and each leaves its record here.
replacements = Table(
    "replacements",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("source", String(80), nullable=False),
    Column("removed", Integer, nullable=False),
    Column("written", Integer, nullable=False),
    Column("open", String(36), ForeignKey("replacement_guard.id", deferrable=True, initially="DEFERRED")),
    Index("ix_replacements_tenant", "tenant", "at"),
)
# The guards ask with each row that goes whether one is open: along all that there ever were, each reset would be slower.
Index(
    "ix_replacements_open",
    replacements.c.tenant,
    sqlite_where=replacements.c.open.is_not(None),
    postgresql_where=replacements.c.open.is_not(None),
)
