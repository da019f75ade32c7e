"""When SQLite's journal goes back into the database: with one commit of many.

By itself SQLite tries with every commit, once the journal holds a thousand pages, and begins it anew in a moment without
readers. On a busy server there is none: from then on each commit copies its pages a second time and waits for the disk.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Final

from chassis.logs import get_logger

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

COMMITS: Final = 200
# What large transactions have written goes back with them.
MOST_PAGES: Final = 8_192
# How long writers may wait until the last reader has let go of the journal; with readers that stay, the next one tries again.
_PATIENCE_MILLISECONDS: Final = 50


class Checkpoints:
    """Counts the commits of one process to one database."""

    def __init__(self) -> None:
        """None so far."""
        self._commits = count(1)

    def note_commit(self, connection: DBAPIConnection) -> None:
        """Count the commit that `connection` has just made, and let it put the journal back where it is its turn.

        Where that fails, a later commit tries again, as SQLite itself does.
        """
        if next(self._commits) % COMMITS:
            return
        try:
            _put_back(connection)
        except sqlite3.Error as error:
            # What is committed is committed: whoever was told otherwise would write it a second time.
            get_logger().warning("database.journal_not_put_back", error=str(error))


def _put_back(connection: DBAPIConnection) -> None:
    with closing(connection.cursor()) as cursor:
        # The first writes and waits for the disk, beside everybody; what is left for the second is short.
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        cursor.execute("PRAGMA busy_timeout")
        (patience,) = cursor.fetchone() or (0,)
        cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MILLISECONDS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(RESTART)")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={patience}")
