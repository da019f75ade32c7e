"""Internal listeners on a real gunicorn: who gets in, who doesn't, and what silence can't do."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from chassis.addresses import Address, PortTable
from chassis.home import Home
from chassis.peers import Peer, PeerSession, PeerUnavailable, client_context
from chassis.serving import health
from chassis.serving.handshakes import MOST_HANDSHAKES
from tests.support.echo_service import BUSY_SECONDS, HANDSHAKE_SECONDS, LARGE
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
        wait_until(lambda: _answers(service), seconds=90, what="the echo service")
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


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
        socket.create_connection(("localhost", echo.address.port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname="bank.internal") as tls,
        pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"),
    ):
        tls.recv(1)


def test_a_service_can_not_stand_in_for_another(echo: Echo) -> None:
    """The certificate says bank.internal; a caller that wants admin.internal refuses it, though the host matches."""
    with pytest.raises(PeerUnavailable, match="the admin service can't be reached: no TLS connection") as raised:
        echo.session(name="admin").get("/")
    assert re.search(r"Hostname mismatch.*admin\.internal", str(raised.value.__cause__))


def test_a_peer_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message says which service, not only an address."""
    home = Home(tmp_path)
    internal_home(home)
    nobody = PeerSession(Peer(name="bank", address=Address("127.0.0.1", free_port()), home=home, caller="gateway"))
    with pytest.raises(PeerUnavailable, match="the bank service"):
        nobody.get("/")


def client_hello() -> bytes:
    """Return what begins a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="bank.internal")
    with suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


@contextmanager
def strangers(echo: Echo, *, saying: bytes, count: int = 200) -> Iterator[list[socket.socket]]:
    """Have so many connections stand, each of which has sent this and then nothing more."""
    with ExitStack() as stack:
        sockets = []
        for _ in range(count):
            stranger = stack.enter_context(socket.create_connection(("localhost", echo.address.port), timeout=30))
            stranger.sendall(saying)
            sockets.append(stranger)
        yield sockets


@pytest.mark.parametrize("saying", [b"", b"\x16", client_hello(), b"GET / HTTP/1.0\r\n\r\n"], ids=["", "byte", "hello", "http"])
def test_whoever_has_not_proved_who_he_is_delays_nobody(echo: Echo, saying: bytes) -> None:
    """Against four threads; one held for even half a second by each of them would be 25 seconds."""
    with strangers(echo, saying=saying):
        began = time.monotonic()
        assert echo.session().get("/").status_code == 200
        assert time.monotonic() - began < 12


def test_a_handshake_has_a_deadline(echo: Echo) -> None:
    """Whatever the stranger has sent of it."""
    for saying in (b"", client_hello()[:50]):
        with strangers(echo, saying=saying, count=1) as (stranger,):
            began = time.monotonic()
            assert stranger.recv(1) == b""
            assert time.monotonic() - began > HANDSHAKE_SECONDS / 2


def test_a_caller_who_comes_while_all_threads_are_busy_waits_for_his_turn(echo: Echo) -> None:
    """For longer than a handshake may take: that the service is slow to go on with it is no silence of the caller."""
    assert BUSY_SECONDS > HANDSHAKE_SECONDS
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: echo.session().get("/busy", timeout=60), range(8)))
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "gateway")] * 8


def test_of_too_many_strangers_the_longest_waiting_goes_and_a_caller_gets_in(echo: Echo) -> None:
    """Long before its deadline."""
    with strangers(echo, saying=b"", count=MOST_HANDSHAKES + 1) as (first, *_):
        first.settimeout(HANDSHAKE_SECONDS - 0.5)
        assert first.recv(1) == b""
        assert echo.session().get("/").status_code == 200


def test_a_handshake_may_come_in_pieces(echo: Echo) -> None:
    """Of an honest caller over a slow line."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(echo.home, "gateway").wrap_bio(incoming, outgoing, server_hostname="bank.internal")
    with socket.create_connection(("localhost", echo.address.port), timeout=30) as line:
        while not _is_done(tls):
            for byte in outgoing.read():
                line.sendall(bytes([byte]))
            incoming.write(line.recv(65_536))
        tls.write(b"GET / HTTP/1.1\r\nHost: bank\r\n\r\n")
        line.sendall(outgoing.read())

        incoming.write(line.recv(65_536))
        while not (answer := _read(tls)):
            incoming.write(line.recv(65_536))
    assert answer.startswith(b"HTTP/1.1 200")


