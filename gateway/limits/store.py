"""Accounts in SQL: a small SQLite file of their own by default, or PostgreSQL.

The gateway's database has the table by migration; elsewhere it is made where it is missing: it holds counters of the present.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from chassis.sql.database import first_line, one_at_a_time, open_engine
from gateway.limits.accounts import Claim, Standing, StoreUnreachable, Taken, grant
from gateway.tables.base import metadata
from gateway.tables.limits import limit_accounts as accounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

_PRUNE_EVERY: Final = 500  # transactions

_SET = (
    update(accounts)
    .where(accounts.c.key == bindparam("of"))
    .values(used=bindparam("used"), at=bindparam("at"), expires_at=bindparam("expires_at"))
)
_GIVE_BACK = update(accounts).where(accounts.c.key == bindparam("of")).values(used=accounts.c.used - bindparam("units"))


class SqlAccountStore:
    """`AccountStore` on SQLAlchemy Core. `clock` tells epoch seconds."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        """Make the table where it is missing; raises `StoreUnreachable`."""
        self._engine = engine
        self._clock = clock
        self._transactions = 0
        dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
        self._open = dialect.insert(accounts).on_conflict_do_nothing()
        try:
            with engine.begin() as connection:
                one_at_a_time(connection, "gateway.limits")
                metadata.create_all(connection, tables=[accounts])
        except SQLAlchemyError as error:
            raise StoreUnreachable(first_line(error)) from error

    @classmethod
    def of_url(cls, url: str, clock: Callable[[], float]) -> SqlAccountStore:
        """Open `url`; raises `DatabaseProblem`, `StoreUnreachable`."""
        return cls(open_engine(url, threads=1), clock)

    def take(self, claims: Sequence[Claim]) -> list[Taken]:
        """Grant what there is, in one transaction; raises `StoreUnreachable`."""
        try:
            with self._engine.begin() as connection:
                self._prune(connection)
                return self._take(connection, claims)
        except SQLAlchemyError as error:
            raise StoreUnreachable(first_line(error)) from error

    def give_back(self, units: Sequence[tuple[str, int]]) -> None:
        """Take back unspent units; raises `StoreUnreachable`."""
        try:
            with self._engine.begin() as connection:
                connection.execute(_GIVE_BACK, [{"of": key, "units": count} for key, count in sorted(units)])
        except SQLAlchemyError as error:
            raise StoreUnreachable(first_line(error)) from error

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _take(self, connection: Connection, claims: Sequence[Claim]) -> list[Taken]:
        standings = self._alone_at(connection, sorted(claim.key for claim in claims))
        now = self._clock()  # once alone: whoever waited for others is not to count as having come before them
        granted = [grant(claim, standings.get(claim.key) or Standing(0, now), now) for claim in claims]
        connection.execute(
            _SET,
            [
                {"of": claim.key, "used": standing.used, "at": standing.at, "expires_at": now + claim.keep_seconds}
                for claim, (_, standing) in zip(claims, granted, strict=True)
            ],
        )
        return [taken for taken, _ in granted]

    def _alone_at(self, connection: Connection, keys: list[str]) -> dict[str, Standing]:
        """Return the accounts, opened where they were missing; nobody else changes them until the transaction ends."""
        now = self._clock()
        known = self._locked(connection, keys)
        missing = [key for key in keys if key not in known]
        if missing:
            rows = [{"key": key, "used": 0, "at": now, "expires_at": now} for key in missing]
            connection.execute(self._open, rows)
            known |= self._locked(connection, missing)
        return known

    def _locked(self, connection: Connection, keys: list[str]) -> dict[str, Standing]:
        # In the order of their keys, so that two workers never wait for each other. SQLite's writer is alone anyhow.
        query = select(accounts).where(accounts.c.key.in_(keys)).order_by(accounts.c.key).with_for_update()
        return {row.key: Standing(row.used, row.at) for row in connection.execute(query)}

    def _prune(self, connection: Connection) -> None:
        self._transactions += 1
        if self._transactions % _PRUNE_EVERY == 0:
            expired = select(accounts.c.key).where(accounts.c.expires_at < self._clock()).with_for_update(skip_locked=True)
            connection.execute(delete(accounts).where(accounts.c.key.in_(expired)))
