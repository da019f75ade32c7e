"""The tables of SCA: methods, challenges, which hold hashes only, and wrong codes in a row."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
)

from bank_backend.database import METADATA

challenges = Table(
    "sca_challenges",
    METADATA,
    Column("id", String(36), primary_key=True),
    # An authorisation's id.
    Column("authorisation", String(36), nullable=False),
    Column("tenant", String(80), nullable=False),
    Column("psu", String(64), nullable=False),
    # No foreign key: a method can be taken away, what was approved with it stays on record.
    Column("method", String(36), nullable=False),
    Column("type", String(12), nullable=False),
    Column("status", String(12), nullable=False),
    Column("instruction", String(200), nullable=False),
    Column("number", String(2), nullable=False),
    Column("statement_digest", LargeBinary(32), nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("code_hash", LargeBinary(32)),
    Column("attempts_left", Integer, nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"]),
    Index("ix_sca_challenges_authorisation", "authorisation", "sent_at"),
    Index("ix_sca_challenges_psu", "tenant", "psu", "status"),
)

methods = Table(
    "psu_sca_methods",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), nullable=False),
    Column("psu", String(64), nullable=False),
    Column("type", String(12), nullable=False),
    Column("label", String(60), nullable=False),
    Column("position", Integer, nullable=False),
    Column("published_secret", String(64)),
    Column("sealed_secret", LargeBinary(128)),
    Column("last_step", BigInteger),
    Column("credential", LargeBinary(2048)),
    Column("sign_count", BigInteger, nullable=False, default=0),
    Column("challenge", LargeBinary(32)),
    Column("is_enrolled", Boolean, nullable=False),
    ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"]),
    Index("ix_psu_sca_methods_psu", "tenant", "psu", "position"),
)

wrong_codes = Table(
    "wrong_codes",
    METADATA,
    Column("tenant", String(80), primary_key=True),
    Column("psu", String(64), primary_key=True),
    Column("in_a_row", Integer, nullable=False),
    Column("locked_until", Float),
    ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"]),
)
