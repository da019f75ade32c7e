"""What keeps a platform from starting: one sentence that names it, and nothing of it remains."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from chassis.addresses import PortTable
from chassis.home import Home
from sandbox.platform.state import RunFolder
from tests.support.commands import run_here
from tests.support.platform import BLOCK, RunningPlatform, processes_of

if TYPE_CHECKING:
    from pathlib import Path


def refused(home: Path, base_port: int) -> str:
    """Start a platform that can't; return its one complaint. Nothing of it may remain."""
    done = run_here("sandbox.cli", "up", "--detach", "--home", str(home), "--base-port", str(base_port), check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not RunFolder(Home(home)).is_held()
    assert processes_of(RunningPlatform(Home(home), PortTable(base_port))) == set()
    return done.stderr


@pytest.mark.parametrize("offset", [-1, 3, 5, 7])
def test_a_taken_port_is_named_with_its_purpose(tmp_path: Path, free_block: int, offset: int) -> None:
    """Before anything is made."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_block + offset))
        other.listen()

        complaint = refused(tmp_path, free_block)

    assert f"port {free_block + offset} is taken by another program; it is for" in complaint
    assert "--base-port" in complaint
    assert offset in BLOCK


def test_a_database_of_newer_code_is_not_touched(tmp_path: Path, free_block: int) -> None:
    """The complaint is the migration's own sentence."""
    import sqlite3

    home = Home(tmp_path)
    home.var.mkdir()
    with sqlite3.connect(home.var / "bank.sqlite") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()

    complaint = refused(tmp_path, free_block)

    assert "was made by newer code (its revision is 9999" in complaint
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "named"),
    [("var/gateway.sqlite", "gateway.sqlite"), ("certs/ca/root.crt", "root.crt"), ("certs/profiles.toml", "profiles.toml")],
)
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, free_block: int, file: str, named: str) -> None:
    """Garbage where something readable should be."""
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text("garbage " * 200)

    assert named in refused(tmp_path, free_block)


def test_a_home_that_can_not_be_written_to_is_named(tmp_path: Path, free_block: int) -> None:
    """Where a file stands in the place of a folder."""
    (tmp_path / "var").write_text("")

    complaint = refused(tmp_path, free_block)

    assert f"home {tmp_path} can't be written to" in complaint
