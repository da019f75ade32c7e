"""Counters of rates and quotas."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Table, Text

from gateway.tables.base import metadata

# Counters of rates and quotas: here where the gateway's database counts them too, otherwise in a store of their own.
limit_accounts = Table(
    "limit_accounts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("used", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index(None, "expires_at"),
)
