"""What has to be there before the first server starts, step by step; every step may be run again and then changes nothing.

`sandbox up` takes the same steps for a platform on one machine; here no server is started.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from chassis.sql.database import DatabaseProblem
from sandbox.config import service_environment
from sandbox.containers.databases import DATABASES, USERS, owner_url
from sandbox.containers.errors import NotInitialised
from sandbox.containers.handout import hand_out
from sandbox.containers.passwords import SUPERUSER, ensure_passwords, password_file, passwords
from sandbox.platform.child import stop_all
from sandbox.platform.databases import Migration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.config import SandboxSettings

_MIGRATION_SECONDS: Final = 120.0
_LOOK_AGAIN_SECONDS: Final = 0.05


def make_passwords(settings: SandboxSettings, tell: Callable[[str], None]) -> None:
    """Make the database users' passwords, before PostgreSQL starts with its superuser's; raises `NotInitialised`."""
    made = ensure_passwords(_secrets_folder(settings), USERS)
    tell(f"passwords made for {', '.join(made)}" if made else "passwords: all there")


def initialise(settings: SandboxSettings, tell: Callable[[str], None]) -> None:
    """Take every step that the settings ask for. Raises `NotInitialised`, `DatabaseNotUsable`, CertificateAuthorityError."""
    if settings.secrets_folder is not None:
        make_passwords(settings, tell)
    urls: dict[str, str] = {}
    if settings.postgres_url is not None:
        urls = _make_databases(settings, settings.postgres_url)
        tell(f"databases on PostgreSQL: {', '.join(database.name for database in DATABASES)}")
    _migrate(settings, urls)
    if settings.postgres_url is not None:
        _give_rights_on_tables(settings, settings.postgres_url)
    tell("migrated")
    issued = _make_certificates(settings, urls)
    tell(f"certificates issued: {issued}")
    if settings.service_homes is not None:
        tell(f"files handed out to the servers: {len(hand_out(settings.home, settings.service_homes))}")


def _secrets_folder(settings: SandboxSettings) -> Path:
    if settings.secrets_folder is None:
        raise NotInitialised("SANDBOX_SECRETS_FOLDER names no folder to make passwords in")
    return settings.secrets_folder


def _make_databases(settings: SandboxSettings, superuser_url: str) -> dict[str, str]:
    """Return how the superuser reaches each service's database in its owner's name, by the service's own variable."""
    # Imported late: a platform on SQLite has no driver for PostgreSQL.
    from sandbox.containers.postgresql import ensure_databases

    try:
        known = passwords(_secrets_folder(settings), USERS | {SUPERUSER})
        ensure_databases(superuser_url, known[SUPERUSER], known)
    except ValueError as error:
        raise NotInitialised(str(error)) from error
    return {database.url_variable: owner_url(superuser_url, database) for database in DATABASES}


def _give_rights_on_tables(settings: SandboxSettings, superuser_url: str) -> None:
    from sandbox.containers.postgresql import ensure_rights_on_tables

    ensure_rights_on_tables(superuser_url, passwords(_secrets_folder(settings), frozenset({SUPERUSER}))[SUPERUSER])


def _migrate(settings: SandboxSettings, urls: dict[str, str]) -> None:
    settings.home.log.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = service_environment(settings) | urls | _password_files(settings, urls)
    packages = [database.package for database in DATABASES]
    migration = Migration(packages, environment=environment, home=settings.home)
    until = time.monotonic() + _MIGRATION_SECONDS
    try:
        while not migration.child.has_ended():
            if time.monotonic() >= until:
                raise NotInitialised(f"the migrations took longer than {_MIGRATION_SECONDS:.0f} s; see {settings.home.log}")
            time.sleep(_LOOK_AGAIN_SECONDS)
        migration.require_success()
    finally:
        stop_all([migration.child], seconds=1.0)


def _password_files(settings: SandboxSettings, urls: dict[str, str]) -> dict[str, str]:
    return {variable.replace("_URL", "_PASSWORD_FILE"): str(_superuser_password_file(settings)) for variable in urls}


def _superuser_password_file(settings: SandboxSettings) -> Path:
    return password_file(_secrets_folder(settings), SUPERUSER)


def _make_certificates(settings: SandboxSettings, urls: dict[str, str]) -> int:
    from sandbox.bootstrap import build_services

    changes: dict[str, object] = {}
    if "SANDBOX_DATABASE_URL" in urls:
        changes = {"database": urls["SANDBOX_DATABASE_URL"], "database_password_file": _superuser_password_file(settings)}
    try:
        return len(build_services(settings.model_copy(update=changes)).authority.ensure_hierarchy())
    except DatabaseProblem as error:
        raise NotInitialised(str(error)) from error
