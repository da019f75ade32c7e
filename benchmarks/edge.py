"""The edge beside its peers, in one run and in turns: GET of accounts over mutual TLS; writes a report with the ratios.

nginx, the yardstick, verifies the client certificate and nothing else; the edge judges it, looks the token up, checks
binding, role and scope, and writes an audit line. All go to a bank that answers at once; edge and nginx then to the mock
bank. `python -m benchmarks.edge [REPORT]`, default var/benchmark.md.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from benchmarks.nginx import instant_bank
from benchmarks.peers import PEERS, Absent, Running, Way, nginx
from benchmarks.processes import cpu_seconds, megabytes_of
from benchmarks.report import Figure, Handshakes, Report
from psd2.clock import SystemClock
from psd2.ids import new_uuid
from tpp_client.bootstrap import headless_stage, identity_at
from tpp_client.journeys.ais import ais_journey
from tpp_client.journeys.narration import Recorder
from tpp_client.transport import transport_for

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, SECONDS, CONNECTIONS, HANDSHAKES = 3, 3, 32, 200
_BODY_BYTES = 2500
# What the gateway may cost on top of the bank and a proxy that looks at nothing.
MOST_RATIO = 1.15
_TPP, _NUMBER, _PSU = "bench", "PSDDE-BAFIN-900900", "anna.weber"
_NGINX, _EDGE = "nginx, no checks", "edge, all checks"
# One worker each, as nginx has: the comparison is of one core with one core.
_ONE_WORKER = {"GATEWAY_EDGE_WORKERS": "1"}


@dataclass(frozen=True)
class Target:
    """A server under load: its port, its process, and what stands behind it."""

    name: str
    port: int
    pid: int


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
        self.token = result.tokens.access_token
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

    def pid(self, name: str) -> int:
        """Return the process of one of the platform's servers."""
        status = json.loads(self._sandbox("status", "--json"))
        return next(int(server["pid"]) for server in status["servers"] if server["name"] == name)

    @staticmethod
    def body() -> str:
        """Return what the bank that answers at once answers."""
        return json.dumps({"accounts": [{"resourceId": "x" * (_BODY_BYTES - 40)}]})

    def measure(self, target: Target, *, connections: int = CONNECTIONS) -> Figure:
        """Load one target and return its figure; any answer but 200 ends the run."""
        figures, _ = self._run("benchmarks.load", target, str(connections), str(SECONDS), str(target.pid))
        if figures["failures"]:
            sys.exit(f"{target.name}: {figures['failures']}")
        requests = figures["requests_per_second"] * SECONDS
        return Figure(
            figures["requests_per_second"],
            figures["p50_milliseconds"],
            figures["p99_milliseconds"],
            figures["cpu_seconds"] / requests * 1_000_000,
        )

    def shake_hands(self, target: Target, kind: str) -> Handshakes:
        """Open connections to one target; any answer but 200 ends the run."""
        figures, spent = self._run("benchmarks.handshakes", target, kind, str(HANDSHAKES))
        if figures["failures"]:
            sys.exit(f"{target.name}: {figures['failures']} of {HANDSHAKES} new connections failed")
        if kind == "resumed" and figures["resumed"] < HANDSHAKES - 1:
            print(f"{target.name}: only {figures['resumed']} of {HANDSHAKES} connections were resumed")
        return Handshakes(figures["connections_per_second"], spent / HANDSHAKES * 1_000_000)

    def _run(self, module: str, target: Target, *arguments: str) -> tuple[dict[str, Any], float]:
        """Run a load of its own process; return its figures and the CPU seconds that the target spent."""
        folder = self.home / "certs" / "tpps" / _TPP
        files = [str(folder / "qwac.crt"), str(folder / "qwac.key"), str(self.home / "certs" / "trust.pem")]
        command = [sys.executable, "-m", module, f"localhost:{target.port}", *files, *arguments]
        request = self.request.replace(b"{port}", str(target.port).encode())
        before = cpu_seconds(target.pid)
        run = subprocess.run(command, input=request, check=True, stdout=subprocess.PIPE, timeout=SECONDS + 120)
        return json.loads(run.stdout), cpu_seconds(target.pid) - before

    @property
    def fingerprint(self) -> str:
        """SHA-1 of the TPP's certificate, which is what nginx and HAProxy know certificates by."""
        pem = (self.home / "certs" / "tpps" / _TPP / "qwac.crt").read_bytes()
        return x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA1()).hex()  # noqa: S303 - their choice


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


