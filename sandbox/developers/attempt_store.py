"""Attempts in SQL: one row for each subject, counted by one statement, so that replicas never count past each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import case, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from sandbox.database import attempts
from sandbox.developers.attempts import Counted

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine


class SqlAttempts:
    """Attempts in SQL."""

    def __init__(self, engine: Engine) -> None:
        """Count through this engine."""
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def count(self, kind: str, subject: str, *, now: float, window_seconds: float) -> Counted:
        """Count one more; begin a window where none runs."""
        first = self._insert(attempts).values(kind=kind, subject=subject, count=1, window_ends_at=now + window_seconds)
        is_over = attempts.c.window_ends_at <= now
        statement = first.on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={
                "count": case((is_over, 1), else_=attempts.c.count + 1),
                "window_ends_at": case((is_over, now + window_seconds), else_=attempts.c.window_ends_at),
            },
        ).returning(attempts.c.count, attempts.c.window_ends_at)
        with self._engine.begin() as connection:
            row = connection.execute(statement).one()
        return Counted(count=row[0], window_ends_at=row[1])

    def take_back(self, kind: str, subject: str) -> None:
        """Count one less."""
        less = update(attempts).where(_is(kind, subject), attempts.c.count > 0).values(count=attempts.c.count - 1)
        with self._engine.begin() as connection:
            connection.execute(less)

    def forget(self, kind: str, subject: str) -> None:
        """Begin anew."""
        with self._engine.begin() as connection:
            connection.execute(delete(attempts).where(_is(kind, subject)))

    def prune(self, *, now: float) -> None:
        """Drop windows that are over."""
        with self._engine.begin() as connection:
            connection.execute(delete(attempts).where(attempts.c.window_ends_at <= now))


def _is(kind: str, subject: str) -> ColumnElement[bool]:
    return (attempts.c.kind == kind) & (attempts.c.subject == subject)
