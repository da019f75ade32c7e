"""A platform for the suite: one of its own on free ports in a temporary folder, or a running one that is lent."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from features.forked import run_forked

_BIN = Path(sys.executable).parent
_BLOCK = range(-1, 9)
# Below the ports that the operating system hands to outgoing connections.
_PORTS = range(12_000, 30_000)
_TRIES = 5
_START_SECONDS, _COMMAND_SECONDS = 90, 60
# Processes of their own: what stays is no child of one that ends with the suite, and the end may come when that has ended.
_LIFECYCLE = {"up", "down"}
# The machine's own CA bundles must not leak into the programs under test.
_FOREIGN_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


class CommandFailed(AssertionError):
    """A command of the platform ended with an error; the message holds what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform that is up. `owned` is true when the suite started it, and then the suite stops it."""

    home: Path
    owned: bool

    def sandbox(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the `sandbox` command on it."""
        return _run("sandbox", *arguments, "--home", str(self.home), check=check)

    def stop(self) -> None:
        """Stop it and take its folder away, once; a lent one stays as it is."""
        if not self.owned or not self.home.exists():
            return
        try:
            self.sandbox("down")
        finally:
            shutil.rmtree(self.home, ignore_errors=True)


def lent_platform(home: Path) -> Platform:
    """Return a platform that somebody else runs; raises `CommandFailed` when it is not up."""
    platform = Platform(home=home, owned=False)
    platform.sandbox("status")
    return platform


def started_platform() -> Platform:
    """Start a platform; another try on other ports when somebody took one in between."""
    home = Path(tempfile.mkdtemp(prefix="psd2-features-"))
    try:
        _start(home)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    return Platform(home=home, owned=True)


def _start(home: Path) -> None:
    for _ in range(_TRIES):
        done = _run("sandbox", "up", "--detach", "--home", str(home), "--base-port", str(_free_base_port()), check=False)
        if done.returncode == 0:
            return
        if "is taken by another program" not in done.stderr:
            break
    raise CommandFailed(f"the platform did not start:\n{done.stdout}{done.stderr}")


def _run(command: str, *arguments: str, check: bool) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_TRUST}
    # No scenario looks at the account of 10,000 transactions, and every TPP that one registers would wait for it.
    environment |= {"BANK_LARGE_ACCOUNT": "false"}
    if not _LIFECYCLE.isdisjoint(arguments):
        done = subprocess.run(
            [str(_BIN / command), *arguments],
            check=False,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_START_SECONDS,
        )
    else:
        done = run_forked(command, arguments, environment=environment, seconds=_COMMAND_SECONDS)
    if check and done.returncode != 0:
        raise CommandFailed(f"{command} {arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def _free_base_port() -> int:
    for _ in range(200):
        base = random.choice(_PORTS)  # noqa: S311 - no secret
        if all(_is_free(base + offset) for offset in _BLOCK):
            return base
    raise AssertionError("no block of free ports found")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