def second_edge(bench: Bench, *, base: int, bank_port: int, configuration: Path | None = None) -> subprocess.Popen[bytes]:
    """Start one more edge on the same home that takes the instant one for the bank."""
    environment = (
        os.environ
        | _ONE_WORKER
        | {
            "GATEWAY_HOME": str(bench.home),
            "GATEWAY_BASE_PORT": str(base),
            "GATEWAY_BANK_ADDRESS": f"localhost:{bank_port}",
        }
        | ({"GATEWAY_CONFIGURATION": str(configuration)} if configuration is not None else {})
    )
    command = [sys.executable, "-m", "gunicorn", "-c", "python:gateway.edge.server", "gateway.edge.asgi:application()"]
    process = subprocess.Popen(command, env=environment)
    _wait(lambda: not _free(base + 3))
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it."""
    process.terminate()
    process.wait(timeout=20)


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise Absent("it did not start within 20 s")
        time.sleep(0.1)


def _started(bench: Bench, stack: ExitStack, report: Report, base: int) -> list[Target]:
    """Start the bank that answers at once, and all that is measured before it: nginx first, the edge next."""
    certs = bench.home / "certs"
    instant = instant_bank(bench.home / "bank", certs=certs, port=base + 20, body=bench.body())
    stack.callback(instant.stop)
    edge = second_edge(bench, base=base, bank_port=base + 20)
    stack.callback(end, edge)
    targets = [running(bench, stack, _NGINX, nginx, port=base + 21, upstream_port=base + 20)]
    targets.append(Target(_EDGE, base + 3, edge.pid))
    for number, (name, start) in enumerate(PEERS.items()):
        try:
            targets.append(running(bench, stack, name, start, port=base + 23 + number, upstream_port=base + 20))
        except Absent as absent:
            report.absent[name] = str(absent)
    return targets


def running(
    bench: Bench, stack: ExitStack, name: str, start: Callable[[Way], Running], *, port: int, upstream_port: int
) -> Target:
    """Start one peer on its ports; raises `Absent`."""
    started = start(
        Way(
            folder=bench.home / f"peer-{port}",
            certs=bench.home / "certs",
            port=port,
            upstream_port=upstream_port,
            headers=_established(bench),
            token=bench.token,
            fingerprint=bench.fingerprint,
        )
    )
    stack.callback(started.stop)
    _wait(lambda: not _free(port))
    return Target(name, port, started.pid)


def _in_turns(bench: Bench, targets: list[Target], rows: dict[str, list[Figure]]) -> None:
    for _ in range(ROUNDS):
        for target in targets:
            rows.setdefault(target.name, []).append(bench.measure(target))


def _measure(bench: Bench, stack: ExitStack, report: Report) -> None:
    base = bench.base + 40
    targets = _started(bench, stack, report, base)
    _in_turns(bench, targets, report.load)
    for _ in range(ROUNDS):
        for target in targets:
            report.full.setdefault(target.name, []).append(bench.shake_hands(target, "full"))
            report.resumed.setdefault(target.name, []).append(bench.shake_hands(target, "resumed"))
    report.megabytes = {target.name: megabytes_of(target.pid) for target in targets}
    before_bank = running(bench, stack, _NGINX, nginx, port=base + 22, upstream_port=bench.base + 5)
    _in_turns(bench, [before_bank, Target(_EDGE, bench.base + 3, bench.pid("edge"))], report.bank)
    pairs = zip(report.bank[_NGINX], report.bank[_EDGE], strict=True)
    report.bank_ratio = statistics.median(one.requests_per_second / two.requests_per_second for one, two in pairs)


def main() -> None:
    """Measure, print and write the report; needs nginx."""
    if shutil.which("nginx") is None:
        sys.exit("the benchmark compares with nginx, and nginx is not installed: apt-get install nginx-light")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that what was started is ended too
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("var/benchmark.md")
    conditions = f"{CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s in turns, one worker each, {os.cpu_count()} cores."
    report = Report(conditions, most_ratio=MOST_RATIO)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        home.chmod(0o755)
        bench = Bench(home)
        # Before the start: one that fails half-way must leave nothing up.
        stack.callback(bench.stop)
        bench.start()
        _measure(bench, stack, report)
    report.write(path)
    print(report.markdown())
    print(f"written to {path}")


if __name__ == "__main__":
    main()
