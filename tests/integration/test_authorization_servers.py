"""Authorization server and control API on real gunicorns: who gets in, and what the bank's absence does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from chassis.addresses import Address, PortTable
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable
from psd2.client_cert_header import encode_client_cert
from tests.support.authorization import CLIENT, NUMBER, REDIRECT_URI, authorization_url, qwac
from tests.support.internal_home import internal_home
from tests.support.platform import free_base_port
from tests.support.ports import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Databases

SERVERS = {"authorization": "gateway.oauth.server", "admin": "gateway.admin.server"}


# What is served, and to whom, is the same on each engine; whole servers on PostgreSQL: test_platform_on_postgresql.
pytestmark = pytest.mark.parametrize("module_databases", ["sqlite"], indirect=True)


class Gateway:
    """Both servers of one home."""

    def __init__(self, home: Home, base_port: int) -> None:
        self.home, self.ports = home, PortTable(base_port)

    def session(self, name: str, caller: str) -> PeerSession:
        """Call a server as `caller`."""
        port = {"authorization": self.ports.authorization, "admin": self.ports.admin}[name]
        return PeerSession(Peer(name=name, address=Address("localhost", port), home=self.home, caller=caller))

    def answers(self, name: str, caller: str) -> bool:
        try:
            return self.session(name, caller).get("/health").status_code == 200
        except PeerUnavailable:
            return False


@pytest.fixture(scope="module")
def gateway(module_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Migrate, start both, register a TPP, stop both."""
    home, base_port = Home(tmp_path_factory.mktemp("home")), free_base_port()
    ca = internal_home(home)
    for name in SERVERS:
        ca.issue(home.server(name), names=[f"{name}.internal", name, "localhost"])
    environment = os.environ | {
        "GATEWAY_HOME": str(home.path),
        "GATEWAY_BASE_PORT": str(base_port),
        "GATEWAY_DATABASE_URL": module_databases.empty(),
    }
    subprocess.run([sys.executable, "-m", "gateway.database"], env=environment, check=True, timeout=60)
    processes = [subprocess.Popen(command_of(name, module), env=environment) for name, module in SERVERS.items()]
    running = Gateway(home, base_port)
    try:
        wait_until(lambda: running.answers("authorization", "gateway"), seconds=90, what="the authorization server")
        wait_until(lambda: running.answers("admin", "portal"), seconds=90, what="the control API")
        register(running)
        yield running
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(timeout=60)


def command_of(name: str, module: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-c", f"python:{module}", f"gateway.wsgi:{name}()"]


def register(gateway: Gateway) -> None:
    admin = gateway.session("admin", "portal")
    tpp = {"name": "Acme", "country": "DE", "nca_id": "DE-BAFIN", "nca_name": "BaFin", "roles": ["AISP"], "status": "active"}
    assert admin.put(f"/tpps/{NUMBER}", json=tpp).status_code == 201
    client = {
        "authorisation_number": NUMBER,
        "name": "Acme",
        "redirect_uris": [REDIRECT_URI],
        "profile": "berlin",
        "token_endpoint_auth_method": "tls_client_auth",
    }
    assert admin.put(f"/clients/{CLIENT}", json=client).status_code == 201


def from_edge(**more: str) -> dict[str, Any]:
    return {"X-Sandbox-Listener": "edge", "X-Sandbox-Certificate": "qwac", "Client-Cert": encode_client_cert(qwac().der)} | more


def test_a_token_over_the_real_listener(gateway: Gateway) -> None:
    """As the edge passes the request on."""
    body = {"client_id": CLIENT, "grant_type": "client_credentials"}
    answer = gateway.session("authorization", "gateway").post("/token", data=body, headers=from_edge())

    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")


@pytest.mark.parametrize(("name", "stranger"), [("authorization", "portal"), ("admin", "gateway")])
def test_each_server_answers_to_its_own_caller(gateway: Gateway, name: str, stranger: str) -> None:
    """The portal can't forge certificates, and what comes through the edge can't reach the control API."""
    session = gateway.session(name, stranger)

    assert session.get("/health").status_code == 403
    assert session.post("/token", data={"client_id": CLIENT}, headers=from_edge()).status_code == 403
    assert session.get("/tpps").status_code == 403


def test_an_underscore_makes_no_certificate(gateway: Gateway) -> None:
    """`Client_Cert` would be the same WSGI variable as `Client-Cert`: the server drops it."""
    headers = {"X-Sandbox-Listener": "edge", "Client_Cert": encode_client_cert(qwac().der)}
    body = {"client_id": CLIENT, "grant_type": "client_credentials"}
    answer = gateway.session("authorization", "gateway").post("/token", data=body, headers=headers)

    assert answer.status_code != 200


def test_the_banks_absence_is_told_to_the_client(gateway: Gateway) -> None:
    """No bank runs here: a redirect with temporarily_unavailable, not a dead page."""
    path = authorization_url().removeprefix("https://localhost:8441")
    answer = gateway.session("authorization", "gateway").get(path, headers={"X-Sandbox-Listener": "front"})

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?error=temporarily_unavailable")


def test_a_refusal_is_logged_with_its_reason(gateway: Gateway) -> None:
    """One JSON line in the home's log folder, without the token that was asked about."""
    body = {"client_id": "client-9", "token": "s3cret-token"}
    gateway.session("authorization", "gateway").post("/introspect", data=body, headers=from_edge())

    log: Path = gateway.home.log / "authorization.jsonl"
    wait_until(lambda: "client.unknown" in log.read_text(), seconds=30, what="a line in the log")
    line = json.loads(next(line for line in log.read_text().splitlines() if "client.unknown" in line))
    assert (line["service"], line["event"], line["path"]) == ("authorization", "oauth.refused", "/introspect")
    assert "s3cret-token" not in log.read_text()
