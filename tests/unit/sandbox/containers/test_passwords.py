"""Each database user has a password of its own, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.containers.databases import DATABASES, USERS, owner_url
from sandbox.containers.passwords import ensure_passwords, password_file, passwords

if TYPE_CHECKING:
    from pathlib import Path

EVERYBODY = USERS | {"postgres"}


def test_everybody_has_one_and_no_two_are_the_same(tmp_path: Path) -> None:
    assert set(ensure_passwords(tmp_path, USERS)) == EVERYBODY

    made = passwords(tmp_path, EVERYBODY)
    assert len(set(made.values())) == len(EVERYBODY)
    assert min(map(len, made.values())) >= 43


def test_a_password_in_use_stays(tmp_path: Path) -> None:
    ensure_passwords(tmp_path, USERS)
    before = passwords(tmp_path, EVERYBODY)
    password_file(tmp_path, "bank").unlink()

    assert ensure_passwords(tmp_path, USERS) == ("bank",)
    after = passwords(tmp_path, EVERYBODY)
    assert {user for user in EVERYBODY if before[user] != after[user]} == {"bank"}


def test_only_the_superuser_s_may_be_read_by_the_group(tmp_path: Path) -> None:
    """PostgreSQL's container runs as another user."""
    ensure_passwords(tmp_path, USERS)

    modes = {user: password_file(tmp_path, user).stat().st_mode & 0o777 for user in EVERYBODY}
    assert modes == dict.fromkeys(USERS, 0o600) | {"postgres": 0o640}


def test_a_missing_password_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bank/database-password can't be read"):
        passwords(tmp_path, frozenset({"bank"}))


def test_the_owner_s_url_keeps_what_the_superuser_s_says() -> None:
    gateway = next(database for database in DATABASES if database.name == "gateway")

    assert owner_url("postgresql://postgres@db:5433/postgres", gateway) == (
        "postgresql://postgres@db:5433/gateway?options=-c%20role%3Dgateway_owner"
    )
    assert owner_url("postgresql://postgres@/postgres?host=/run", gateway) == (
        "postgresql://postgres@/gateway?host=/run&options=-c%20role%3Dgateway_owner"
    )
