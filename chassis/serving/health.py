"""Is this server well? `python -m chassis.serving.health SERVER BASE-PORT HOME`: status 0, or 1 and one sentence.

For a container's health check: asked on this machine, of internal servers over mutual TLS as the caller `health`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import requests

from chassis.addresses import Address, InvalidAddress, PortTable
from chassis.home import Home
from chassis.peers import Peer, PeerAnswer, PeerSession, PeerUnavailable
from chassis.serving.callers import HEALTH_CALLER, HEALTH_PATH

_SECONDS: Final = 3.0
_USAGE: Final = "usage: python -m chassis.serving.health edge|authorization|admin|bank|portal|demo BASE-PORT HOME"
_OK: Final = 200
_WELL, _UNWELL, _MISUSED = 0, 1, 2


def complaint(server: str, ports: PortTable, home: Home) -> str | None:
    """Return None where the server's `/health` answers 200, else what is wrong; raises `KeyError` for no server of ours."""
    try:
        answer = _edge(ports) if server == "edge" else _internal(server, ports, home)
    except (PeerUnavailable, requests.RequestException, OSError) as error:
        return str(error)
    return None if answer.status_code == _OK else f"{HEALTH_PATH} answered {answer.status_code}: {answer.text[:200]}"


def _edge(ports: PortTable) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(f"http://localhost:{ports.welcome}{HEALTH_PATH}", timeout=_SECONDS)


def _internal(server: str, ports: PortTable, home: Home) -> PeerAnswer:
    port = {
        "authorization": ports.authorization,
        "admin": ports.admin,
        "bank": ports.bank,
        "portal": ports.portal_internal,
        "demo": ports.demo_internal,
    }[server]
    peer = Peer(name=server, address=Address("localhost", port), home=home, caller=HEALTH_CALLER)
    return PeerSession(peer).get(HEALTH_PATH, timeout=_SECONDS)


def main(arguments: list[str]) -> int:
    """Ask, and return the exit status."""
    try:
        server, base_port, home = arguments
        wrong = complaint(server, PortTable(int(base_port)), Home(Path(home)))
    except (ValueError, KeyError, InvalidAddress):
        sys.stderr.write(f"{_USAGE}\n")
        return _MISUSED
    if wrong is None:
        return _WELL
    sys.stderr.write(f"{server}: {wrong}\n")
    return _UNWELL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
