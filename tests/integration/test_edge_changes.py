"""What changes while the edge runs: trust, tokens, certificates on disk, its database, and its own workers."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import os
import secrets
import signal
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change
from gateway.database import access_tokens
from gateway.register.model import TppStatus
from tests.support.edge import EdgeUnderTest, renew_public_certificate, running_edge
from tests.support.pki import Authority
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, echo, slowly

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.pki import Issued

ACCOUNTS = "/v1/accounts"


@dataclass(frozen=True)
class OwnTpp:
    """A TPP of one test: what happens to it touches no other test."""

    number: str
    client_id: str
    qwac: Issued

    @staticmethod
    def registered(edge: EdgeUnderTest) -> OwnTpp:
        number = f"PSDDE-BAFIN-{secrets.randbelow(900_000) + 100_000}"
        edge.register.tpp(number)
        edge.register.client(f"client-of-{number}", number)
        tpp = OwnTpp(number, f"client-of-{number}", edge.authority.qwac(number=number))
        time.sleep(0.6)  # workers that had looked for it before have heard by now
        return tpp

    def token(self, edge: EdgeUnderTest) -> str:
        return edge.register.token(self.qwac, number=self.number, client_id=self.client_id)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to the tests that break nothing but what is their own."""
    with running_edge(tmp_path_factory.mktemp("edge")) as running:
        yield running


@pytest.fixture
def tpp(shared: EdgeUnderTest) -> OwnTpp:
    """Register a TPP and a client of its own for one test."""
    return OwnTpp.registered(shared)


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[EdgeUnderTest]:
    """Start an edge with two workers for one test that breaks it."""
    with running_edge(tmp_path) as running:
        yield running


def open_on_both_workers(edge: EdgeUnderTest, certificate: Issued) -> list[ssl.SSLSocket]:
    """Open connections at the same time until each worker serves at least one, and use each."""
    opened: list[ssl.SSLSocket] = []
    context = edge.context(certificate)
    with ThreadPoolExecutor(8) as pool:
        while not _seen_by_both_workers(edge, certificate):
            assert len(opened) < 200, "one worker takes all connections"
            opened += pool.map(lambda _: edge.connect(context=context), range(8))
            assert {edge.over(connection).status for connection in opened} == {200}
    return opened


def _seen_by_both_workers(edge: EdgeUnderTest, certificate: Issued) -> bool:
    """Whether the certificate stands in the audit files of both."""
    return sum(certificate.sha256 in path.read_text() for path in edge.home.log.glob("audit-*.jsonl")) == 2


# --- trust ---


@pytest.mark.parametrize("how", ["crl", "block list", "TPP"])
def test_open_connections_are_refused_within_a_second_and_then_closed(shared: EdgeUnderTest, tpp: OwnTpp, how: str) -> None:
    """On every worker: the next request gets its 401 with the reason, the connection ends."""
    connections = open_on_both_workers(shared, tpp.qwac)
    reason = {"crl": "mtls.revoked", "block list": "mtls.blocked", "TPP": "mtls.blocked"}[how]
    if how == "crl":
        shared.revoke(tpp.qwac)
    elif how == "block list":
        shared.register.trust.block(tpp.qwac.sha256, "stolen")
    else:
        shared.register.tpp(tpp.number, status=TppStatus.BLOCKED)
    time.sleep(1)
    for connection in connections[::2]:
        answer = shared.over(connection)
        assert (answer.status, answer.reason, answer.headers["connection"]) == (401, reason, "close")
    for connection in connections:
        assert connection.recv(1) == b""


