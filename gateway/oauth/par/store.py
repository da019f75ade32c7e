"""Keeps pushed requests; which of several authorizations may answer one is decided by the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, insert, or_, select, update

from chassis.sql.single_statements import SingleRead, SingleWrite
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
        self._add, self._claim = SingleWrite(engine, _ADD), SingleWrite(engine, _CLAIM)
        self._release, self._answer = SingleWrite(engine, _RELEASE), SingleWrite(engine, _ANSWER)
        self._find = SingleRead(engine, _FIND)

    def add(self, pushed: PushedRequest) -> None:
        """Keep a pushed request."""
        row = {
            "sha256": pushed.sha256,
            "client_id": pushed.client_id,
            "parameters": json.dumps(dict(pushed.parameters)),
            "expires_at": pushed.expires_at.timestamp(),
        }
        self._add.rows_written(row)

    def find(self, sha256: str) -> PushedRequest | None:
        """Return the pushed request, used or not, or None."""
        row = self._find.row(wanted=sha256)
        if row is None:
            return None
        return PushedRequest(
            sha256=row["sha256"],
            client_id=row["client_id"],
            parameters=json.loads(row["parameters"]),
            expires_at=datetime.fromtimestamp(row["expires_at"], UTC),
            browser_sha256=row["browser_sha256"],
            begun_as=row["begun_as"],
            answered_by=row["answered_by"],
        )

    def is_claimed(self, claim: Claim, *, stale: datetime) -> bool:
        """Give a browser the right to begin; False where one has it, unless it was taken before `stale` and came to nothing."""
        values = {
            "wanted": claim.sha256,
            "browser": claim.browser_sha256,
            "at": claim.at.timestamp(),
            "stale": stale.timestamp(),
        }
        return self._claim.rows_written(values) == 1

    def release(self, claim: Claim) -> None:
        """Let anybody begin, as if nobody had come; nothing where somebody else has taken over, or the client its answer."""
        self._release.rows_written({"wanted": claim.sha256, "at": claim.at.timestamp()})

    def answer(self, sha256: str, *, by: str) -> None:
        """Let one authorization request answer it, as often as that likes; raises `PushedRequestAnswered` for any other."""
        if self._answer.rows_written({"wanted": sha256, "by": by, "answered_by": by}) != 1:
            raise PushedRequestAnswered
