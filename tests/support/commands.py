"""Our commands for a test: in a process of their own, or within the test's, which spares Python's start and all imports.

run_command("sandbox.cli", "up", "--detach")     # a process: what outlives the command, or is about the process itself
run_here("sandbox.cli", "status", "--json")      # the same command line, arguments, output and status
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING

from click.testing import CliRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_START_SECONDS, _COMMAND_SECONDS = 150, 90
_ROOM_FOR_TESTS = {
    # All people of all tests sign up from one address.
    "SANDBOX_SIGN_UPS_PER_HOUR": "10000",
    "SANDBOX_REGISTRATIONS_PER_HOUR": "10000",
    # Dozens of TPPs are registered, and hardly any test looks at its 10,000 transactions.
    "BANK_LARGE_ACCOUNT": "false",
    # A server that is slow because the machine is busy is no server that is gone; what deadlines do is tested on edges alone.
    "GATEWAY_HANDSHAKE_SECONDS": "60",
    "GATEWAY_HEAD_SECONDS": "60",
    "GATEWAY_UPSTREAM_CONNECT_SECONDS": "60",
    "GATEWAY_UPSTREAM_HEAD_SECONDS": "120",
    "GATEWAY_UPSTREAM_STALL_SECONDS": "120",
    "GATEWAY_STALE_SECONDS": "5",
}
# The machine's own CA bundles must not leak into the programs under test.
_FOREIGN_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
# The streams and the environment are the whole process's.
_one_at_a_time = threading.Lock()


def command_environment(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that our commands have in tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in _FOREIGN_TRUST}
    return inherited | _ROOM_FOR_TESTS | dict(settings or {})


def run_command(
    module: str, *arguments: str, check: bool = True, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of our commands with a deadline."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=command_environment(settings),
        timeout=_START_SECONDS if "up" in arguments else _COMMAND_SECONDS,
    )
    return _checked(done) if check else done


def run_here(
    module: str, *arguments: str, check: bool = True, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of our commands within this process."""
    main = import_module(module).main
    environment = {**dict.fromkeys(_FOREIGN_TRUST), **_ROOM_FOR_TESTS, **(settings or {})}
    with _one_at_a_time, CliRunner().isolation(env=environment) as (out, err, _):
        status = _ended(lambda: main(list(arguments)))
        sys.stdout.flush()
        sys.stderr.flush()
        said, complained = out.getvalue().decode(), err.getvalue().decode()
    done = subprocess.CompletedProcess([module, *arguments], status, said, complained)
    return _checked(done) if check else done


def _ended(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _checked(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if done.returncode != 0:
        raise AssertionError(f"{done.args} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
