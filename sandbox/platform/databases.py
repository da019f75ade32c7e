"""Migrating the three databases, each by its own service's command, all at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.platform.child import Child, python

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chassis.home import Home


class DatabaseNotUsable(RuntimeError):
    """A database that could not be migrated; the message is the migration's own."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration under way, or over."""

    package: str
    child: Child

    def require_success(self) -> None:
        """Raise `DatabaseNotUsable` where it failed; to be called when it has ended."""
        status = self.child.bury()
        if status != 0:
            words = self.child.last_words() or f"python -m {self.package}.database ended with status {status}"
            raise DatabaseNotUsable(words.splitlines()[-1])


def begin_migrations(packages: Iterable[str], *, environment: Mapping[str, str], home: Home) -> list[Migration]:
    """Start all migrations at once: they share nothing, and each is mostly imports."""
    return [
        Migration(
            package,
            Child(
                python(f"{package}.database"),
                environment=environment,
                folder=home.path,
                console=home.log / f"{package}-migration.console",
            ),
        )
        for package in packages
    ]
