"""What changes while the edge runs: trust, tokens, certificates on disk, its database, and its own workers."""

from __future__ import annotations

import datetime as dt
import hashlib
import http.client
import os
import signal
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from gateway.changes.kinds import ChangeKind
from gateway.changes.store import append_change
from gateway.register.model import TppStatus
from gateway.tables.oauth import access_tokens
from tests.support.edge import EdgeUnderTest, renew_public_certificate, running_edge
from tests.support.edge_visitors import OwnTpp, open_on_both_workers
from tests.support.patience import IN_FORCE_SECONDS
from tests.support.pki import Authority
from tests.support.platform import free_base_port
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, echo, held, slowly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.pki import Issued

ACCOUNTS = "/v1/accounts"


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


def refused_soon(edge: EdgeUnderTest, connections: list[ssl.SSLSocket], certificate: Issued, reason: str) -> None:
    """Fail unless requests on these open connections are refused as soon as the edge has heard, and all are closed."""
    still_open, told = connections[::2], set()

    def have_ended() -> bool:
        for connection in list(still_open):
            # On a machine that stands still for two seconds meanwhile it is closed already, and says no more.
            with suppress(http.client.RemoteDisconnected, OSError):
                answer = edge.over(connection)
                if answer.status == HTTPStatus.OK:
                    continue
                told.add((answer.status, answer.reason, answer.headers["connection"]))
            still_open.remove(connection)
        return not still_open

    soon(have_ended, "an end of the open connections")
    assert told == {(401, reason, "close")}
    soon(lambda: is_refused(edge, certificate, reason), "a refusal by every worker")
    for connection in connections:
        assert connection.recv(1) == b""


def soon(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, seconds=IN_FORCE_SECONDS, what=what)


def is_refused(edge: EdgeUnderTest, certificate: Issued, reason: str, *, path: str = "/v1/consents/1") -> bool:
    """Whether every worker refuses new connections of this certificate: one that has heard says nothing for the other."""
    answers = [edge.get(path, certificate=certificate) for _ in range(8)]
    return all(answer.status != HTTPStatus.OK and answer.reason == reason for answer in answers)


def is_served(edge: EdgeUnderTest) -> bool:
    return all(edge.get(certificate=edge.qwac).status == HTTPStatus.OK for _ in range(8))


# --- trust ---


@pytest.mark.parametrize("how", ["crl", "block list", "TPP"])
def test_open_connections_are_refused_soon_and_then_closed(shared: EdgeUnderTest, tpp: OwnTpp, how: str) -> None:
    """On every worker: the next request gets its 401 with the reason, the connection ends."""
    connections = open_on_both_workers(shared, tpp.qwac)
    reason = {"crl": "mtls.revoked", "block list": "mtls.blocked", "TPP": "mtls.blocked"}[how]
    if how == "crl":
        shared.revoke(tpp.qwac)
    elif how == "block list":
        shared.register.trust.block(tpp.qwac.sha256, "stolen")
    else:
        shared.register.tpp(tpp.number, status=TppStatus.BLOCKED)
    refused_soon(shared, connections, tpp.qwac, reason)


