"""The table of tenants."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, String, Table

from bank_backend.database import METADATA

tenants = Table(
    "tenants",
    METADATA,
    Column("id", String(80), primary_key=True),
    Column("name", String(140), nullable=False),
    Column("country", String(2), nullable=False),
    Column("roles", String(80), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("persona_password", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("clock_offset_seconds", BigInteger, nullable=False, server_default="0"),
    Column("redirect_uris", JSON, nullable=False, server_default="[]"),
    Column("personality", String(40), nullable=False, server_default="standard"),
)
