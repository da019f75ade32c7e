"""The edge and the servers behind it: streaming, faults on their side, and connections that are used again."""

from __future__ import annotations

import hashlib
import http.client
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import EdgeUnderTest, read_answer, running_edge
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, ScriptedUpstream, echo, held, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEBIBYTE = 1024 * 1024
PATH = "/v1/consents/1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Start one edge with a single worker, so that its pool can be watched."""
    settings = {
        "EDGE_WORKERS": "1",
        "UPSTREAM_CONNECTIONS": "4",
        "UPSTREAM_WAITING": "3",
        "MAX_BODY_BYTES": str(64 * MEBIBYTE),
    }
    with running_edge(tmp_path_factory.mktemp("edge"), **settings) as edge:
        yield edge


@pytest.fixture
def edge(running: EdgeUnderTest) -> Iterator[EdgeUnderTest]:
    """Lend the edge with a bank that answers with what it got."""
    running.bank.reply = echo
    yield running
    running.bank.reply = echo
    running.bank.cut()


def refused(edge: EdgeUnderTest, reply: Callable[[Received, Conversation], bool], method: str = "GET") -> tuple[int, str]:
    edge.bank.reply = reply
    answer = edge.get(PATH, certificate=edge.qwac, method=method)
    assert edge.record_of(answer)["outcome"] == "failed"
    return answer.status, answer.reason


# --- faults of the server ---