def test_connections_of_others_stay_open(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """One certificate is revoked; another one's connections do not notice."""
    other = shared.authority.qwac()
    ended, connections = open_on_both_workers(shared, tpp.qwac), open_on_both_workers(shared, other)
    shared.revoke(tpp.qwac)
    assert {connection.recv(1) for connection in ended} == {b""}
    for connection in connections:
        assert shared.over(connection).status == 200


def test_an_answer_that_runs_when_trust_ends_is_broken_off(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """A long download of a revoked TPP does not go on to its end."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n"] + [b"x" * 10] * 60
    shared.bank.reply = slowly(pieces, seconds=0.6)
    connection = shared.connect(tpp.qwac)
    connection.sendall(b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    threading.Timer(0.5, shared.revoke, [tpp.qwac]).start()
    received = b""
    try:
        while data := connection.recv(1000):
            received += data
    except OSError:
        pass
    shared.bank.reply = echo
    assert received.count(b"x") < 300


def test_a_shrunk_trust_store_closes_the_connections_that_leaned_on_it(shared: EdgeUnderTest) -> None:
    """Its anchor is gone."""
    connections = open_on_both_workers(shared, shared.qwac)
    try:
        shared.register.trust.replace("tpp", anchors=[Authority("Another").pem], intermediates=[])
        refused_soon(shared, connections, shared.qwac, "mtls.untrusted")
    finally:
        shared.register.trust.replace("tpp", anchors=[shared.authority.pem], intermediates=[])
        shared.revoke()
    soon(lambda: is_served(shared), "the anchor's return")


# --- tokens ---


def test_a_token_is_refused_soon_after_its_revocation_on_every_worker(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """Also where it was remembered as good."""
    token = tpp.token(shared)
    connections = open_on_both_workers(shared, tpp.qwac)
    for connection in connections:
        assert shared.over(connection, ACCOUNTS, token=token).status == 200
    sha256 = hashlib.sha256(token.encode()).hexdigest()
    with shared.register.engine.begin() as database:
        database.execute(update(access_tokens).where(access_tokens.c.sha256 == sha256).values(revoked_at=time.time()))
        append_change(database, ChangeKind.TOKEN, sha256, datetime.now(UTC))

    def are_refused() -> bool:
        answers = [shared.over(connection, ACCOUNTS, token=token) for connection in connections]
        return all(answer.status == HTTPStatus.UNAUTHORIZED and answer.reason == "token.revoked" for answer in answers)

    soon(are_refused, "the token's end")


def test_a_deleted_clients_tokens_are_refused_soon(shared: EdgeUnderTest, tpp: OwnTpp) -> None:
    """Remembered tokens of a client that is gone."""
    token = tpp.token(shared)
    assert shared.get(ACCOUNTS, certificate=tpp.qwac, token=token).status == 200
    shared.register.store.delete_client(tpp.client_id, datetime.now(UTC))

    def is_refused() -> bool:
        return all(shared.get(ACCOUNTS, certificate=tpp.qwac, token=token).status == 401 for _ in range(8))

    soon(is_refused, "the tokens' end")


def test_an_expired_certificate_is_refused_on_an_open_connection(shared: EdgeUnderTest) -> None:
    """It runs out while the connection is open."""
    for life_seconds in (6, 12, 24):
        end = dt.datetime.now(UTC) + dt.timedelta(seconds=life_seconds)
        with shared.connect(shared.authority.qwac(not_after=end)) as connection:
            # On a machine that stood still meanwhile it is over already: another one, which lives longer.
            if shared.over(connection).status != HTTPStatus.OK:
                continue
            time.sleep((end - dt.datetime.now(UTC)).total_seconds() + 0.2)
            answer = shared.over(connection)
        assert (answer.status, answer.code) == (401, "CERTIFICATE_EXPIRED")
        return
    pytest.fail("no certificate lived long enough to be served once")


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
    soon(lambda: is_refused(shared, tpp.qwac, "mtls.revoked"), "the revocation")
    answer = shared.over(shared.connect(context=context, session=session))
    assert (answer.status, answer.reason) == (401, "mtls.revoked")


# --- the feed ---


def test_without_its_change_feed_the_edge_lets_no_tpp_in(shared: EdgeUnderTest) -> None:
    """503, while pages are served all the same; and everything goes on when the feed is back."""
    assert shared.get(certificate=shared.qwac).status == 200
    with without_table(shared, "changes"):
        soon(lambda: is_refused(shared, shared.qwac, "gateway.unsure"), "503 of every worker")
        assert shared.get(certificate=shared.qwac).status == 503
        assert shared.get("/any", port=shared.ports.portal).status == 200
    soon(lambda: is_served(shared), "the feed")


def test_a_trust_store_that_cannot_be_read_lets_nobody_in(shared: EdgeUnderTest) -> None:
    """The feed says that trust has changed, and what it changed to is not to be had."""
    assert shared.get(certificate=shared.qwac).status == 200
    with without_table(shared, "crls"):
        with shared.register.engine.begin() as database:
            append_change(database, ChangeKind.CRL, "tpp", datetime.now(UTC))
        soon(lambda: is_refused(shared, shared.qwac, "gateway.unsure"), "a refusal by every worker")
    soon(lambda: is_served(shared), "the trust store")


@contextmanager
def without_table(edge: EdgeUnderTest, name: str) -> Iterator[None]:
    """Have a table missing until the block ends."""
    with edge.register.engine.begin() as database:
        database.execute(text(f"ALTER TABLE {name} RENAME TO {name}_gone"))
    try:
        yield
    finally:
        with edge.register.engine.begin() as database:
            database.execute(text(f"ALTER TABLE {name}_gone RENAME TO {name}"))


# --- the workers ---


def test_a_killed_worker_loses_no_audit_record_and_is_replaced(shared: EdgeUnderTest) -> None:
    """Every answer that a client has read stands in the log, whenever the worker was killed."""
    answered: list[str] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answered.append(shared.get(certificate=shared.qwac).headers["x-sandbox-request"])
            except (OSError, http.client.HTTPException, KeyError):
                continue

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    soon(lambda: len(answered) > 25, "answers")
    killed, before = shared.workers()[0], len(answered)
    os.kill(killed, signal.SIGKILL)
    soon(lambda: len(shared.workers()) == 2 and killed not in shared.workers(), "a new worker")
    soon(lambda: len(answered) > before + 25, "answers after the kill")
    stop.set()
    for thread in threads:
        thread.join(timeout=60)
    recorded = {record["request_id"] for record in shared.records(kind="request")}
    assert set(answered) <= recorded


def test_the_edge_stops_at_once_when_told_and_finishes_what_it_serves(edge: EdgeUnderTest) -> None:
    """Idle connections are closed, a running answer ends, nothing is left."""
    released = threading.Event()
    edge.bank.reply = held(released, b"k", begun=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    idle = edge.connect(edge.qwac)
    workers = edge.workers()
    got: list[bytes] = []
    asking = threading.Thread(target=lambda: got.append(edge.get(certificate=edge.qwac).body))
    asking.start()
    soon(lambda: bool(edge.bank.received), "the request at the bank")
    edge.process.send_signal(signal.SIGTERM)
    assert idle.recv(1) == b""
    assert got == []  # what is idle does not wait for what runs
    released.set()
    edge.process.wait(timeout=60)
    asking.join(timeout=60)
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
        wait_until(lambda: _answers(edge), seconds=IN_FORCE_SECONDS, what="room")


def _answers(edge: EdgeUnderTest) -> bool:
    try:
        return edge.get(certificate=edge.qwac).status == 200
    except (OSError, http.client.HTTPException):
        return False


# --- certificates on disk ---


def test_a_renewed_server_certificate_is_taken_up_without_a_restart(shared: EdgeUnderTest) -> None:
    """By every worker."""
    (before,) = _served(shared)
    renew_public_certificate(shared.home)

    def is_taken_up() -> bool:
        served = _served(shared)
        return len(served) == 1 and before not in served

    wait_until(is_taken_up, seconds=60, what="the new certificate")


def _served(edge: EdgeUnderTest) -> set[bytes]:
    """Return what both workers show to those who connect now."""
    own = edge.authority.qwac()
    context = edge.context(own)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    opened = open_on_both_workers(edge, own, context)
    shown = {connection.getpeercert(binary_form=True) or b"" for connection in opened}
    for connection in opened:
        connection.close()
    return shown


def test_a_half_written_rotation_is_left_alone(shared: EdgeUnderTest) -> None:
    """A certificate that does not fit the key: the old pair goes on serving."""
    (before,) = _served(shared)
    pair, log = shared.home.server("edge"), shared.home.log / "edge.jsonl"
    kept = pair.certificate.read_bytes()
    pair.certificate.write_text(shared.authority.server("localhost").pem)
    try:
        wait_until(lambda: log.read_text().count("tls.rotation_waits") > 4, seconds=60, what="both workers' looks")
        assert _served(shared) == {before}
    finally:
        pair.certificate.write_bytes(kept)


def test_a_renewed_internal_certificate_is_used_for_new_connections(shared: EdgeUnderTest) -> None:
    """The gateway's own, towards the servers behind it."""
    seen: list[bytes] = []

    def note(request: Received, conversation: Conversation) -> bool:
        seen.append(conversation.socket.getpeercert(binary_form=True) or b"")
        return echo(request, conversation)

    shared.bank.reply = note
    shared.get(certificate=shared.qwac)
    shared.internal_authority.issue(shared.home.internal("gateway"), names=["gateway.internal"])

    def is_presented() -> bool:
        return shared.get(certificate=shared.qwac).status == HTTPStatus.OK and len(set(seen)) == 2

    wait_until(is_presented, seconds=60, what="the new one")
    shared.bank.reply = echo


# --- starting ---


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("GATEWAY_BASE_PORT=99999", "GATEWAY_BASE_PORT"),
        ("GATEWAY_CONFIGURATION=/nowhere.toml", "/nowhere.toml"),
        ("GATEWAY_DATABASE_URL=nonsense", "database URL"),
    ],
)
def test_what_makes_no_sense_stops_the_start_with_a_sentence(shared: EdgeUnderTest, broken: str, message: str) -> None:
    """It names the setting."""
    name, _, value = broken.partition("=")
    environment = shared.environment | {"GATEWAY_BASE_PORT": str(free_base_port()), name: value}
    started = subprocess.run(shared.command, env=environment, capture_output=True, timeout=90, check=False)
    assert started.returncode != 0
    assert message.encode() in started.stderr + started.stdout
