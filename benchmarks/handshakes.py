"""New mutual-TLS connections one after the other, each with one request; prints one JSON object.

`python -m benchmarks.handshakes HOST:PORT CERT KEY CAFILE full|resumed COUNT < request-head`
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time

_MOST_CONNECTIONS = 5_000


def _answered(connection: ssl.SSLSocket, request: bytes) -> bool:
    """Send the request and read the answer: with it comes the session ticket."""
    connection.sendall(request)
    answer = connection.recv(65_536)
    while b"\r\n\r\n" not in answer or len(answer) < 2_000:
        piece = connection.recv(65_536)
        if not piece:
            break
        answer += piece
    return answer.startswith(b"HTTP/1.1 200")


def main() -> None:
    """Read the command line and the request, run, print the figures."""
    address, certificate, key, cafile, kind, count = sys.argv[1:7]
    host, _, port = address.rpartition(":")
    context = ssl.create_default_context(cafile=cafile)
    context.load_cert_chain(certificate, key)
    request, session = sys.stdin.buffer.read(), None
    wanted, resumed, failures = min(int(count), _MOST_CONNECTIONS), 0, 0
    began = time.perf_counter()
    for _ in range(wanted):
        with (
            socket.create_connection((host, int(port)), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost", session=session) as connection,
        ):
            failures += not _answered(connection, request)
            resumed += bool(connection.session_reused)
            session = connection.session if kind == "resumed" else None
    elapsed = time.perf_counter() - began
    figures = {"connections_per_second": wanted / elapsed, "resumed": resumed, "failures": failures}
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
