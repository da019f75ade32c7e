"""The authorization server beside npm's oidc-provider, in turns in one run: tokens a second, and whole flows a second.

A flow is PAR, authorization, code, token, over mutual TLS with `tls_client_auth`; what we issue is committed to disk.
Ours is three processes and oidc-provider one, so each is measured on all cores and on one core of its own.
`python -m benchmarks.authorization [REPORT]`, default var/authorization.md; needs Node.js, and once `npm ci` in
benchmarks/oidc_provider.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.edge import Bench, end
from benchmarks.oauth_client import REDIRECT_URI, Caller, Server
from benchmarks.processes import cpu_seconds, keep_on

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS, TOKENS, FLOWS, AT_ONCE = 5, 400, 64, 8
_PROVIDER: Final = Path(__file__).with_name("oidc_provider")
_TPP, _PSU = "bench", "anna.weber"
_OURS, _DISK, _MEMORY = "ours", "oidc-provider, SQLite", "oidc-provider, in memory"
_ACCOUNTS: Final = {
    "type": "account_information",
    "access": {"allPsd2": "allAccounts"},
    "recurringIndicator": True,
    "validUntil": "9999-12-31",
    "frequencyPerDay": 4,
}
_MOST_HOPS: Final = 10
OUR_SERVERS: Final = ("edge", "authorization", "bank")


@dataclass(frozen=True)
class Figure:
    """How many a second, and what one costs each of the server's processes, in milliseconds of CPU."""

    per_second: float
    cpu: tuple[float, ...]


def measure(server: Server, work: Callable[[Caller], None], count: int) -> Figure:
    """Let some clients work at once, each over connections of its own that stand before the time runs."""
    callers = [Caller(server.context) for _ in range(AT_ONCE)]
    each = count // AT_ONCE

    def several(caller: Caller) -> None:
        for _ in range(each):
            work(caller)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, callers))
        before, began = [cpu_seconds(pid) for pid in server.pids], time.perf_counter()
        list(pool.map(several, callers))
        elapsed, after = time.perf_counter() - began, [cpu_seconds(pid) for pid in server.pids]
    for caller in callers:
        caller.close()
    spent = (now - earlier for now, earlier in zip(after, before, strict=True))
    return Figure(each * AT_ONCE / elapsed, tuple(seconds / (each * AT_ONCE) * 1_000 for seconds in spent))


def ours(bench: Bench) -> Server:
    """Register a client that pushes its requests, by itself; the PSU decides at the address that stands in for a browser."""
    edge, front = f"https://localhost:{bench.base + 3}", f"https://localhost:{bench.base + 1}"
    context = _context(bench)
    caller = Caller(context)
    wanted = {
        "redirect_uris": [REDIRECT_URI],
        "profile": "fapi2",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    }
    said = caller.call("POST", f"{edge}/register", json.dumps(wanted).encode(), {"Content-Type": "application/json"})
    client_id = str(said.json(201)["client_id"])
    caller.close()

    def decided(caller: Caller, query: str) -> str:
        body = {"url": f"{front}/authorize?{query}", "psu": _PSU, "result": "APPROVED"}
        answer = caller.call(
            "POST", f"{edge}/sandbox/v1/psu-interactions", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        return str(answer.json(200)["redirect"])

    pids = tuple(bench.pid(name) for name in OUR_SERVERS)
    wish = {"authorization_details": json.dumps([_ACCOUNTS])}
    return Server(_OURS, pids, f"{edge}/token", f"{edge}/par", client_id, wish, decided, context)


def provider(bench: Bench, stack: ExitStack, name: str, port: int, *, keeps: bool) -> Server:
    """Start oidc-provider; its PSU is sent through its login and its consent, as a browser would be."""
    issuer = f"https://localhost:{port}"
    certs = bench.home / "certs"
    settings = bench.home / f"provider-{port}.json"
    settings.write_text(
        json.dumps(
            {
                "port": port,
                "key": str(certs / "servers" / "edge.key"),
                "certificate": str(certs / "servers" / "edge.crt"),
                "ca": str(certs / "trust.pem"),
                "issuer": issuer,
                "client": {"id": "bench", "redirectUri": REDIRECT_URI},
                "database": str(bench.home / f"provider-{port}.sqlite") if keeps else None,
            }
        )
    )
    process = subprocess.Popen(["node", "provider.mjs", str(settings)], cwd=_PROVIDER, stdout=subprocess.PIPE)
    stack.callback(end, process)
    if process.stdout is None or process.stdout.readline() != b"ready\n":
        sys.exit("oidc-provider did not start")

    def decided(caller: Caller, query: str) -> str:
        url = f"{issuer}/auth?{query}"
        for _ in range(_MOST_HOPS):
            location = caller.call("GET", url).location
            if location.startswith(REDIRECT_URI):
                return location
            url = location if location.startswith("https:") else f"{issuer}{location}"
        sys.exit("oidc-provider goes round in circles")

    wish = {"scope": "accounts"}
    return Server(name, (process.pid,), f"{issuer}/token", f"{issuer}/request", "bench", wish, decided, _context(bench))


def _context(bench: Bench) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(bench.home / "certs" / "trust.pem"))
    folder = bench.home / "certs" / "tpps" / _TPP
    context.load_cert_chain(folder / "qwac.crt", folder / "qwac.key")
    return context


