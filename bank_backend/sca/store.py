"""The table of one-time codes; it holds hashes only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, Row, String, Table, insert, select, update

from bank_backend.database import METADATA
from bank_backend.sca.model import Challenge, ChallengeStatus

if TYPE_CHECKING:
    from bank_backend.database import Connection

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
