"""The edge beside nginx doing the same proxying, in one run: GET of accounts over keep-alive mutual TLS.

nginx verifies the client certificate and nothing else; the edge judges it, looks the token up, checks binding, role and
scope, and writes an audit line. Both go to a bank that answers at once, and then to the mock bank.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.nginx import instant_bank, proxy
from benchmarks.processes import cpu_seconds
from psd2.clock import SystemClock
from psd2.ids import new_uuid
from tpp_client.bootstrap import headless_stage, identity_at
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.narration import Recorder
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, SECONDS, CONNECTIONS = 3, 4, 32
_BODY_BYTES = 2500
# What the gateway may cost on top of the bank and a proxy that looks at nothing.
MOST_RATIO = 1.15
_TPP, _NUMBER, _PSU = "bench", "PSDDE-BAFIN-900900", "anna.weber"
# One worker each, as nginx has: the comparison is of one core with one core.
_ONE_WORKER = {"GATEWAY_EDGE_WORKERS": "1"}


@dataclass(frozen=True)
class Target:
    """A server under load: its port, its process, and what stands behind it."""

    name: str
    port: int
    pid: int


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    requests_per_second: float
    p50_milliseconds: float
    p99_milliseconds: float
    cpu_microseconds: float


class Bench:
    """A platform of its own in a temporary home, with a token to ask with."""

    def __init__(self, home: Path) -> None:
        """Name the home and the ports; nothing runs yet."""
        self.home = home
        self.base = _free_block()

    def start(self) -> None:
        """Start the platform, register a TPP, walk to a token."""
        self._sandbox("up", "--detach", "--base-port", str(self.base))
        self._sandbox(
            "tpp", "register", _TPP, "--authorisation-number", _NUMBER, "--roles", "AISP",
            "--redirect-uri", "https://localhost/callback", "--profile", "berlin",
        )  # fmt: skip
        self.request = self._request()

    def stop(self) -> None:
        """Stop the platform."""
        self._sandbox("down")

    def _sandbox(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "sandbox.cli", *arguments, "--home", str(self.home)]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=120, env=os.environ | _ONE_WORKER
        ).stdout

    def _request(self) -> bytes:
        clock = SystemClock()
        identity = identity_at(self.home, _TPP, clock=clock)
        with transport_for(identity) as transport:
            stage = headless_stage(identity, transport, psu=_PSU, narrator=Recorder(), clock=clock)
            result = ais_journey(stage)
        self.consent_id = result.consent_id
        lines = (
            "GET /v1/accounts HTTP/1.1",
            "Host: localhost:{port}",
            f"X-Request-ID: {new_uuid()}",
            "PSU-IP-Address: 127.0.0.1",
            f"Consent-ID: {result.consent_id}",
            f"Authorization: Bearer {result.tokens.access_token}",
            "Accept: application/json",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def measure(self, target: Target) -> Figure:
        """Load one target and return its figure; any answer but 200 ends the run."""
        folder = self.home / "certs" / "tpps" / _TPP
        command = [
            sys.executable,
            "-m",
            "benchmarks.load",
            f"localhost:{target.port}",
            str(folder / "qwac.crt"),
            str(folder / "qwac.key"),
        ]
        command += [str(self.home / "certs" / "trust.pem"), str(CONNECTIONS), str(SECONDS)]
        request = self.request.replace(b"{port}", str(target.port).encode())
        before = cpu_seconds(target.pid)
        run = subprocess.run(command, input=request, check=True, stdout=subprocess.PIPE, timeout=SECONDS + 60)
        spent = cpu_seconds(target.pid) - before
        figures = json.loads(run.stdout)
        if figures["failures"]:
            sys.exit(f"{target.name}: {figures['failures']}")
        requests = figures["requests_per_second"] * SECONDS
        return Figure(
            figures["requests_per_second"],
            figures["p50_milliseconds"],
            figures["p99_milliseconds"],
            spent / requests * 1_000_000,
        )


def _free_block() -> int:
    for base in range(20_000, 30_000, 20):
        if all(_free(port) for port in range(base - 1, base + 10)):
            return base
    sys.exit("no block of free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _established(bench: Bench) -> dict[str, str]:
    """Return what the edge tells the bank about an admitted request, for nginx to say without having looked."""
    return {
        "X-Sandbox-Listener": "edge",
        "X-Sandbox-Request": new_uuid(),
        "X-Sandbox-Address": "127.0.0.1",
        "X-Sandbox-Tpp": _NUMBER,
        "X-Sandbox-Client": _NUMBER,
        "X-Sandbox-Roles": "PSP_AI",
        "X-Sandbox-Scope": f"AIS:{bench.consent_id}",
        "X-Sandbox-Subject": _PSU,
    }


def _second_edge(bench: Bench, *, base: int, bank_port: int) -> subprocess.Popen[bytes]:
    """Start one more edge on the same home that takes the instant one for the bank."""
    environment = (
        os.environ
        | _ONE_WORKER
        | {
            "GATEWAY_HOME": str(bench.home),
            "GATEWAY_BASE_PORT": str(base),
            "GATEWAY_BANK_ADDRESS": f"localhost:{bank_port}",
        }
    )
    command = [sys.executable, "-m", "gunicorn", "-c", "python:gateway.edge.server", "gateway.edge.asgi:application()"]
    process = subprocess.Popen(command, env=environment)
    _wait(lambda: not _free(base + 3))
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=20)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("a server did not start within 20 s")
        time.sleep(0.1)


def _print(rows: dict[str, list[Figure]], *, yardstick: str) -> None:
    print(f"{'target':<24}{'requests/s':>12}{'to nginx':>10}{'CPU/request':>13}{'to nginx':>10}{'p50 ms':>9}{'p99 ms':>9}")
    for name, figures in rows.items():
        speed = statistics.median(
            f.requests_per_second / y.requests_per_second for f, y in zip(figures, rows[yardstick], strict=True)
        )
        cost = statistics.median(f.cpu_microseconds / y.cpu_microseconds for f, y in zip(figures, rows[yardstick], strict=True))
        middle = {key: statistics.median(getattr(f, key) for f in figures) for key in Figure.__dataclass_fields__}
        print(
            f"{name:<24}{middle['requests_per_second']:>12.0f}{speed:>10.2f}{middle['cpu_microseconds']:>10.0f} µs{cost:>10.2f}"
            f"{middle['p50_milliseconds']:>9.2f}{middle['p99_milliseconds']:>9.2f}"
        )


def _compare(bench: Bench, yardstick: Target, other: Target) -> float:
    """Measure both in turn, print, and return what a request by the other one costs in time, as a ratio."""
    rows: dict[str, list[Figure]] = {yardstick.name: [], other.name: []}
    for _ in range(ROUNDS):
        for target in (yardstick, other):
            rows[target.name].append(bench.measure(target))
    _print(rows, yardstick=yardstick.name)
    pairs = zip(rows[yardstick.name], rows[other.name], strict=True)
    return statistics.median(one.requests_per_second / two.requests_per_second for one, two in pairs)


def _edge_pid(bench: Bench) -> int:
    status = json.loads(
        subprocess.run(
            [sys.executable, "-m", "sandbox.cli", "status", "--json", "--home", str(bench.home)],
            check=True,
            capture_output=True,
            timeout=30,
        ).stdout
    )
    return next(int(server["pid"]) for server in status["servers"] if server["name"] == "edge")


def main() -> None:
    """Measure and print; needs nginx."""
    if shutil.which("nginx") is None:
        sys.exit("the benchmark compares with nginx, and nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        bench = Bench(home)
        # Before the start: one that fails half-way must leave nothing up.
        stack.callback(bench.stop)
        bench.start()
        certs, base = home / "certs", bench.base + 40
        body = json.dumps({"accounts": [{"resourceId": "x" * (_BODY_BYTES - 40)}]})
        instant = instant_bank(home / "bank", certs=certs, port=base + 20, body=body)
        stack.callback(instant.stop)
        headers = _established(bench)
        nginx_instant = proxy(home / "nginx-instant", certs=certs, port=base + 21, upstream_port=base + 20, headers=headers)
        stack.callback(nginx_instant.stop)
        nginx_bank = proxy(home / "nginx-bank", certs=certs, port=base + 22, upstream_port=bench.base + 5, headers=headers)
        stack.callback(nginx_bank.stop)
        edge = _second_edge(bench, base=base, bank_port=base + 20)
        stack.callback(_end, edge)
        print(f"{CONNECTIONS} keep-alive mutual-TLS connections, medians of {ROUNDS} rounds of {SECONDS} s")
        print("\na bank that answers at once")
        _compare(
            bench, Target("nginx, no checks", base + 21, nginx_instant.pid), Target("edge, all checks", base + 3, edge.pid)
        )
        print("\nthe mock bank")
        ratio = _compare(
            bench,
            Target("nginx, no checks", base + 22, nginx_bank.pid),
            Target("edge, all checks", bench.base + 3, _edge_pid(bench)),
        )
        print(f"\nGET of accounts through the gateway costs {ratio:.2f} times the bank behind nginx; it may be {MOST_RATIO}")


if __name__ == "__main__":
    main()
