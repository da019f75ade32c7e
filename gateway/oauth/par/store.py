"""Keeps pushed requests; which of several authorizations may answer one is decided by the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, insert, or_, select, update

from chassis.database import for_reading
from gateway.oauth.par.model import PushedRequest, PushedRequestAnswered
from gateway.tables.oauth import pushed_requests

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.oauth.par.model import Claim


# Made once: making a statement costs more than running it.
_ADD: Final = insert(pushed_requests)
_FIND: Final = select(pushed_requests).where(pushed_requests.c.sha256 == bindparam("wanted"))
_ANSWER: Final = update(pushed_requests).where(
    pushed_requests.c.sha256 == bindparam("wanted"),
    or_(pushed_requests.c.answered_by.is_(None), pushed_requests.c.answered_by == bindparam("by")),
)
_CLAIM: Final = (
    update(pushed_requests)
    .where(
        pushed_requests.c.sha256 == bindparam("wanted"),
        or_(
            pushed_requests.c.browser_sha256.is_(None),
            and_(pushed_requests.c.begun_as.is_(None), pushed_requests.c.claimed_at < bindparam("stale")),
        ),
    )
    .values(browser_sha256=bindparam("browser"), claimed_at=bindparam("at"))
)
_RELEASE: Final = (
    update(pushed_requests)
    .where(
        pushed_requests.c.sha256 == bindparam("wanted"),
        pushed_requests.c.claimed_at == bindparam("at"),
        pushed_requests.c.answered_by.is_(None),
    )
    .values(browser_sha256=None, claimed_at=None, begun_as=None)
)


class SqlPushedRequests:
    """Pushed requests on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = for_reading(engine)

    def add(self, pushed: PushedRequest) -> None:
        """Keep a pushed request."""
        row = {
            "sha256": pushed.sha256,
            "client_id": pushed.client_id,
            "parameters": json.dumps(dict(pushed.parameters)),
            "expires_at": pushed.expires_at.timestamp(),
        }
        with self._engine.begin() as connection:
            connection.execute(_ADD, row)

    def find(self, sha256: str) -> PushedRequest | None:
        """Return the pushed request, used or not, or None."""
        with self._reading.connect() as connection:
            row = connection.execute(_FIND, {"wanted": sha256}).one_or_none()
        if row is None:
            return None
        return PushedRequest(
            sha256=row.sha256,
            client_id=row.client_id,
            parameters=json.loads(row.parameters),
            expires_at=datetime.fromtimestamp(row.expires_at, UTC),
            browser_sha256=row.browser_sha256,
            begun_as=row.begun_as,
            answered_by=row.answered_by,
        )

    def is_claimed(self, claim: Claim, *, stale: datetime) -> bool:
        """Give a browser the right to begin; False where one has it, unless it was taken before `stale` and came to nothing."""
        values = {
            "wanted": claim.sha256,
            "browser": claim.browser_sha256,
            "at": claim.at.timestamp(),
            "stale": stale.timestamp(),
        }
        with self._engine.begin() as connection:
            return connection.execute(_CLAIM, values).rowcount == 1

    def release(self, claim: Claim) -> None:
        """Let anybody begin, as if nobody had come; nothing where somebody else has taken over, or the client its answer."""
        with self._engine.begin() as connection:
            connection.execute(_RELEASE, {"wanted": claim.sha256, "at": claim.at.timestamp()})

    def answer(self, sha256: str, *, by: str) -> None:
        """Let one authorization request answer it, as often as that likes; raises `PushedRequestAnswered` for any other."""
        with self._engine.begin() as connection:
            if connection.execute(_ANSWER, {"wanted": sha256, "by": by, "answered_by": by}).rowcount != 1:
                raise PushedRequestAnswered
