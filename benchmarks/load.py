"""A closed-loop load of keep-alive mutual-TLS connections, run as a process of its own; prints one JSON object.

`python -m benchmarks.load HOST:PORT CERT KEY CAFILE CONNECTIONS SECONDS PID < request-head`

PID is the server's: its CPU time is read from when all connections stand, handshakes apart.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from dataclasses import dataclass, field

import uvloop

from benchmarks.processes import cpu_seconds

_HEAD_END = b"\r\n\r\n"
_MOST_CONNECTIONS, _MOST_SECONDS = 10_000, 60.0


@dataclass
class Tally:
    """What the run has seen: latencies in seconds, and every status that was not 200."""

    latencies: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)


class Connection(asyncio.Protocol):
    """Sends the request again as soon as its answer is whole."""

    def __init__(self, request: bytes, tally: Tally, running: asyncio.Event) -> None:
        """Share the tally; stop when `running` is cleared."""
        self._request, self._tally, self._running = request, tally, running
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count a whole answer and send the next request."""
        self._buffer += data
        end = self._buffer.find(_HEAD_END)
        if end < 0 or len(self._buffer) < end + 4 + _content_length(self._buffer[:end]):
            return
        if self._buffer.startswith(b"HTTP/1.1 200"):
            self._tally.latencies.append(time.perf_counter() - self._sent_at)
        else:
            self._fail(self._buffer[:40].decode("latin-1"))
        self._buffer = b""
        if self._running.is_set():
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Count a connection lost while running as a failure."""
        if self._running.is_set():
            self._fail(f"connection lost: {error}")

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)  # type: ignore[attr-defined]  # a stream transport

    def _fail(self, what: str) -> None:
        self._tally.failures[what] = self._tally.failures.get(what, 0) + 1


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        sys.exit("the load needs answers with Content-Length")
    return int(lower[at + 15 : lower.find(b"\r\n", at) if lower.find(b"\r\n", at) > 0 else None])


async def _run(
    address: str, context: ssl.SSLContext, request: bytes, *, connections: int, seconds: float, pid: int
) -> dict[str, object]:
    host, _, port = address.rpartition(":")
    tally, running = Tally(), asyncio.Event()
    running.set()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(
            lambda: Connection(request, tally, running), host, int(port), ssl=context, server_hostname="localhost"
        )
    tally.latencies.clear()
    began, spent_before = time.perf_counter(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    elapsed, spent = time.perf_counter() - began, cpu_seconds(pid) - spent_before
    done = sorted(tally.latencies)
    running.clear()
    await asyncio.sleep(0.3)
    if not done:
        return {"requests_per_second": 0.0, "failures": tally.failures}
    return {
        "requests_per_second": len(done) / elapsed,
        "p50_milliseconds": done[len(done) // 2] * 1000,
        "p99_milliseconds": done[len(done) * 99 // 100] * 1000,
        "cpu_seconds": spent,
        "failures": tally.failures,
    }


def main() -> None:
    """Read the command line and the request, run, print the figures."""
    address, certificate, key, cafile, connections, seconds, pid = sys.argv[1:8]
    context = ssl.create_default_context(cafile=cafile)
    context.load_cert_chain(certificate, key)
    count, length = min(int(connections), _MOST_CONNECTIONS), min(float(seconds), _MOST_SECONDS)
    figures = uvloop.run(_run(address, context, sys.stdin.buffer.read(), connections=count, seconds=length, pid=int(pid)))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
