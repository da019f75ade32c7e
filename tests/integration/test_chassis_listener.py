"""Internal listeners on a real gunicorn: who gets in, who doesn't, and what silence can't do."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from chassis import health
from chassis.addresses import Address, PortTable
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable, client_context
from tests.support.internal_home import InternalCa, internal_home
from tests.support.ports import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Echo:
    """A running echo service and the CA of its home."""

    def __init__(self, home: Home, port: int, ca: InternalCa) -> None:
        self.home, self.address, self.ca = home, Address("localhost", port), ca

    def session(self, caller: str = "gateway", *, name: str = "bank", home: Home | None = None) -> PeerSession:
        """Call the service as `caller`, expecting the service name `name`."""
        return PeerSession(Peer(name=name, address=self.address, home=home or self.home, caller=caller))


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    """Start the echo service with four threads."""
    home, port = Home(tmp_path_factory.mktemp("home")), free_port()
    ca = internal_home(home)
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:tests.support.echo_service",
        "tests.support.echo_service:application()",
    ]
    environment = os.environ | {"ECHO_HOME": str(home.path), "ECHO_PORT": str(port)}
    process = subprocess.Popen(command, env=environment)
    service = Echo(home, port, ca)
    try:
        wait_until(lambda: _answers(service), seconds=20, what="the echo service")
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _answers(service: Echo) -> bool:
    try:
        return service.session().get("/").status_code == 200
    except PeerUnavailable:
        return False


def test_an_accepted_caller_gets_in_and_is_named(echo: Echo) -> None:
    """The gateway, by its internal certificate."""
    assert echo.session().get("/").text == "gateway"


def test_another_internal_caller_is_refused_and_told_who_may(echo: Echo) -> None:
    """The portal's certificate is good, but this listener is not for it."""
    answer = echo.session("portal").get("/")
    assert answer.status_code == 403
    assert answer.json()["code"] == "caller.not_accepted"
    assert "gateway" in answer.json()["detail"]


def test_whoever_asks_for_health_may_ask_nothing_else(echo: Echo) -> None:
    """A health check's certificate is in every container: it opens one path, for reading."""
    session = echo.session("health")
    assert session.get("/health").status_code == 200
    for path in ("/", "/health/", "/health/x", "//health", "/tpps?/health"):
        assert session.get(path).status_code == 403, path
    assert session.post("/health").status_code == 403


def test_a_health_check_ends_with_what_is_wrong(
    echo: Echo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 0 where the server is well, 1 and a sentence where it is not, 2 for a call that makes no sense."""
    monkeypatch.setattr(PortTable, "bank", echo.address.port)
    home = str(echo.home.path)
    assert health.main(["bank", "8440", home]) == 0
    assert health.main(["admin", "8440", home]) == 1
    assert capsys.readouterr().err.startswith("admin: the admin service can't be reached")
    for wrong in ([], ["cafe", "8440", home], ["bank", "80", home], ["bank", "x", home]):
        assert health.main(wrong) == 2


def test_a_caller_of_another_ca_does_not_finish_the_handshake(echo: Echo, tmp_path: Path) -> None:
    """Same names, another CA."""
    impostor = Home(tmp_path)
    internal_home(impostor)
    echo.ca.install(impostor)  # it trusts the real service, but can't prove itself to it
    with pytest.raises(PeerUnavailable):
        echo.session(home=impostor).get("/")


def test_a_caller_without_certificate_does_not_get_in(echo: Echo) -> None:
    """TLS 1.3 tells the client after the handshake, so the first read fails."""
    context = ssl.create_default_context(cafile=str(echo.home.ca("internal").certificate))
    with (
        socket.create_connection(("localhost", echo.address.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="bank.internal") as tls,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"),
    ):
        tls.recv(1)


def test_a_service_can_not_stand_in_for_another(echo: Echo) -> None:
    """The certificate says bank.internal; a caller that wants admin.internal refuses it, though the host matches."""
    with pytest.raises(PeerUnavailable, match="the admin service can't be reached: no TLS connection") as raised:
        echo.session(name="admin").get("/")
    assert re.search(r"admin\.internal.*doesn't match", str(raised.value.__cause__))


def test_a_peer_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which service, not only an address."""
    home = Home(tmp_path)
    internal_home(home)
    nobody = PeerSession(Peer(name="bank", address=Address("127.0.0.1", free_port()), home=home, caller="gateway"))
    with pytest.raises(PeerUnavailable, match="the bank service"):
        nobody.get("/")


def test_silent_connections_do_not_hold_the_threads(echo: Echo) -> None:
    """Eight connections that send one byte each against four threads: a caller is still served within the deadline."""
    silent = [socket.create_connection(("localhost", echo.address.port), timeout=5) for _ in range(8)]
    try:
        for connection in silent:
            connection.sendall(b"\x16")
        wait_until(lambda: _answers(echo), seconds=30, what="an answer while silent connections stand")
    finally:
        for connection in silent:
            connection.close()


def test_a_rotated_certificate_is_served_without_a_restart(echo: Echo) -> None:
    """New connections get the new certificate within a second or so."""
    before = _served_serial(echo)
    echo.ca.issue(echo.home.server("bank"), names=["bank.internal", "bank", "localhost"])
    wait_until(lambda: _served_serial(echo) != before, seconds=5, what="the new certificate")


def _served_serial(echo: Echo) -> str:
    context = client_context(echo.home, "gateway")
    with (
        socket.create_connection(("localhost", echo.address.port), timeout=5) as raw,
        context.wrap_socket(raw, server_hostname="bank.internal") as tls,
    ):
        certificate = tls.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])
