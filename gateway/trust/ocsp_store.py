"""Keeps the newest answers of OCSP responders for all workers; a change of a responder's word is told to the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from chassis.sql.database import for_reading
from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change, changing
from gateway.tables.trust import ocsp_answers
from gateway.trust.ocsp_status import Answer, OcspStatus

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

_REVOKED_KEPT_SECONDS: Final = 4 * 365 * 86_400


class SqlOcspAnswers:
    """Answers on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def read(self, key: str) -> OcspStatus | None:
        """Return the answer to a question."""
        with self._reading.connect() as connection:
            return _read(connection, key)

    def keep(self, key: str, status: OcspStatus, at: datetime) -> OcspStatus:
        """Put an answer in the place of an older one, and return the newer of the two.

        Whoever replays an answer from before the revocation, which its signature still covers, changes nothing.
        """
        with changing(self._engine) as connection:
            standing = _read(connection, key)
            if standing is not None and standing.as_of > status.as_of:
                return standing
            if standing is None:
                connection.execute(insert(ocsp_answers).values(key=key, **_values(status, at)))
            else:
                connection.execute(update(ocsp_answers).where(ocsp_answers.c.key == key).values(**_values(status, at)))
            if status.verdict is not (standing.verdict if standing else Answer.GOOD):
                append_change(connection, ChangeKind.OCSP, key, at)
        return status

    def prune(self, before: datetime, batch: int) -> int:
        """Delete up to `batch` answers that ran out before `before`; revocations stay as long as a certificate lives."""
        seconds = before.timestamp()
        is_revoked = ocsp_answers.c.verdict == Answer.REVOKED.value
        is_old = (~is_revoked & (ocsp_answers.c.known_until < seconds)) | (
            is_revoked & (ocsp_answers.c.known_until < seconds - _REVOKED_KEPT_SECONDS)
        )
        old = select(ocsp_answers.c.key).where(is_old).limit(batch)
        with self._engine.begin() as connection:
            return connection.execute(delete(ocsp_answers).where(ocsp_answers.c.key.in_(old))).rowcount


def _read(connection: Connection, key: str) -> OcspStatus | None:
    row = connection.execute(select(ocsp_answers).where(ocsp_answers.c.key == key)).one_or_none()
    if row is None:
        return None
    return OcspStatus(
        verdict=Answer(row.verdict),
        as_of=row.as_of,
        known_until=row.known_until,
        refresh_at=row.refresh_at,
        responder=row.responder,
        revoked_at=row.revoked_at,
        signer=row.signer,
    )


def _values(status: OcspStatus, at: datetime) -> dict[str, object]:
    return {
        "verdict": status.verdict.value,
        "as_of": status.as_of,
        "known_until": status.known_until,
        "refresh_at": status.refresh_at,
        "responder": status.responder,
        "revoked_at": status.revoked_at,
        "signer": status.signer,
        "taken_at": at.timestamp(),
    }
