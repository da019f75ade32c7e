"""The tables of the ledger: entries, their postings, and holds. Rows are only ever added (triggers see to it)."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Date, Float, ForeignKey, Index, Integer, String, Table

from bank_backend.database import METADATA


def _details_columns() -> list[Column[str]]:
    return [
        Column("debtor_name", String(140), nullable=False),
        Column("debtor_iban", String(34), nullable=False),
        Column("creditor_name", String(140), nullable=False),
        Column("creditor_iban", String(34), nullable=False),
        Column("remittance", String(140), nullable=False),
        Column("code", String(16), nullable=False),
        Column("end_to_end_id", String(35), nullable=False),
        Column("mandate_id", String(35), nullable=False),
        Column("creditor_id", String(35), nullable=False),
        # NULL for most movements; read and written by `ledger.particulars`.
        Column("particulars", JSON(none_as_null=True)),
    ]


entries = Table(
    "entries",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("at", Float, nullable=False),
    *_details_columns(),
    # What it executes: NULL for what no order made. Two NULLs are two, so that only origins are unique.
    Column("origin", String(80)),
    Column("charge_of", String(36)),
    Column("source_currency", String(3)),
    Column("target_currency", String(3)),
    Column("exchange_rate_e8", BigInteger),
    Column("quotation_date", Date),
    Column("contract", String(35)),
    Index("ix_entries_origin", "tenant", "origin", unique=True),
)

postings = Table(
    "postings",
    METADATA,
    Column("account_id", String(36), ForeignKey("accounts.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("entry_id", String(36), ForeignKey("entries.id"), nullable=False),
    Column("tenant", String(80), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("balance_minor", BigInteger, nullable=False),
    Column("booking_date", Date, nullable=False),
    Column("value_date", Date, nullable=False),
    # Keyset pages read along this index.
    Index("ix_postings_account_id_booking_date", "account_id", "booking_date", "number"),
    Index("ix_postings_entry_id", "entry_id"),
)

holds = Table(
    "holds",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("account_id", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("at", Float, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("value_date", Date, nullable=False),
    *_details_columns(),
    Index("ix_holds_account_id", "account_id"),
)

# A hold ends by a row here, never by a change of its own row; the key lets it end once.
hold_ends = Table(
    "hold_ends",
    METADATA,
    Column("hold_id", String(36), ForeignKey("holds.id"), primary_key=True),
    Column("at", Float, nullable=False),
    Column("entry_id", String(36)),
)