def report(servers: list[Server]) -> str:
    """Measure all in turns; returns the tables, each figure the median over rounds, ratios those within a round."""
    lines = ["| | ours to oidc-provider, SQLite | ours to oidc-provider, in memory | CPU: ours | SQLite | in memory |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    shares = []
    cores = os.sched_getaffinity(0)
    for where, allowed in (("", cores), (", on one core", {min(cores)})):
        for server in servers:
            for pid in server.pids:
                keep_on(pid, allowed)
        for what, works, count in (
            ("client tokens a second", [server.client_token for server in servers], TOKENS),
            ("flows a second", [server.flow for server in servers], FLOWS),
        ):
            rounds = [
                [measure(server, work, count) for server, work in zip(servers, works, strict=True)] for _ in range(ROUNDS)
            ]
            lines.append(f"| {what}{where} | {' | '.join(_told(rounds))} |")
            shares.append(f"{what}{where}: {_shares([figures[0] for figures in rounds])}")
    return "\n".join((*lines, "", "Ours by process, in CPU:", *shares)) + "\n"


def _told(rounds: list[list[Figure]]) -> list[str]:
    ratios = [statistics.median(figures[0].per_second / figures[other].per_second for figures in rounds) for other in (1, 2)]
    cpu = [statistics.median(sum(figures[place].cpu) for figures in rounds) for place in range(3)]
    return [f"{ratio:.2f}" for ratio in ratios] + [f"{each:.2f} ms" for each in cpu]


def _shares(figures: list[Figure]) -> str:
    medians = (statistics.median(figure.cpu[place] for figure in figures) for place in range(len(OUR_SERVERS)))
    return ", ".join(f"{name} {each:.2f} ms" for name, each in zip(OUR_SERVERS, medians, strict=True))


def main() -> None:
    """Measure, print and write the report."""
    if shutil.which("node") is None or not (_PROVIDER / "node_modules").is_dir():
        sys.exit("Node.js or oidc-provider is missing: run `npm ci` in benchmarks/oidc_provider")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("var/authorization.md")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        bench = Bench(Path(folder))
        stack.callback(bench.stop)
        bench.start()
        port = bench.base + 60
        table = report(
            [
                ours(bench),
                provider(bench, stack, _DISK, port, keeps=True),
                provider(bench, stack, _MEMORY, port + 1, keeps=False),
            ]
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(table)
    sys.stdout.write(table)


if __name__ == "__main__":
    main()
