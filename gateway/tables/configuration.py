"""Documents with their versions, the audit of administrators, and the feed of changes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, Table, Text

from gateway.tables.base import RowId, metadata

changes = Table(
    "changes",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Double, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Index(None, "at"),
    # Without AUTOINCREMENT, SQLite would reuse the ids of pruned rows and a poller would miss what they now say.
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("body", Text, nullable=False),  # canonical JSON
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Double, nullable=False),
)

document_versions = Table(
    "document_versions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", Text, nullable=False),  # canonical JSON; empty where the document was deleted
    Column("origin", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Double, nullable=False),
)

admin_audit = Table(
    "admin_audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # from 1 on, without a gap
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("action", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("difference", Text, nullable=False),  # JSON, secrets redacted
    Column("previous", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Index(None, "object_kind", "object_name"),
)
