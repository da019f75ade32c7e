"""Fresh databases of our services on each engine, made once and cloned: the one way for an integration test to get one.

    def test_something(databases):                  # runs on SQLite and on PostgreSQL
        with databases.opened("gateway") as engine: ...

`databases` and `module_databases` are fixtures of `tests/conftest.py`; `tests/unit/test_engines.py` keeps the promise.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from chassis.sql.database import migrate, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from tests.support.postgres import Postgres

ENGINES = ("sqlite", "postgresql")
SERVICES = ("sandbox", "gateway", "bank_backend")


class Store(Protocol):
    """Where one engine's databases come from; `name` is the engine's, as in SQLAlchemy."""

    name: str

    def create(self) -> str:
        """Make an empty database; returns its URL."""

    def clone(self, url: str) -> str:
        """Make a copy of a database that nobody is connected to; returns its URL."""

    def drop(self, url: str) -> None:
        """Remove a database."""


class SqliteStore:
    """Databases as files of one folder."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`."""
        self._folder = folder
        self._count = 0
        self._given_back: list[str] = []

    def create(self) -> str:
        # A place that was given back is lent again: its engine may still be there.
        if self._given_back:
            return self._given_back.pop()
        self._count += 1
        return f"sqlite:///{self._folder / f'test-{self._count}.sqlite'}"

    def clone(self, url: str) -> str:
        made = self.create()
        # The last connection has closed, so that everything stands in the one file.
        shutil.copyfile(_file(url), _file(made))
        return made

    def drop(self, url: str) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{_file(url)}{suffix}").unlink(missing_ok=True)
        self._given_back.append(url)


class PostgresStore:
    """Databases of one running server."""

    name = "postgresql"

    def __init__(self, server: Postgres) -> None:
        """Make them on `server`."""
        self._server = server

    def create(self) -> str:
        return self._server.url(self._server.database())

    def clone(self, url: str) -> str:
        return self._server.url(self._server.database(template=_database(url)))

    def drop(self, url: str) -> None:
        self._server.drop(_database(url))


class Templates:
    """Databases that were prepared once, by name, to be cloned for each test."""

    def __init__(self, store: Store) -> None:
        """Make them in `store`."""
        self.store = store
        self._made: dict[str, str] = {}

    def clone(self, name: str, prepare: Callable[[str], None]) -> str:
        """Return the URL of a copy; `prepare` fills the original when the first copy is asked for."""
        if name not in self._made:
            url = self.store.create()
            prepare(url)
            self._made[name] = url
        return self.store.clone(self._made[name])


class Databases:
    """One engine's databases for as long as a fixture lives."""

    def __init__(self, templates: Templates) -> None:
        """Clone from `templates`."""
        self._templates = templates
        self._lent: list[str] = []

    @property
    def engine(self) -> str:
        """The engine's name: `sqlite`, `postgresql`."""
        return self._templates.store.name

    def empty(self) -> str:
        """Return the URL of an empty database."""
        return self._lend(self._templates.store.create())

    def fresh(self, service: str) -> str:
        """Return the URL of a migrated, empty database of a service, by its package."""
        return self.prepared(service, lambda url: migrated(url, service))

    def prepared(self, name: str, prepare: Callable[[str], None]) -> str:
        """Return the URL of a database that `prepare` has filled, once for all who ask for `name`."""
        return self._lend(self._templates.clone(name, prepare))

    @contextmanager
    def opened(self, service: str) -> Iterator[Engine]:
        """Open a fresh database of a service."""
        engine = open_engine(self.fresh(service))
        yield engine
        engine.dispose()

    def close(self) -> None:
        """Remove what was lent."""
        while self._lent:
            self._templates.store.drop(self._lent.pop())

    def _lend(self, url: str) -> str:
        self._lent.append(url)
        return url


def migrated(url: str, service: str) -> None:
    """Bring an empty database to the newest schema of a service."""
    engine = open_engine(url)
    migrate(engine, service)
    engine.dispose()


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def _database(url: str) -> str:
    return url.rpartition("/")[2] if "?" not in url else url.partition("?")[0].rpartition("/")[2]
