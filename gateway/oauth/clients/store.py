"""Which client assertions have been used: one row each, whose key lets the first of several workers through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from chassis.sql.single_statements import SingleWrite
from gateway.oauth.clients.assertions import AssertionUsed
from gateway.tables.oauth import client_assertions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Engine


class SqlUsedAssertions:
    """Used assertions on SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._add = SingleWrite(engine, insert(client_assertions))

    def use(self, sha256: str, expires_at: datetime) -> None:
        """Note that an assertion is used; raises `AssertionUsed` for all but the first."""
        try:
            self._add.rows_written({"sha256": sha256, "expires_at": expires_at.timestamp()})
        except IntegrityError as error:
            raise AssertionUsed from error
