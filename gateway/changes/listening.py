"""Hears at once that the feed has grown, on PostgreSQL (LISTEN/NOTIFY); reading the feed now and then stays the safety net.

A notification says nothing but "read": it may be lost with its connection, or with a pooler in between.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from chassis.logs import get_logger
from chassis.sql.database import first_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

CHANNEL: Final = "gateway_changes"
_WAIT_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 1.0
_NOTIFY: Final = text("SELECT pg_notify(:channel, '')")


def notify(connection: Connection) -> None:
    """Tell whoever listens once this transaction has ended well; nothing on an engine without notifications."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY, {"channel": CHANNEL})


class ChangeListener:
    """A thread with a connection of its own, which calls `on_change` (from that thread) for each notification."""

    def __init__(self, engine: Engine, on_change: Callable[[], object]) -> None:
        self._engine = engine
        self._on_change = on_change
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="change-listener", daemon=True)

    def start(self) -> None:
        """Listen from now on, where the engine can."""
        if self._engine.dialect.name == "postgresql":
            self._thread.start()

    def stop(self) -> None:
        """Listen no more; the thread ends within a second or so."""
        self._over.set()

    def _listen(self) -> None:
        failing = False
        while not self._over.is_set():
            try:
                self._listen_on_one_connection()
                failing = False
            except Exception as error:  # noqa: BLE001 - whatever broke it, the feed is read without it, and it tries again
                if not failing:
                    get_logger().warning("feed.deaf", error=first_line(error))
                failing = True
                self._over.wait(_RETRY_SECONDS)

    def _listen_on_one_connection(self) -> None:
        lent = self._engine.raw_connection()
        connection: Any = lent.driver_connection
        # It is kept for good, and is none of those that look-ups share.
        lent.detach()
        try:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._on_change()  # what came before this connection was there
            while not self._over.is_set():
                for _ in connection.notifies(timeout=_WAIT_SECONDS, stop_after=1):
                    self._on_change()
        finally:
            connection.close()
