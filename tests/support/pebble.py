"""Pebble, Let's Encrypt's own ACME server for tests, on ports of its own, and the names that it asks for.

`apt-get install pebble` has it; without it the tests that need it are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.pki import Authority
from tests.support.ports import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = os.environ.get("PEBBLE") or shutil.which("pebble")
needs_pebble = pytest.mark.skipif(
    PROGRAM is None, reason="NO TESTS AGAINST AN ACME SERVER RUN: install pebble (apt-get install pebble), or name it in PEBBLE"
)
_TYPE_A, _HEADER = 1, struct.Struct(">6H")


@dataclass
class Pebble:
    """A running ACME server; it fetches challenges from `http_port` of this machine, whatever the name."""

    port: int
    ca_bundle: str
    process: subprocess.Popen[bytes]

    @property
    def directory(self) -> str:
        return f"https://localhost:{self.port}/dir"

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(timeout=30)


@contextmanager
def running_pebble(folder: Path, *, http_port: int, external_account: bool = False) -> Iterator[Pebble]:
    """Start it; it takes its account for a customer's alone with `external_account`."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority("Directory CA")
    certificate, key = authority.server("localhost").write(folder, "directory")
    port, management = free_port(), free_port()
    settings = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": certificate,
        "privateKey": key,
        "httpPort": http_port,
        "tlsPort": http_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": external_account,
        "externalAccountMACKeys": {KEY_ID: HMAC_KEY} if external_account else {},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    with _names() as names, _impatience():
        # It would refuse good nonces at random, which the library answers by trying once more, not twice.
        certain = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": "0"}
        environment = os.environ | certain
        command = [str(PROGRAM), "-config", str(folder / "pebble.json"), "-dnsserver", names, "-strict"]
        with (folder / "pebble.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        pebble = Pebble(port=port, ca_bundle=authority.pem, process=process)
        (folder / "ca.pem").write_text(authority.pem)
        try:
            wait_until(lambda: _is_up(pebble, folder), seconds=30, what="pebble")
            yield pebble
        finally:
            pebble.stop()


KEY_ID, HMAC_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


def _is_up(pebble: Pebble, folder: Path) -> bool:
    assert pebble.process.poll() is None, (folder / "pebble.log").read_text()
    try:
        return requests.get(pebble.directory, verify=str(folder / "ca.pem"), timeout=10).ok
    except requests.RequestException:
        return False


@contextmanager
def _impatience() -> Iterator[None]:
    """Let the library ask again sooner than after its whole seconds: here everything is ready in milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("acme.client.time", SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.05))))
        yield


class _OverUdp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        query, server = self.request
        server.sendto(_reply(query), self.client_address)


class _OverTcp(socketserver.StreamRequestHandler):
    timeout = 30

    def handle(self) -> None:
        while length := self.rfile.read(2):
            reply = _reply(self.rfile.read(int.from_bytes(length)))
            self.wfile.write(len(reply).to_bytes(2) + reply)


@contextmanager
def _names() -> Iterator[str]:
    """Answer DNS: every name leads to this machine. Older versions of Pebble ask over UDP, newer ones over TCP."""
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), _OverTcp) as streams,
        socketserver.ThreadingUDPServer(("127.0.0.1", streams.server_address[1]), _OverUdp) as datagrams,
    ):
        servers = (datagrams, streams)
        for server in servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"127.0.0.1:{streams.server_address[1]}"
        finally:
            for server in servers:
                server.shutdown()


def _reply(query: bytes) -> bytes:
    identifier, flags, *_counts = _HEADER.unpack_from(query)
    end = query.index(b"\0", _HEADER.size) + 5
    question = query[_HEADER.size : end]
    asks_for_ipv4 = struct.unpack(">H", question[-4:-2])[0] == _TYPE_A
    header = _HEADER.pack(identifier, 0x8400 | (flags & 0x0100), 1, int(asks_for_ipv4), 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", _TYPE_A, 1, 0, 4) + bytes((127, 0, 0, 1))
    return header + question + (record if asks_for_ipv4 else b"")