UNREADABLE = {
    "no HTTP": b"hello\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "folded header": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "no end to be told": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "switched protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "too large a head": b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_reply_that_could_be_read_in_two_ways_is_not_passed_on(edge: EdgeUnderTest, reply: bytes) -> None:
    """502, and the connection is not used again."""
    assert refused(edge, raw(reply)) == (502, "upstream.reply")
    edge.bank.reply = echo
    assert edge.get(PATH, certificate=edge.qwac).status == 200


def test_a_server_that_does_not_listen(edge: EdgeUnderTest) -> None:
    """502, with a hint when to try again."""
    edge.portal.stop()
    answer = edge.get("/any", port=edge.ports.portal)
    assert (answer.status, answer.reason, answer.headers["retry-after"]) == (502, "upstream.connect", "1")
    assert edge.record_of(answer)["detail"].startswith("portal at 127.0.0.1:")


def test_a_server_that_cannot_prove_its_name(edge: EdgeUnderTest) -> None:
    """Another internal server, with a good certificate of its own, does not pass for the authorization server."""
    edge.authorization.stop()
    impostor = ScriptedUpstream(edge.home, "bank", port=edge.authorization.port)
    answer = edge.get("/authorize", port=edge.ports.front)
    impostor.stop()
    assert (answer.status, answer.reason) == (502, "upstream.tls_name")
    assert not impostor.received


def test_a_reply_that_breaks_off_is_no_whole_answer(edge: EdgeUnderTest) -> None:
    """Killed in the middle of a body: the client's connection breaks off too, it does not end as if all were there."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", then_close=True)
    with pytest.raises((http.client.HTTPException, OSError)):
        edge.get(PATH, certificate=edge.qwac)
    wait_until(lambda: bool(edge.records(outcome="failed", reason="upstream.reply", status=200)), seconds=30, what="the record")


@pytest.mark.parametrize("ending", [b"5\r\nhello\r\n", b"5\r\nhel", b"5\r\nhello\r\n0\r\n"])
def test_chunks_without_the_last_one_are_no_whole_answer(edge: EdgeUnderTest, ending: bytes) -> None:
    """Nor is a chunked reply that was cut anywhere."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + ending, then_close=True)
    with pytest.raises((http.client.HTTPException, OSError)):
        edge.get(PATH, certificate=edge.qwac)


# --- connections ---


def test_connections_are_used_again(edge: EdgeUnderTest) -> None:
    """Twenty requests, one connection."""
    edge.get(PATH, certificate=edge.qwac)
    before = edge.bank.connections
    for _ in range(20):
        assert edge.get(PATH, certificate=edge.qwac).status == 200
    assert edge.bank.connections == before


def test_bytes_after_a_reply_end_its_connection(edge: EdgeUnderTest) -> None:
    """They would be taken for the next client's answer."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
    assert edge.get(PATH, certificate=edge.qwac).body == b"ok"
    edge.bank.reply = echo
    assert edge.get(PATH, certificate=edge.qwac).json["line"].startswith("GET")


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("DELETE", 200), ("POST", 502)])
def test_a_stale_connection_is_tried_once_more_where_that_does_no_harm(edge: EdgeUnderTest, method: str, status: int) -> None:
    """The server closes it upon the request: what changes something twice is not sent twice (RFC 9110 §9.2.2)."""
    edge.get(PATH, certificate=edge.qwac)
    calls: list[str] = []

    def closes_once(request: Received, conversation: Conversation) -> bool:
        calls.append(request.line)
        return echo(request, conversation) if len(calls) > 1 else False

    edge.bank.reply = closes_once
    path = "/v1/consents" if method == "POST" else PATH
    answer = edge.get(path, certificate=edge.qwac, method=method, body=b"{}" if method == "POST" else None)
    assert answer.status == status
    assert len(calls) == (2 if status == 200 else 1)
    assert edge.record_of(answer)["retried"] is (status == 200)


def test_a_restarted_server_is_found_again(edge: EdgeUnderTest) -> None:
    """All kept connections die, the next request opens one."""
    edge.get(PATH, certificate=edge.qwac)
    edge.bank.cut()
    assert [edge.get(PATH, certificate=edge.qwac).status for _ in range(5)] == [200] * 5


def test_more_requests_than_connections_wait_in_line_and_too_many_are_sent_away(edge: EdgeUnderTest) -> None:
    """Four connections, three waiting: of twelve slow requests seven are served, the others told to come back."""
    released = threading.Event()
    edge.bank.reply = held(released, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    statuses: list[tuple[int, str]] = []

    def ask() -> None:
        answer = edge.get(PATH, certificate=edge.qwac)
        statuses.append((answer.status, "" if answer.status == 200 else answer.reason))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(statuses) == 5, seconds=60, what="the refusals")
    finally:
        released.set()
        for thread in threads:
            thread.join(timeout=60)
    assert Counter(statuses) == {(503, "upstream.busy"): 5, (200, ""): 7}
    assert edge.get(PATH, certificate=edge.qwac).status == 200


# --- streaming ---


def test_a_large_reply_is_streamed_and_arrives_whole(edge: EdgeUnderTest) -> None:
    """40 MiB, counted and in chunks."""
    body = b"0123456789abcdef" * (40 * MEBIBYTE // 16)
    digest = hashlib.sha256(body).hexdigest()
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert hashlib.sha256(edge.get(PATH, certificate=edge.qwac).body).hexdigest() == digest
    pieces = [b"%x\r\n" % 65536 + body[at : at + 65536] + b"\r\n" for at in range(0, len(body), 65536)]
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n")
    assert hashlib.sha256(edge.get(PATH, certificate=edge.qwac).body).hexdigest() == digest


def test_a_slow_client_holds_the_server_back_and_not_memory(edge: EdgeUnderTest) -> None:
    """Of 64 MiB that a client does not read, the edge takes a small part, and gives all of it when the client reads on."""
    size = 64 * MEBIBYTE
    sent: list[int] = []

    def counted(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(64):
            conversation.send(b"x" * MEBIBYTE)
            sent.append(MEBIBYTE)
        return True

    edge.bank.reply = counted
    before = _memory(edge)
    with edge.connect(edge.qwac) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(1.5)
        assert sum(sent) < 24 * MEBIBYTE
        assert _memory(edge) - before < 24 * MEBIBYTE
        assert len(read_answer(connection).body) == size


def test_a_large_upload_is_streamed_both_framings(edge: EdgeUnderTest) -> None:
    """The server gets every byte, and the framing that the client chose."""
    body = b"0123456789abcdef" * (8 * MEBIBYTE // 16)
    received: list[str] = []

    def digest(request: Received, conversation: Conversation) -> bool:
        conversation.read_body(request)
        received.append(hashlib.sha256(request.body).hexdigest())
        conversation.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        return True

    edge.bank.reply = digest
    assert edge.get("/v1/consents", certificate=edge.qwac, method="POST", body=body).status == 201
    chunks = b"".join(b"%x\r\n" % 65536 + body[at : at + 65536] + b"\r\n" for at in range(0, len(body), 65536))
    with edge.connect(edge.qwac) as connection:
        connection.sendall(
            b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        )
        assert read_answer(connection).status == 201
    assert received == [hashlib.sha256(body).hexdigest()] * 2


def test_a_server_that_takes_no_upload_holds_the_client_back(edge: EdgeUnderTest) -> None:
    """Of 60 MiB that the server does not read, the edge takes a small part."""
    released = threading.Event()

    def takes_nothing(_request: Received, _conversation: Conversation) -> bool:
        released.wait(120)
        return False

    edge.bank.reply = takes_nothing
    before = _memory(edge)
    try:
        with edge.connect(edge.qwac) as connection:
            connection.sendall(b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (60 * MEBIBYTE))
            connection.settimeout(1)
            sent = 0
            with suppress(TimeoutError):
                while sent < 60 * MEBIBYTE:
                    sent += connection.send(b"x" * 65536)
            assert sent < 24 * MEBIBYTE
            assert _memory(edge) - before < 24 * MEBIBYTE
    finally:
        released.set()


@pytest.mark.parametrize("framing", [b"Content-Length: 60000", b"Transfer-Encoding: chunked"])
def test_clients_that_send_slowly_hold_up_no_server(edge: EdgeUnderTest, framing: bytes) -> None:
    """Twice as many as there are connections to it: others get their answers, and it has heard of none of the slow."""
    seen = len(edge.bank.received)
    begun = b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n1000\r\n" + b"a" * 100
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(edge.connect(edge.qwac)).sendall(begun)
        time.sleep(0.3)
        assert edge.get(PATH, certificate=edge.qwac).status == 200
        assert len(edge.bank.received) == seen + 1


def test_an_early_refusal_of_an_upload_is_passed_on(edge: EdgeUnderTest) -> None:
    """The server answers before it has read: the client gets that answer."""

    def refuses(_request: Received, conversation: Conversation) -> bool:
        conversation.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        time.sleep(0.5)
        return False

    edge.bank.reply = refuses
    answer = edge.get("/v1/consents", certificate=edge.qwac, method="POST", body=b"x" * 500_000)
    assert (answer.status, answer.body) == (403, b"no")


def test_a_client_that_leaves_ends_its_exchange(edge: EdgeUnderTest) -> None:
    """The server's connection is closed, the request recorded as aborted."""
    released = threading.Event()
    edge.bank.reply = held(released, b"k", begun=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
    try:
        with edge.connect(edge.qwac) as connection:
            connection.sendall(b"GET /v1/consents/left HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: "/left " in edge.bank.received[-1].line, seconds=30, what="the request at the bank")
        wait_until(lambda: bool(edge.records(path="/v1/consents/left", outcome="aborted")), seconds=30, what="the record")
    finally:
        released.set()


def test_interim_answers_are_passed_over(edge: EdgeUnderTest) -> None:
    """1xx of the server are between it and the edge."""
    edge.bank.reply = raw(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = edge.get(PATH, certificate=edge.qwac)
    assert (answer.status, answer.body, "link" in answer.headers) == (200, b"ok", False)


def test_the_servers_hop_by_hop_headers_stay_here(edge: EdgeUnderTest) -> None:
    """And its own name does; everything else passes."""
    edge.bank.reply = raw(
        b"HTTP/1.1 200 OK\r\nServer: inner/1.0\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, x-inner\r\nX-Inner: 1\r\n"
        b"X-Sandbox-Request: forged\r\nX-Request-ID: r-1\r\nContent-Length: 2\r\n\r\nok"
    )
    headers = edge.get(PATH, certificate=edge.qwac).headers
    assert headers["server"] == "gateway"
    assert not headers.keys() & {"keep-alive", "x-inner"}
    assert headers["x-request-id"] == "r-1"
    assert len(headers["x-sandbox-request"]) == 36


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(edge: EdgeUnderTest, status: int) -> None:
    """They need no framing, and the connection goes on."""
    edge.bank.reply = raw(b"HTTP/1.1 %d X\r\n\r\n" % status)
    with edge.connect(edge.qwac) as connection:
        for _ in range(2):
            answer = edge.over(connection, PATH)
            assert (answer.status, answer.body) == (status, b"")


def _memory(edge: EdgeUnderTest) -> int:
    """Return the resident bytes of the worker."""
    (worker,) = edge.workers()
    for line in open(f"/proc/{worker}/status"):  # noqa: PTH123, SIM115
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError
