"""Opening and migrating a service's database: SQLite in WAL mode by default, PostgreSQL by URL.

Writers take SQLite's write lock when they begin, so that two of them queue instead of failing half-way.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis.sql.checkpoints import MOST_PAGES
from chassis.sql.sqlite_dialect import SQLITE_DRIVER, SqliteDialect

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor

_BUSY_TIMEOUT_MILLISECONDS, _BUSY_PAUSE_SECONDS = 10_000, 0.01
_PRAGMAS = (
    f"busy_timeout={_BUSY_TIMEOUT_MILLISECONDS}",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    f"wal_autocheckpoint={MOST_PAGES}",
    # SQLite never makes its journal smaller by itself: a rush of registrations would hold half a gigabyte for good.
    f"journal_size_limit={32 * 1024 * 1024}",
)
_DEFAULT_THREADS, _SPARE_CONNECTIONS = 8, 2
_POOL_TIMEOUT_SECONDS = 10
# A server that is gone without a word is given up within seconds, not when TCP would (a quarter of an hour).
_POSTGRESQL_CONNECTION: dict[str, str | int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    # A statement waits for a lock as long as one does on SQLite; who stops half-way lets go of its locks.
    "options": f"-c statement_timeout={_BUSY_TIMEOUT_MILLISECONDS} -c idle_in_transaction_session_timeout=15000",
}
_POSTGRESQL_MIGRATION_LOCK = 7_295_002  # any constant: all replicas must use the same
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_SQLITE_UNAVAILABLE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
_VERSION_TABLE = "alembic_version"
EXIT_OK, EXIT_UNUSABLE = 0, 3


class DatabaseProblem(RuntimeError):
    """A database that the code can't work with; the message says why and what to do."""


class DatabaseTooNew(DatabaseProblem):
    """The database was migrated by newer code than this."""


class DatabaseBehind(DatabaseProblem):
    """The database has not been migrated to what this code needs."""


def open_engine(url: str, *, threads: int = _DEFAULT_THREADS) -> Engine:
    """Open `url` (`sqlite:///file` or `postgresql://…`); raises `DatabaseProblem` for a URL that can't be used.

    `threads`: how many use it at a time; each has one connection at most, and there are a few for what runs beside them.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        msg = f"the database URL can't be read ({error}): write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        raise DatabaseProblem(msg) from error
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(str(parsed.database or ""), url, threads)
    return _open_postgresql(parsed, threads)


def for_reading(engine: Engine) -> Engine:
    """Return a view of the engine whose transactions only read, all of it one state of the database.

    On SQLite they take no write lock; PostgreSQL refuses a write in them.
    """
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    view = engine.execution_options()
    if isinstance(engine.dialect, SqliteDialect):
        view.dialect = engine.dialect.reading
    return view


def one_at_a_time(connection: Connection, *subject: str) -> None:
    """Let the transactions that say this about the same subject go one after the other, until each has ended.

    For decisions on rows that are not there yet, which nothing can lock. To be said before any row is locked. On SQLite
    a transaction that writes is alone anyhow.
    """
    if not writes_alone(connection):
        connection.execute(_LOCK, {"lock": _lock_of(subject)})


def writes_alone(connection: Connection) -> bool:
    """Tell whether no other transaction can write while this one does: SQLite's take turns."""
    return connection.dialect.name == "sqlite"


def is_first_in_line(connection: Connection, *subject: str) -> bool:
    """Take the turn that `one_at_a_time` would wait for, if nobody has it; tells whether it was free."""
    if writes_alone(connection):
        return True
    return bool(connection.execute(_TRY_LOCK, {"lock": _lock_of(subject)}).scalar_one())


def _lock_of(subject: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\0".join(subject).encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def is_unavailability(error: BaseException) -> bool:
    """Tell whether an error says that the database can't serve just now: the same request may succeed in a moment."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_UNAVAILABLE
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _open_postgresql(url: URL, threads: int) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    # What the URL says itself goes first.
    settings = {name: value for name, value in _POSTGRESQL_CONNECTION.items() if name not in url.query}
    return create_engine(
        url,
        connect_args=settings,
        # An error that is logged must not tell what was being written.
        hide_parameters=True,
        # A connection that the server has closed meanwhile is found out before it is used, and replaced.
        pool_pre_ping=True,
        **_pool(threads),
    )


def _pool(threads: int) -> dict[str, int | bool]:
    return {
        "pool_size": threads + _SPARE_CONNECTIONS,
        "max_overflow": 0,
        "pool_timeout": _POOL_TIMEOUT_SECONDS,
        # The connection used last has most in its caches; SQLite's forget all when another one has written.
        "pool_use_lifo": True,
    }


def first_line(error: BaseException) -> str:
    """Return what a log says of a database error: without its statement."""
    return str(error).partition("\n")[0]


def _open_sqlite(file: str, url: str, threads: int) -> Engine:
    if file and file != ":memory:":
        _make_private(Path(file))
    engine = create_engine(
        make_url(url).set(drivername=SQLITE_DRIVER),
        connect_args={"check_same_thread": False},
        hide_parameters=True,
        **(_pool(threads) if file else {}),
    )

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        try:
            _prepare_sqlite(connection)
        except sqlite3.DatabaseError as error:
            raise _judged(error, file) from error

    event.listen(engine, "connect", prepare)
    return engine


def _make_private(file: Path) -> None:
    """Make a new database its owner's alone, before SQLite makes it anybody's; what lies beside it gets its mode."""
    if file.is_file():
        return  # to open and close it would let go of SQLite's locks on it, those of this process's other engines (fcntl(2))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the folder of database {file} can't be made: {error.strerror}"
        raise DatabaseProblem(msg) from error
    try:
        os.close(os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        msg = f"the database {file} can't be opened: {error.strerror}"
        raise DatabaseProblem(msg) from error


def _judged(error: sqlite3.DatabaseError, file: str) -> Exception:
    """Return what a failed opening comes to: a damaged file is a sentence, anything else what it was."""
    if error.sqlite_errorcode not in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return error
    return DatabaseProblem(f"{file} can't be used ({error}): restore it from a copy, or move it away to begin anew")


def _prepare_sqlite(connection: DBAPIConnection) -> None:
    # None hands BEGIN to `SqliteDialect`: the driver's own begins a deferred transaction, which fails instead of waiting
    # when it turns into a writer after another one has written.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Keep the journal as WAL. SQLite doesn't wait here for whoever writes, as another process that opens the same new file."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_MILLISECONDS / 1_000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_SECONDS)
        else:
            return


def migrate(engine: Engine, package: str) -> None:
    """Bring the database to the newest revision in `package`/migrations; raises `DatabaseTooNew`.

    One transaction under one lock: of several replicas that start together, one migrates and the others wait.
    """
    folder = _migrations(package)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Another replica's migration, or one's own, may take its time.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(_LOCK, {"lock": _POSTGRESQL_MIGRATION_LOCK})
        revisions = _revisions(folder)
        if _standing_revision(connection, revisions, package) != revisions[-1]:
            _upgrade(connection, folder)


def _upgrade(connection: Connection, folder: Path) -> None:
    # Imported only where there is something to do: alembic takes longer to load than all of SQLAlchemy.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def require_current(engine: Engine, package: str) -> None:
    """Raise `DatabaseTooNew` or `DatabaseBehind` unless the database stands at this code's newest revision."""
    revisions = _revisions(_migrations(package))
    with for_reading(engine).connect() as connection:
        standing = _standing_revision(connection, revisions, package)
    if standing != revisions[-1]:
        msg = (
            f"the {package} database stands at revision {standing or 'none'}, the code needs {revisions[-1]}: "
            f"run python -m {package}.database"
        )
        raise DatabaseBehind(msg)


def _standing_revision(connection: Connection, revisions: list[str], package: str) -> str | None:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    standing = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608 - a constant
    if standing is not None and standing not in revisions:
        msg = (
            f"the {package} database was made by newer code (its revision is {standing}, the newest known here is "
            f"{revisions[-1]}): update the code, or choose another home folder or database"
        )
        raise DatabaseTooNew(msg)
    return str(standing) if standing is not None else None


def _revisions(folder: Path) -> list[str]:
    """Return the revisions, oldest first: each file starts with its revision, `0001_…` (a test holds them to it)."""
    return sorted(path.name.partition("_")[0] for path in (folder / "versions").glob("[0-9]*_*.py"))


def _migrations(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        msg = f"{package} is no package with migrations"
        raise DatabaseProblem(msg)
    return Path(spec.submodule_search_locations[0]) / "migrations"


def database_command(package: str, url: str) -> int:
    """Migrate the database and return the exit status of `python -m SERVICE.database`; says one sentence when it can't."""
    try:
        engine = open_engine(url)
        try:
            migrate(engine, package)
        finally:
            engine.dispose()
    except DatabaseProblem as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    except DBAPIError as error:
        # `hide_password`: a URL may hold one.
        where = make_url(url).render_as_string(hide_password=True)
        sys.stderr.write(f"the {package} database {where} can't be used: {error.orig}\n")
        return EXIT_UNUSABLE
    return EXIT_OK
