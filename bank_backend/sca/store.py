"""Challenges and wrong codes in the bank's database, inside the caller's transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Row, Select, insert, select, text, update

from bank_backend.sca.model import Challenge, ChallengeStatus, MethodType, WrongCodes
from bank_backend.sca.tables import challenges, wrong_codes
from psd2.ids import PsuId, TenantId

if TYPE_CHECKING:
    from bank_backend.database import Connection

_BEGIN = text("INSERT INTO wrong_codes (tenant, psu, in_a_row) VALUES (:tenant, :psu, 0) ON CONFLICT (tenant, psu) DO NOTHING")


class SqlChallengeStore:
    """Challenges in the bank's database."""

    def add(self, connection: Connection, challenge: Challenge) -> None:
        """Write a new challenge."""
        connection.execute(insert(challenges).values(_columns(challenge)))

    def save(self, connection: Connection, challenge: Challenge) -> None:
        """Write the challenge's new state over its old one."""
        connection.execute(update(challenges).where(challenges.c.id == challenge.id).values(_columns(challenge)))

    def of_authorisation(self, connection: Connection, authorisation: str) -> list[Challenge]:
        """Return all challenges of an authorisation, oldest first, locked for the caller."""
        # The rows stay locked until the transaction ends (PostgreSQL; SQLite has one writer): each attempt is counted.
        return _challenges(connection, _of(authorisation).with_for_update())

    def seen_of(self, connection: Connection, authorisation: str) -> list[Challenge]:
        """Return all challenges of an authorisation, oldest first, for looking only."""
        return _challenges(connection, _of(authorisation))

    def pushes_of(self, connection: Connection, tenant: TenantId, psu: PsuId) -> list[Challenge]:
        """Return the pushes that a PSU has not answered, newest first."""
        statement = select(challenges).where(
            challenges.c.tenant == tenant,
            challenges.c.psu == psu,
            challenges.c.type == MethodType.PUSH.value,
            challenges.c.status == ChallengeStatus.SENT.value,
        )
        return _challenges(connection, statement.order_by(challenges.c.sent_at.desc(), challenges.c.id))

    def find_locked(self, connection: Connection, challenge: str) -> Challenge | None:
        """Return one challenge, locked for the caller, or None."""
        found = _challenges(connection, select(challenges).where(challenges.c.id == challenge).with_for_update())
        return found[0] if found else None


class SqlWrongCodeStore:
    """Counts of wrong codes in the bank's database."""

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


def _of(authorisation: str) -> Select[tuple[object, ...]]:
    statement = select(challenges).where(challenges.c.authorisation == authorisation)
    return statement.order_by(challenges.c.sent_at, challenges.c.id)


def _challenges(connection: Connection, statement: Select[tuple[object, ...]]) -> list[Challenge]:
    return [_challenge(row) for row in connection.execute(statement)]


def _columns(challenge: Challenge) -> dict[str, object]:
    return {
        "id": challenge.id,
        "authorisation": challenge.authorisation,
        "tenant": challenge.tenant,
        "psu": challenge.psu,
        "method": challenge.method,
        "type": challenge.type.value,
        "status": challenge.status.value,
        "instruction": challenge.instruction,
        "number": challenge.number,
        "statement_digest": challenge.statement_digest,
        "salt": challenge.salt,
        "code_hash": challenge.code_hash,
        "attempts_left": challenge.attempts_left,
        "sent_at": challenge.sent_at.timestamp(),
        "expires_at": challenge.expires_at.timestamp(),
    }


def _challenge(row: Row[tuple[object, ...]]) -> Challenge:
    return Challenge(
        id=row.id,
        authorisation=row.authorisation,
        tenant=TenantId(row.tenant),
        psu=PsuId(row.psu),
        method=row.method,
        type=MethodType(row.type),
        status=ChallengeStatus(row.status),
        instruction=row.instruction,
        number=row.number,
        statement_digest=row.statement_digest,
        salt=row.salt,
        code_hash=row.code_hash,
        attempts_left=row.attempts_left,
        sent_at=datetime.fromtimestamp(row.sent_at, UTC),
        expires_at=datetime.fromtimestamp(row.expires_at, UTC),
    )