def test_connections_of_others_stay_open(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """One certificate is revoked; another one's connections do not notice."""
    other = shared.authority.qwac()
    connections = open_on_both_workers(shared, other)
    shared.revoke(tpp.qwac)
    time.sleep(3)
    for connection in connections:
        assert shared.over(connection).status == 200


def test_an_answer_that_runs_when_trust_ends_is_broken_off(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """A long download of a revoked TPP does not go on to its end."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] + [b"x" * 10] * 10
    shared.bank.reply = slowly(pieces, seconds=0.6)
    connection = shared.connect(tpp.qwac)
    connection.sendall(b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    threading.Timer(0.5, shared.revoke, [tpp.qwac]).start()
    received = b""
    began = time.monotonic()
    try:
        while data := connection.recv(1000):
            received += data
    except OSError:
        pass
    assert time.monotonic() - began < 5
    shared.bank.reply = echo
    assert not received.endswith(b"x" * 100)


def test_a_shrunk_trust_store_closes_the_connections_that_leaned_on_it(edge: EdgeUnderTest) -> None:
    """Its anchor is gone."""
    connections = open_on_both_workers(edge, edge.qwac)
    edge.register.trust.replace("tpp", anchors=[Authority("Another").pem], intermediates=[])
    time.sleep(1)
    assert edge.over(connections[0]).reason == "mtls.untrusted"
    for connection in connections:
        assert connection.recv(1) == b""


# --- tokens ---


def test_a_token_is_refused_within_a_second_of_its_revocation_on_every_worker(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """Also where it was remembered as good."""
    token = tpp.token(shared)
    connections = open_on_both_workers(shared, tpp.qwac)
    for connection in connections:
        assert shared.over(connection, ACCOUNTS, token=token).status == 200
    sha256 = hashlib.sha256(token.encode()).hexdigest()
    with shared.register.engine.begin() as database:
        database.execute(update(access_tokens).where(access_tokens.c.sha256 == sha256).values(revoked_at=time.time()))
        append_change(database, ChangeKind.TOKEN, sha256, datetime.now(UTC))
    time.sleep(1)
    for connection in connections:
        answer = shared.over(connection, ACCOUNTS, token=token)
        assert (answer.status, answer.reason) == (401, "token.revoked")


def test_a_deleted_clients_tokens_are_refused_within_a_second(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """Remembered tokens of a client that is gone."""
    token = tpp.token(shared)
    assert shared.get(ACCOUNTS, certificate=tpp.qwac, token=token).status == 200
    shared.register.store.delete_client(tpp.client_id, datetime.now(UTC))
    time.sleep(1)
    for _ in range(6):
        assert shared.get(ACCOUNTS, certificate=tpp.qwac, token=token).status == 401


def test_an_expired_certificate_is_refused_on_an_open_connection(shared: EdgeUnderTest) -> None:
    """It runs out while the connection is open."""
    short = shared.authority.qwac(not_after=dt.datetime.now(UTC) + dt.timedelta(seconds=4))
    connection = shared.connect(short)
    assert shared.over(connection).status == 200
    time.sleep(4.5)
    answer = shared.over(connection)
    assert (answer.status, answer.code) == (401, "CERTIFICATE_EXPIRED")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_resumed_session_is_judged_like_a_new_one(shared: EdgeUnderTest, tpp: OwnTpp, version: ssl.TLSVersion) -> None:
    """It still has its certificate; and it resumes with any worker, because they share the ticket keys."""
    context = shared.context(tpp.qwac, version=version)
    first = shared.connect(context=context)
    assert shared.over(first).status == 200
    session = first.session
    resumed = 0
    for _ in range(8):
        again = shared.connect(context=context, session=session)
        assert shared.over(again).status == 200
        resumed += bool(again.session_reused)
        session = again.session or session
        again.close()
    assert resumed == 8
    assert {record["tls"]["resumed"] for record in shared.records(tpp=tpp.number)} == {True, False}
    shared.revoke(tpp.qwac)
    time.sleep(1)
    answer = shared.over(shared.connect(context=context, session=session))
    assert (answer.status, answer.reason) == (401, "mtls.revoked")


# --- the feed ---


def test_without_its_change_feed_the_edge_lets_no_tpp_in(edge: EdgeUnderTest) -> None:
    """503 after a second, health says so, and everything goes on when the feed is back."""
    assert edge.get(certificate=edge.qwac).status == 200
    with edge.register.engine.begin() as database:
        database.execute(text("ALTER TABLE changes RENAME TO changes_gone"))
    time.sleep(1.5)
    answer = edge.get(certificate=edge.qwac)
    assert (answer.status, answer.reason) == (503, "gateway.unsure")
    assert edge.get("/any", port=edge.ports.portal).status == 200
    with edge.register.engine.begin() as database:
        database.execute(text("ALTER TABLE changes_gone RENAME TO changes"))
    wait_until(lambda: edge.get(certificate=edge.qwac).status == 200, seconds=3, what="the feed")


def test_a_trust_store_that_cannot_be_read_lets_nobody_in(edge: EdgeUnderTest) -> None:
    """The feed says that trust has changed, and what it changed to is not to be had."""
    assert edge.get(certificate=edge.qwac).status == 200
    with edge.register.engine.begin() as database:
        database.execute(text("ALTER TABLE crls RENAME TO crls_gone"))
        append_change(database, ChangeKind.CRL, "tpp", datetime.now(UTC))
    time.sleep(1.5)
    assert edge.get(certificate=edge.qwac).reason == "gateway.unsure"
    with edge.register.engine.begin() as database:
        database.execute(text("ALTER TABLE crls_gone RENAME TO crls"))
    wait_until(lambda: edge.get(certificate=edge.qwac).status == 200, seconds=3, what="the trust store")


# --- the workers ---


def test_a_killed_worker_loses_no_audit_record_and_is_replaced(edge: EdgeUnderTest) -> None:
    """Every answer that a client has read stands in the log, whenever the worker was killed."""
    answered: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answered.append(edge.get(certificate=edge.qwac).headers["x-sandbox-request"])
            except (OSError, http.client.HTTPException, KeyError):
                continue

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    killed = edge.workers()[0]
    os.kill(killed, signal.SIGKILL)
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join(timeout=20)
    recorded = {record["request_id"] for record in edge.records(kind="request")}
    assert set(answered) <= recorded
    assert len(answered) > 50
    wait_until(lambda: len(edge.workers()) == 2 and killed not in edge.workers(), seconds=10, what="a new worker")


def test_the_edge_stops_at_once_when_told_and_finishes_what_it_serves(edge: EdgeUnderTest) -> None:
    """Idle connections are closed, a running answer ends, nothing is left."""
    edge.bank.reply = slowly([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"o", b"k"], seconds=0.4)
    idle = edge.connect(edge.qwac)
    workers = edge.workers()
    got: list[bytes] = []
    asking = threading.Thread(target=lambda: got.append(edge.get(certificate=edge.qwac).body))
    asking.start()
    time.sleep(0.3)
    began = time.monotonic()
    edge.process.send_signal(signal.SIGTERM)
    assert idle.recv(1) == b""
    edge.process.wait(timeout=10)
    assert time.monotonic() - began < 4
    asking.join(timeout=5)
    assert got == [b"ok"]
    assert not [worker for worker in workers if os.path.exists(f"/proc/{worker}")]  # noqa: PTH110


def test_more_connections_than_configured_are_not_taken(tmp_path: Path) -> None:
    """Ten are served, the eleventh is sent away, and there is room again when one has gone."""
    with running_edge(tmp_path, EDGE_WORKERS="1", MAX_CONNECTIONS="10") as edge:
        opened = [edge.connect(edge.qwac) for _ in range(10)]
        with pytest.raises(OSError, match=r"EOF|reset"):
            edge.connect(edge.qwac)
        assert {edge.over(connection).status for connection in opened} == {200}
        opened.pop().close()
        wait_until(lambda: _answers(edge), seconds=5, what="room")


def _answers(edge: EdgeUnderTest) -> bool:
    try:
        return edge.get(certificate=edge.qwac).status == 200
    except (OSError, http.client.HTTPException):
        return False


# --- certificates on disk ---


def test_a_renewed_server_certificate_is_taken_up_without_a_restart(edge: EdgeUnderTest) -> None:
    """And sessions begun before resume after."""
    before = _served(edge)
    renew_public_certificate(edge.home)
    wait_until(lambda: _served(edge) != before, seconds=12, what="the new certificate")
    time.sleep(2)
    assert len({_served(edge) for _ in range(8)}) == 1


def _served(edge: EdgeUnderTest) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with edge.connect(context=context) as connection:
        der = connection.getpeercert(binary_form=True)
    assert der
    return der


def test_a_half_written_rotation_is_left_alone(edge: EdgeUnderTest) -> None:
    """A certificate that does not fit the key: the old pair goes on serving."""
    before = _served(edge)
    pair = edge.home.server("edge")
    pair.certificate.write_text(edge.authority.server("localhost").pem)
    time.sleep(3)
    assert {_served(edge) for _ in range(6)} == {before}


def test_a_renewed_internal_certificate_is_used_for_new_connections(edge: EdgeUnderTest) -> None:
    """The gateway's own, towards the servers behind it."""
    seen: list[bytes] = []

    def note(request: Received, conversation: Conversation) -> bool:
        seen.append(conversation.socket.getpeercert(binary_form=True) or b"")
        return echo(request, conversation)

    edge.bank.reply = note
    edge.get(certificate=edge.qwac)
    edge.internal_authority.issue(edge.home.internal("gateway"), names=["gateway.internal"])
    wait_until(lambda: edge.get(certificate=edge.qwac).status == 200 and len(set(seen)) == 2, seconds=12, what="the new one")


# --- starting ---


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("GATEWAY_BASE_PORT=99999", "GATEWAY_BASE_PORT"),
        ("GATEWAY_DEPLOYMENTS=/nowhere.toml", "/nowhere.toml"),
        ("GATEWAY_DATABASE_URL=nonsense", "database URL"),
    ],
)
def test_what_makes_no_sense_stops_the_start_with_a_sentence(shared: EdgeUnderTest, broken: str, message: str) -> None:
    """It names the setting."""
    name, _, value = broken.partition("=")
    environment = shared.environment | {"GATEWAY_BASE_PORT": str(shared.ports.base + 10), name: value}
    started = subprocess.run(shared.command, env=environment, capture_output=True, timeout=30, check=False)
    assert started.returncode != 0
    assert message.encode() in started.stderr + started.stdout
