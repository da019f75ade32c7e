"""A whole platform for a test: `sandbox up --detach` in a temporary home on a free block of ports, `sandbox down` at the end.

with running_platform() as platform:
    platform.sandbox("tpp", "register", "acme", ...)
"""

from __future__ import annotations

import json
import random
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chassis.addresses import PortTable
from chassis.home import Home
from sandbox.platform.ports import is_free
from tests.support.commands import run_command, run_here
from tests.support.shared import stop_at_the_end

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

BLOCK = range(-1, 9)
_LOWEST_PORT = 12_000
# Where a TPP of the tests may have a server of its own: in no platform's block, and in none that connections go out from.
_OF_TPPS = range(11_000, 11_900)
_TRIES = 3
# What leaves a process behind; the other commands are run within the test's own.
_ABOUT_PROCESSES = {"up"}


@dataclass(frozen=True, slots=True)
class RunningPlatform:
    """A platform that is up."""

    home: Home
    ports: PortTable
    settings: Mapping[str, str] = field(default_factory=dict)  # variables that its commands have beside the machine's own
    tpp_port: int = 0  # where the bank calls a TPP on this machine (`GATEWAY_INTERNAL_CLIENT_HOSTS`); 0: nowhere

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
        run = run_command if _ABOUT_PROCESSES & {*arguments} else run_here
        return run("sandbox.cli", *arguments, "--home", str(self.home.path), check=check, settings=self.settings)

    def tpp(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `tpp` command on this platform."""
        return run_here("tpp_client.cli", *arguments, "--home", str(self.home.path), check=check, settings=self.settings)

    def register(
        self,
        name: str,
        number: str,
        *,
        roles: str = "AISP,PISP,CBPII",
        seed: int | None = None,
        client: tuple[str, ...] = ("--profile", "berlin"),
    ) -> dict[str, Any]:
        """Register a TPP and return its client data."""
        seeded = () if seed is None else ("--seed", str(seed))
        identity = ("--authorisation-number", number, "--roles", roles)
        address = ("--redirect-uri", "https://localhost:8446/callback")
        self.sandbox("tpp", "register", name, *identity, *address, *client, *seeded, "--json")
        document: dict[str, Any] = json.loads((self.home.tpp(name) / "client.json").read_bytes())
        return document

    def status(self) -> dict[str, Any]:
        """Return what `sandbox status --json` says."""
        document: dict[str, Any] = json.loads(self.sandbox("status", "--json", check=False).stdout)
        return document


def processes_of(platform: RunningPlatform) -> set[int]:
    """Every process of this platform: those whose environment names its home."""
    wanted = f"SANDBOX_HOME={platform.home.path}\0".encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (process / "environ").read_bytes():
                found.add(int(process.name))
    return found


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


@contextmanager
def running_platform(home: Path | None = None, settings: Mapping[str, str] | None = None) -> Iterator[RunningPlatform]:
    """Lend a platform in `home` (a temporary one by default); stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="psd2-") as folder:
        path = home or Path(folder)
        platform = _start(Home(path), settings or {})
        try:
            yield platform
        finally:
            run_here("sandbox.cli", "down", "--home", str(path), settings=settings)


def shared_platform(place: Path) -> RunningPlatform:
    """Return the platform of a shared place; whoever comes first starts it."""
    home, ports = Home(place / "home"), place / "ports"
    if not ports.exists():
        home.path.mkdir(exist_ok=True)
        tpp_port = next(port for port in random.sample(_OF_TPPS, len(_OF_TPPS)) if is_free(port))
        base = _start(home, {"GATEWAY_INTERNAL_CLIENT_HOSTS": f"localhost:{tpp_port}"}).ports.base
        ports.write_text(f"{base} {tpp_port}")
        stop_at_the_end(place, "sandbox.cli", "down", "--home", str(home.path))
    base, tpp_port = map(int, ports.read_text().split())
    return RunningPlatform(home, PortTable(base), tpp_port=tpp_port)


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
