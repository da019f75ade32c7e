"""The bank as it runs: gunicorn behind mutual TLS, on a database of the test's, with its callers' sessions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.addresses import Address
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable
from tests.support.databases import migrated
from tests.support.internal_home import internal_home
from tests.support.platform import free_base_port
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_READY_SECONDS, _END_SECONDS = 90.0, 60.0
_FRONT_PORT, _BANK_PORT = 1, 5


@dataclass(frozen=True)
class BankServer:
    """A running bank, the sessions of its callers, and the environment it was started with."""

    process: subprocess.Popen[bytes]
    gateway: PeerSession
    portal: PeerSession
    front_url: str
    environment: Mapping[str, str]

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            return bool(self.portal.get("/health").json() == {"status": "ok"})
        except PeerUnavailable:
            return False

    def workers(self) -> list[int]:
        """Return the process ids of those who serve (Linux)."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def bank_server(folder: Path, database_url: str) -> Iterator[BankServer]:
    """Run a bank on a migrated database, or an empty one, until the block ends."""
    home, base_port = Home(folder), free_base_port()
    internal_home(home)
    environment = os.environ | {
        "BANK_HOME": str(home.path),
        "BANK_BASE_PORT": str(base_port),
        "BANK_DATABASE_URL": database_url,
    }
    migrated(database_url, "bank_backend")
    command = [sys.executable, "-m", "gunicorn", "-c", "python:bank_backend.server", "bank_backend.wsgi:bank()"]
    process = subprocess.Popen(command, env=environment)
    front_url = f"https://localhost:{base_port + _FRONT_PORT}"
    server = BankServer(process, *_sessions(home, base_port + _BANK_PORT), front_url, environment)
    try:
        wait_until(server.answers, seconds=_READY_SECONDS, what="the bank")
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=_END_SECONDS)


def _sessions(home: Home, port: int) -> tuple[PeerSession, PeerSession]:
    address = Address("localhost", port)
    gateway, portal = (
        PeerSession(Peer(name="bank", address=address, home=home, caller=caller)) for caller in ("gateway", "portal")
    )
    return gateway, portal
