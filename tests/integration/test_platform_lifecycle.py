"""A whole platform: up, killed piece by piece, down, up again; and what keeps one from starting."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from chassis.addresses import PortTable
from chassis.home import Home
from sandbox.platform.state import RunFolder
from tests.support.commands import run_command
from tests.support.platform import BLOCK, RunningPlatform, free_base_port, running_platform
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = ["bank", "admin", "authorization", "portal", "demo", "edge"]


@pytest.fixture(scope="module")
def own() -> Iterator[RunningPlatform]:
    """Lend a platform that may be ill-treated."""
    with running_platform() as platform:
        yield platform


def call(platform: RunningPlatform, name: str) -> int:
    """Ask the bank who can log in, over the edge."""
    folder = platform.home.tpp(name)
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(platform.home.trust_bundle)
        session.cert = (str(folder / "qwac.crt"), str(folder / "qwac.key"))
        try:
            return session.get(f"{platform.edge_url}/sandbox/v1/data", timeout=10).status_code
        except requests.ConnectionError:
            return 0


def processes_of(platform: RunningPlatform) -> set[int]:
    """Every process of this platform: those whose environment names its home."""
    wanted = f"SANDBOX_HOME={platform.home.path}\0".encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes():
                found.add(int(process.name))
    return found


def test_status_tells_that_all_is_well(own: RunningPlatform) -> None:
    """For a program and for a person."""
    status = own.status()

    assert status["running"]
    assert status["ready"]
    assert [server["name"] for server in status["servers"]] == SERVERS
    assert status["addresses"]["edge"] == own.edge_url
    done = own.sandbox("status")
    assert done.stdout.count("healthy") == len(SERVERS)


@pytest.mark.parametrize("name", SERVERS)
def test_a_killed_server_comes_back_and_nothing_is_lost(own: RunningPlatform, name: str) -> None:
    """SIGKILL to each in turn; a TPP registered before can call afterwards."""
    tpp = f"kill-{name}"
    own.register(tpp, f"PSDDE-BAFIN-7{SERVERS.index(name)}")
    before = next(server for server in own.status()["servers"] if server["name"] == name)

    os.kill(before["pid"], signal.SIGKILL)

    def is_back() -> bool:
        after = next(server for server in own.status()["servers"] if server["name"] == name)
        return bool(after["healthy"] and after["pid"] not in {None, before["pid"]})

    wait_until(is_back, seconds=20, what=f"{name} back")
    wait_until(lambda: call(own, tpp) == 200, seconds=10, what="an answer")


def test_a_second_start_and_a_reset_are_refused(own: RunningPlatform) -> None:
    """Neither disturbs the platform that runs."""
    up = own.sandbox("up", "--detach", check=False)
    reset = own.sandbox("reset", "--yes", check=False)

    for done in (up, reset):
        assert done.returncode == 1
        assert "runs already" in done.stderr
    assert own.status()["ready"]


def test_after_the_supervisor_was_killed_the_platform_starts_again(own: RunningPlatform) -> None:
    """Its servers end with it; the next start finds everything as it was."""
    own.register("survivor", "PSDDE-BAFIN-79")
    os.kill(own.status()["pid"], signal.SIGKILL)
    wait_until(lambda: not RunFolder(own.home).is_held(), seconds=5, what="the lock's end")

    own.sandbox("up", "--detach", "--base-port", str(own.ports.base))

    wait_until(lambda: call(own, "survivor") == 200, seconds=10, what="an answer")


def test_two_platforms_side_by_side(own: RunningPlatform, tmp_path: Path) -> None:
    """Each has its own certificates: neither lets in the other's TPPs. The second leaves no process behind."""
    own.register("ours", "PSDDE-BAFIN-78")
    with running_platform(tmp_path) as other:
        other.register("theirs", "PSDDE-BAFIN-78")
        assert call(other, "theirs") == 200
        stranger = RunningPlatform(own.home, other.ports)
        with requests.Session() as session:
            session.trust_env = False
            session.verify = str(other.home.trust_bundle)
            folder = own.home.tpp("ours")
            session.cert = (str(folder / "qwac.crt"), str(folder / "qwac.key"))
            assert session.get(f"{stranger.edge_url}/sandbox/v1/data", timeout=10).status_code == 401
        assert len(processes_of(other)) > len(SERVERS)
    assert processes_of(other) == set()
    assert own.status()["ready"]


@pytest.mark.parametrize("detach", [(), ("--detach",)])
def test_a_platform_comes_up_though_nobody_reads_on(tmp_path: Path, detach: tuple[str, ...]) -> None:
    """`sandbox up | head -1`: the reader goes after the first line, the platform stays."""
    platform = RunningPlatform(Home(tmp_path), PortTable(free_base_port()))
    block = ("--home", str(tmp_path), "--base-port", str(platform.ports.base))
    command = [sys.executable, "-m", "sandbox.cli", "up", *detach, *block]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    process.stdout.close()
    try:
        wait_until(lambda: bool(platform.status().get("ready")), seconds=60, what="a platform that is up")
    finally:
        run_command("sandbox.cli", "down", "--home", str(tmp_path))
        _, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (0, b"")


def refused(home: Path, base_port: int) -> str:
    """Start a platform that can't; return its one complaint. Nothing of it may remain."""
    done = run_command("sandbox.cli", "up", "--detach", "--home", str(home), "--base-port", str(base_port), check=False)
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
