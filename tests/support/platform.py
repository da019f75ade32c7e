"""A whole platform for a test: `sandbox up --detach` in a temporary home on a free block of ports, `sandbox down` at the end.

with running_platform() as platform:
    platform.sandbox("tpp", "register", "acme", ...)
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.addresses import PortTable
from chassis.home import Home
from sandbox.platform.ports import is_free

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = range(-1, 9)
_LOWEST_PORT = 12_000
_START_SECONDS, _STOP_SECONDS, _COMMAND_SECONDS = 90, 30, 60
_TRIES = 3
# The machine's own CA bundles must not leak into the programs under test.
# All people of all tests sign up from one address.
_ROOM_FOR_TESTS = {
    "SANDBOX_SIGN_UPS_PER_HOUR": "10000",
    "SANDBOX_REGISTRATIONS_PER_HOUR": "10000",
    # Dozens of TPPs are registered, and hardly any test looks at its 10,000 transactions.
    "BANK_LARGE_ACCOUNT": "false",
}
_FOREIGN_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """A platform that is up."""

    home: Home
    ports: PortTable
    settings: Mapping[str, str] = field(default_factory=dict)  # variables that its commands have beside the machine's own

    @property
    def edge_url(self) -> str:
        """Where TPPs call: mutual TLS."""
        return f"https://localhost:{self.ports.edge}"

    @property
    def front_url(self) -> str:
        """Where browsers authorize."""
        return f"https://localhost:{self.ports.front}"

    @property
    def portal_url(self) -> str:
        """Where developers register."""
        return f"https://localhost:{self.ports.portal}"

    @property
    def welcome_url(self) -> str:
        """Plain HTTP: root certificate, CRLs, OCSP."""
        return f"http://localhost:{self.ports.welcome}"

    def sandbox(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `sandbox` command on this platform; a failure (unless expected) fails the test with its output."""
        return run_command("sandbox.cli", *arguments, "--home", str(self.home.path), check=check, settings=self.settings)

    def tpp(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `tpp` command on this platform."""
        return run_command("tpp_client.cli", *arguments, "--home", str(self.home.path), check=check, settings=self.settings)

    def register(self, name: str, number: str, *, roles: str = "AISP,PISP,CBPII", seed: int | None = None) -> dict[str, Any]:
        """Register a TPP and return its client data."""
        seeded = () if seed is None else ("--seed", str(seed))
        identity = ("--authorisation-number", number, "--roles", roles)
        client = ("--redirect-uri", "https://localhost:8446/callback", "--profile", "berlin")
        self.sandbox("tpp", "register", name, *identity, *client, *seeded, "--json")
        document: dict[str, Any] = json.loads((self.home.tpp(name) / "client.json").read_bytes())
        return document

    def status(self) -> dict[str, Any]:
        """Return what `sandbox status --json` says."""
        document: dict[str, Any] = json.loads(self.sandbox("status", "--json", check=False).stdout)
        return document


def free_base_port() -> int:
    """Return a base port whose whole block is free.

    Below the ports that the operating system hands to outgoing connections: one of those could take a port of the block
    between this look and the start of the server.
    """
    for _ in range(500):
        base = random.randrange(_LOWEST_PORT, _first_outgoing_port() - len(BLOCK))  # noqa: S311 - no secret
        if all(is_free(base + offset) for offset in BLOCK):
            return base
    raise RuntimeError("no block of free ports found")


def _first_outgoing_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32_768


def run_command(
    module: str, *arguments: str, check: bool = True, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of our commands with a deadline."""
    inherited = {name: value for name, value in os.environ.items() if name not in _FOREIGN_TRUST}
    environment = inherited | _ROOM_FOR_TESTS | dict(settings or {})
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=_START_SECONDS if "up" in arguments else _COMMAND_SECONDS,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"{module} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


@contextmanager
def running_platform(home: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[RunningPlatform]:
    """Lend a platform in `home` (a temporary one by default); stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="psd2-") as folder:
        path = home or Path(folder)
        platform = _start(Home(path), settings or {})
        try:
            yield platform
        finally:
            run_command("sandbox.cli", "down", "--home", str(path), settings=settings)


def _start(home: Home, settings: Mapping[str, str]) -> RunningPlatform:
    # Somebody else may have taken the block in between: try another one.
    for attempt in range(_TRIES):
        base = free_base_port()
        arguments = ("up", "--detach", "--home", str(home.path), "--base-port", str(base))
        done = run_command("sandbox.cli", *arguments, check=attempt == _TRIES - 1, settings=settings)
        if done.returncode == 0:
            return RunningPlatform(home, PortTable(base), settings)
        if "is taken by another program" not in done.stderr:
            break
    raise AssertionError(f"the platform did not start:\n{done.stdout}\n{done.stderr}")
