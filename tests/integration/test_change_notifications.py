"""Notifications of changes on PostgreSQL: heard after the commit, and again after a connection was lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.changes.kinds import ChangeKind
from gateway.changes.listening import ChangeListener
from gateway.changes.store import append_change

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.support.databases import Databases

DEADLINE_SECONDS = 30
_LISTENERS = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


def append(engine: Engine, *, undone: bool = False) -> None:
    with engine.connect() as connection:
        append_change(connection, ChangeKind.TOKEN, "x", datetime.now(UTC))
        connection.rollback() if undone else connection.commit()


def test_whoever_listens_hears_of_a_change_and_of_those_it_may_have_missed(databases: Databases) -> None:
    """Not of one that was undone. SQLite has no notifications: there the listener does nothing."""
    heard = threading.Semaphore(0)
    with databases.opened("gateway") as engine:
        listener = ChangeListener(engine, heard.release)
        listener.start()
        if engine.dialect.name == "sqlite":
            append(engine)
            assert not listener._thread.is_alive()
            return
        try:
            assert heard.acquire(timeout=DEADLINE_SECONDS), "what came before it listened"
            append(engine, undone=True)
            append(engine)
            assert heard.acquire(timeout=DEADLINE_SECONDS)
            assert not heard.acquire(blocking=False)
            with engine.begin() as connection:
                assert connection.scalar(text(f"SELECT count(pg_terminate_backend(pid)) {_LISTENERS}")) == 1
            assert heard.acquire(timeout=DEADLINE_SECONDS), "what came while it did not listen"
            append(engine)
            assert heard.acquire(timeout=DEADLINE_SECONDS)
        finally:
            listener.stop()
            listener._thread.join(DEADLINE_SECONDS)
