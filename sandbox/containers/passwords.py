"""A password for each database user, made where there is none; each lies in a folder that only its user is given."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from chassis.files import write_private
from chassis.settings import read_password

if TYPE_CHECKING:
    from pathlib import Path

SUPERUSER: Final = "postgres"
_NAME: Final = "database-password"
_BYTES: Final = 32
# PostgreSQL's container runs as a user of its own, who is let into the group of ours.
_GROUP_MAY_READ: Final = 0o640


def ensure_passwords(folder: Path, users: frozenset[str]) -> tuple[str, ...]:
    """Make what is missing and return for whom; a password that is there stays, for it is in use. Raises `OSError`."""
    missing = tuple(user for user in sorted(users | {SUPERUSER}) if not password_file(folder, user).exists())
    for user in missing:
        write_private(password_file(folder, user), secrets.token_urlsafe(_BYTES).encode())
    if SUPERUSER in missing:
        password_file(folder, SUPERUSER).chmod(_GROUP_MAY_READ)
    return missing


def password_file(folder: Path, user: str) -> Path:
    """Return where the password of a database user lies."""
    return folder / user / _NAME


def passwords(folder: Path, users: frozenset[str]) -> dict[str, str]:
    """Return the users' passwords; raises `ValueError` naming a file that is missing or holds none."""
    return {user: read_password(password_file(folder, user)) for user in users}
