"""The table of faults."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table

from bank_backend.database import METADATA

faults = Table(
    "faults",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("method", String(8), nullable=False),
    Column("path", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("effect", JSON, nullable=False),
    Column("rate", Float, nullable=False),
    # How many calls it is for; NULL: until it is cleared.
    Column("calls", Integer),
    # How many it was asked about, and on how many of these it struck.
    Column("matched", Integer, nullable=False),
    Column("struck", Integer, nullable=False),
    Index("ix_faults_tenant", "tenant", "position"),
)
