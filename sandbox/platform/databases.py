"""Migrating the three databases in one process: what each takes is mostly loading SQLAlchemy and alembic.

`python -m sandbox.platform.databases PACKAGE…` does what `python -m PACKAGE.database` does, one package after the other.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from sandbox.platform.child import python, spawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chassis.home import Home


class DatabaseNotUsable(RuntimeError):
    """A database that could not be migrated; the message is the migration's own."""


class Migration:
    """A migration under way, or over."""

    def __init__(self, packages: Iterable[str], *, environment: Mapping[str, str], home: Home) -> None:
        """Start it, in a process that knows the services' settings and passwords, which this one need not."""
        self.child = spawn(
            python(__name__, *packages),
            environment=environment,
            folder=home.path,
            console=home.log / "migration.console",
        )

    def require_success(self) -> None:
        """Raise `DatabaseNotUsable` where it failed; to be called when it has ended."""
        status = self.child.bury()
        if status != 0:
            words = self.child.last_words() or f"the migration of the databases ended with status {status}"
            raise DatabaseNotUsable(words.splitlines()[-1])


def migrate(packages: Iterable[str]) -> int:
    """Migrate until one fails; returns the exit status. Services are found by name: none is imported here otherwise."""
    for package in packages:
        status: int = import_module(f"{package}.database").main()
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(migrate(sys.argv[1:]))
