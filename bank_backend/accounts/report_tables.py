"""The tables of account reports: how far a TPP has read (delta lists), and large reports waiting to be fetched."""

from __future__ import annotations

from sqlalchemy import Column, Date, Float, ForeignKey, Integer, String, Table

from bank_backend.database import METADATA

# The newest movement that a TPP has been told of, for each PSU and account (BG IG §6.5.4, `deltaList`).
report_marks = Table(
    "report_marks",
    METADATA,
    Column("tenant", String(80), primary_key=True),
    Column("psu", String(64), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id"), primary_key=True),
    Column("number", Integer, nullable=False),
)

report_downloads = Table(
    "report_downloads",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("tenant", String(80), ForeignKey("tenants.id"), nullable=False),
    Column("consent", String(36), nullable=False),
    Column("account_id", String(36), ForeignKey("accounts.id"), nullable=False),
    Column("format", String(16), nullable=False),
    Column("booking_status", String(16), nullable=False),
    Column("since", Date, nullable=False),
    Column("until", Date, nullable=False),
    Column("after_number", Integer, nullable=False),
    # What is booked after the report was asked for is not in it, whenever it is fetched.
    Column("newest_number", Integer, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("fetched", Integer, nullable=False),
)
