"""The bank app's sessions in the bank's database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, String, Table, delete, func, insert, or_, select, update

from bank_backend.bankapp.model import AppSession
from bank_backend.database import METADATA
from bank_backend.tenants.tables import tenants
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Database

sessions = Table(
    "bank_app_sessions",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("tenant", String(80), nullable=False),
    Column("psu", String(64), nullable=False),
    Column("opened_at", Float, nullable=False),
    Column("active_at", Float, nullable=False),
    ForeignKeyConstraint(["tenant", "psu"], ["psus.tenant", "psus.login"]),
    Index("ix_bank_app_sessions_active_at", "active_at"),
)


class SqlAppStore:
    """Sessions, and which banks there are."""

    def __init__(self, database: Database) -> None:
        """Read and write `database`."""
        self._database = database

    def add(self, session: AppSession, *, forget_before: datetime) -> None:
        """Write a new session, and forget those that nobody has used since a time."""
        row = {
            "digest": session.digest,
            "tenant": session.tenant,
            "psu": session.psu,
            "opened_at": session.opened_at.timestamp(),
            "active_at": session.active_at.timestamp(),
        }
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.active_at < forget_before.timestamp()))
            connection.execute(insert(sessions).values(row))

    def find(self, digest: str) -> AppSession | None:
        """Return the session, or None."""
        with self._database.reading() as connection:
            row = connection.execute(select(sessions).where(sessions.c.digest == digest)).first()
        if row is None:
            return None
        return AppSession(
            digest=row.digest,
            tenant=TenantId(row.tenant),
            psu=PsuId(row.psu),
            opened_at=datetime.fromtimestamp(row.opened_at, UTC),
            active_at=datetime.fromtimestamp(row.active_at, UTC),
        )

    def touch(self, digest: str, *, at: datetime) -> None:
        """Note that the session is used."""
        with self._database.writing() as connection:
            connection.execute(update(sessions).where(sessions.c.digest == digest).values(active_at=at.timestamp()))

    def remove(self, digest: str) -> None:
        """End a session."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == digest))

    def banks_named(self, text: str) -> list[TenantId]:
        """Return the tenants of this authorisation number or, in whatever case, this name; two at most."""
        is_it = or_(tenants.c.id == text, func.lower(tenants.c.name) == text.lower())
        with self._database.reading() as connection:
            return [TenantId(each) for each in connection.scalars(select(tenants.c.id).where(is_it).limit(2))]