def _is_done(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _read(tls: ssl.SSLObject) -> bytes:
    try:
        return tls.read()
    except ssl.SSLWantReadError:
        return b""


@contextmanager
def connection(echo: Echo) -> Iterator[ssl.SSLSocket]:
    """Open one as the gateway."""
    with (
        socket.create_connection(("localhost", echo.address.port), timeout=30) as raw,
        client_context(echo.home, "gateway").wrap_socket(raw, server_hostname="bank.internal") as tls,
    ):
        yield tls


REQUEST = b"GET / HTTP/1.1\r\nHost: bank\r\n\r\n"
LAST_CHUNK = b"\r\n0\r\n\r\n"


def read_until(tls: ssl.SSLSocket, end: bytes, *, times: int = 1) -> bytes:
    """Read until `end` has come so often."""
    data = b""
    while data.count(end) < times and (piece := tls.recv(65_536)):
        data += piece
    return data


def test_head_and_body_come_in_one_record(echo: Echo) -> None:
    """Whoever proxies the answer reads once for both."""
    with connection(echo) as tls:
        tls.sendall(REQUEST)
        assert b"gateway" in tls.recv(65_536)


def test_requests_that_come_together_are_answered_in_turn(echo: Echo) -> None:
    """Those read ahead make no socket readable, and none is left lying."""
    with connection(echo) as tls:
        tls.sendall(REQUEST * 3)
        assert read_until(tls, LAST_CHUNK, times=3).count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize("framing", ["Content-Length: 9", "Transfer-Encoding: chunked"])
def test_a_body_that_nobody_reads_is_not_taken_for_a_request(echo: Echo, framing: str) -> None:
    """The next request begins behind it (RFC 9112 §9.3)."""
    body = b"GET / bad" if framing.startswith("Content") else b"9\r\nGET / bad\r\n0\r\n\r\n"
    with connection(echo) as tls:
        for _ in range(2):
            tls.sendall(f"POST / HTTP/1.1\r\nHost: bank\r\n{framing}\r\n\r\n".encode() + body)
            assert read_until(tls, LAST_CHUNK).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize(("size", "goes_on"), [(200_000, True), (400_000, False)])
def test_a_connection_that_ends_says_so_before_it_does(echo: Echo, framing: str, size: int, *, goes_on: bool) -> None:
    """A large body that nobody reads: the connection goes on, or the answer says that it ends (RFC 9112 §9.6).

    An edge that is not told puts somebody else's payment on it meanwhile.
    """
    body, head = b"x" * size, f"Content-Length: {size}"
    if framing == "chunks":
        body, head = b"%x\r\n%b\r\n0\r\n\r\n" % (size, body), "Transfer-Encoding: chunked"
    with connection(echo) as tls:
        tls.sendall(f"POST / HTTP/1.1\r\nHost: bank\r\n{head}\r\n\r\n".encode() + body)
        assert (b"Connection: keep-alive" in read_until(tls, LAST_CHUNK)) is goes_on
        if goes_on:
            tls.sendall(REQUEST)
            assert read_until(tls, LAST_CHUNK).startswith(b"HTTP/1.1 200 OK")


def test_whoever_takes_a_large_answer_slowly_holds_up_nobody(echo: Echo) -> None:
    """More callers than threads ask for one and read nothing of it; the answer is whole for the one that reads after all."""
    with ExitStack() as stack:
        callers = [stack.enter_context(connection(echo)) for _ in range(6)]
        for tls in callers:
            tls.sendall(REQUEST.replace(b"/ ", b"/large "))
            assert tls.recv(1_024).startswith(b"HTTP/1.1 200 OK")
        assert echo.session().get("/").status_code == 200
        received = 1_024
        while received < len(LARGE):
            received += len(callers[0].recv(65_536))


def test_many_more_connections_than_threads_are_served(echo: Echo) -> None:
    """None of those that are open holds a thread between two requests."""
    with ExitStack() as stack:
        callers = [stack.enter_context(connection(echo)) for _ in range(20)]
        for _ in range(2):
            for tls in callers:
                tls.sendall(REQUEST)
            for tls in callers:
                assert read_until(tls, LAST_CHUNK).startswith(b"HTTP/1.1 200 OK")


def test_an_answer_that_breaks_off_ends_its_connection_and_no_thread(echo: Echo) -> None:
    """More often than there are threads."""
    for _ in range(6):
        with connection(echo) as tls:
            tls.sendall(REQUEST.replace(b"/ ", b"/broken "))
            answer = read_until(tls, b"never")
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert answer.endswith(b"begun")
    assert echo.session().get("/").status_code == 200


def test_a_rotated_certificate_is_served_without_a_restart(echo: Echo) -> None:
    """New connections get the new certificate within a second or so."""
    before = _served_serial(echo)
    echo.ca.issue(echo.home.server("bank"), names=["bank.internal", "bank", "localhost"])
    wait_until(lambda: _served_serial(echo) != before, seconds=30, what="the new certificate")


def _served_serial(echo: Echo) -> str:
    context = client_context(echo.home, "gateway")
    with (
        socket.create_connection(("localhost", echo.address.port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname="bank.internal") as tls,
    ):
        certificate = tls.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])
