"""Audit records that have been shipped here."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Index, Table, Text

from gateway.tables.base import RowId, metadata

# Compared as the files' reader compares them, whatever the server's locale.
_Ordered = Text().with_variant(Text(collation="C"), "postgresql")
_PLACE: Final = ("ts", "request_id", "number")

audit_records = Table(
    "audit_records",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),  # the request's id, or where the record stood
    Column("ts", _Ordered, nullable=False),
    Column("request_id", _Ordered, nullable=False),  # empty for a handshake that failed
    # The beginnings of what is looked for: the record itself has the whole.
    Column("tpp", Text),
    Column("reason", Text),
    Column("certificate", Text),
    Column("seal", Text),
    Column("record", Text, nullable=False),  # the line as the edge wrote it
    Index(None, *_PLACE),
    Index(None, "tpp", *_PLACE),
    Index(None, "reason", *_PLACE),
    Index(None, "certificate", *_PLACE),
    Index(None, "seal", *_PLACE),
    sqlite_autoincrement=True,
)

# How far each audit file has been shipped; in the same transaction as its records.
audit_places = Table(
    "audit_places",
    metadata,
    Column("file", Text, primary_key=True),  # gateway.audit.audit_files
    Column("read_to", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
)
