"""The tables of one-time codes, which hold hashes only, and of wrong ones in a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    insert,
    select,
    text,
    update,
)

from bank_backend.database import METADATA
from bank_backend.sca.model import Challenge, ChallengeStatus, WrongCodes

if TYPE_CHECKING:
    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

challenges = Table(
    "challenges",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("interaction", String(36), ForeignKey("interactions.id"), nullable=False),
    Column("status", String(12), nullable=False),
    Column("salt", LargeBinary(16), nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("attempts_left", Integer, nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("ix_challenges_interaction", "interaction", "sent_at"),
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

_BEGIN = text("INSERT INTO wrong_codes (tenant, psu, in_a_row) VALUES (:tenant, :psu, 0) ON CONFLICT (tenant, psu) DO NOTHING")


class SqlChallengeStore:
    """Codes in the bank's database, inside the caller's transaction."""

    def add(self, connection: Connection, challenge: Challenge) -> None:
        """Write a new challenge."""
        connection.execute(insert(challenges).values(_columns(challenge)))

    def save(self, connection: Connection, challenge: Challenge) -> None:
        """Write the challenge's new state over its old one."""
        connection.execute(update(challenges).where(challenges.c.id == challenge.id).values(_columns(challenge)))

    def of_interaction(self, connection: Connection, interaction: str) -> list[Challenge]:
        """Return all codes sent for an interaction, oldest first."""
        statement = select(challenges).where(challenges.c.interaction == interaction).order_by(challenges.c.sent_at)
        # The rows stay locked until the transaction ends (PostgreSQL; SQLite has one writer): each attempt is counted.
        return [_challenge(row) for row in connection.execute(statement.with_for_update())]


class SqlWrongCodeStore:
    """Counts of wrong codes in the bank's database, inside the caller's transaction."""

    def of_psu(self, connection: Connection, tenant: TenantId, psu: PsuId) -> WrongCodes:
        """Return the PSU's count, locked until the transaction ends: attempts made at the same time are all counted."""
        connection.execute(_BEGIN, {"tenant": tenant, "psu": psu})
        statement = select(wrong_codes).where(wrong_codes.c.tenant == tenant, wrong_codes.c.psu == psu)
        row = connection.execute(statement.with_for_update()).one()
        until = None if row.locked_until is None else datetime.fromtimestamp(row.locked_until, UTC)
        return WrongCodes(row.in_a_row, until)

    def save(self, connection: Connection, tenant: TenantId, psu: PsuId, counted: WrongCodes) -> None:
        """Write the PSU's count."""
        until = None if counted.locked_until is None else counted.locked_until.timestamp()
        statement = update(wrong_codes).where(wrong_codes.c.tenant == tenant, wrong_codes.c.psu == psu)
        connection.execute(statement.values(in_a_row=counted.in_a_row, locked_until=until))


def _columns(challenge: Challenge) -> dict[str, object]:
    return {
        "id": challenge.id,
        "interaction": challenge.interaction,
        "status": challenge.status.value,
        "salt": challenge.salt,
        "code_hash": challenge.code_hash,
        "attempts_left": challenge.attempts_left,
        "sent_at": challenge.sent_at.timestamp(),
        "expires_at": challenge.expires_at.timestamp(),
    }


def _challenge(row: Row[tuple[object, ...]]) -> Challenge:
    return Challenge(
        id=row.id,
        interaction=row.interaction,
        status=ChallengeStatus(row.status),
        salt=row.salt,
        code_hash=row.code_hash,
        attempts_left=row.attempts_left,
        sent_at=datetime.fromtimestamp(row.sent_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
    )
