"""What the edge takes for a request: strict framing, plain paths, limits on everything."""

from __future__ import annotations

import select
import ssl
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from gateway.config import GatewaySettings
from tests.support.edge import TIMEOUT_SECONDS, EdgeUnderTest, read_answer, running_edge
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, slowly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GET = b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge"), MAX_BODY_BYTES="100000", HELD_BODY_BYTES="1048576") as running:
        yield running


# --- framing (RFC 9112 §11.2) ---

MALFORMED = {
    "bare LF after the request line": b"GET /v1/consents/1 HTTP/1.1\nHost: localhost\r\n\r\n",
    "bare LF after a header": GET + b"A: b\nC: d\r\n\r\n",
    "bare LF at the end": GET + b"\n",
    "bare CR": GET + b"A: b\rC: d\r\n\r\n",
    "folded header": GET + b"A: b\r\n c\r\n\r\n",
    "folded first header": b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "space before the colon": GET + b"A : b\r\n\r\n",
    "no name": GET + b": b\r\n\r\n",
    "NUL in a value": GET + b"A: \x00\r\n\r\n",
    "empty line first": b"\r\n" + GET + b"\r\n",
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "twice the same length": POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
    "a list of lengths": POST + b"Content-Length: 5, 5\r\n\r\n12345",
    "a signed length": POST + b"Content-Length: +5\r\n\r\n12345",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\n12345",
    "an empty length": POST + b"Content-Length:\r\n\r\n",
    "an endless length": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "another coding": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an obfuscated coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding after chunked": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no Host": b"GET /v1/consents/1 HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: other\r\n\r\n",
    "two Authorizations": GET + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "an absolute target": b"GET https://localhost/v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "CONNECT": b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an asterisk": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path that is not ASCII": b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2": b"GET /v1/consents/1 HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /v1/consents/1\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_could_be_read_in_two_ways_is_refused_before_anything_is_forwarded(edge: EdgeUnderTest, data: bytes) -> None:
    """400, recorded, and the connection ends: nothing after it is taken for a request."""
    seen = len(edge.bank.received)
    with edge.connect(edge.qwac) as connection:
        connection.sendall(data + b"GET /v1/consents/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = read_answer(connection)
        assert (answer.status, answer.reason) == (400, "http.malformed")
        assert answer.headers["connection"] == "close"
        assert connection.recv(1) == b""
    assert edge.record_of(answer)["reason"] == "http.malformed"
    assert len(edge.bank.received) == seen


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\n12345\r\n0\r\n\r\n",
        b"5\r\n12345\n0\r\n\r\n",
        b"0x5\r\n12345\r\n0\r\n\r\n",
        b"-5\r\n12345\r\n0\r\n\r\n",
        b"5;a=b\n\r\n12345\r\n0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pause_seconds", [0, 0.2], ids=["at once", "later"])
def test_malformed_chunks_are_refused(edge: EdgeUnderTest, chunks: bytes, pause_seconds: float) -> None:
    """With the head, or when the request is on its way already: 400, and the internal server never sees it whole."""
    seen = len(edge.records(reason="http.malformed"))
    with edge.connect(edge.qwac) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        time.sleep(pause_seconds)
        connection.sendall(chunks)
        answer = read_answer(connection)
    assert (answer.status, answer.reason) == (400, "http.malformed")
    wait_until(lambda: len(edge.records(reason="http.malformed")) == seen + 1, seconds=30, what="the record")


PATHS = [
    "/v1/accounts/../consents",
    "/v1/./accounts",
    "/v1/..",
    "/v1/%2e%2e/accounts",
    "/v1/%2E./accounts",
    "/v1//accounts",
    "//v1/accounts",
    "/v1/accounts;x=1",
    "/v1/accounts%3bx",
    "/v1/consents%2f1",
    "/v1/consents%2F1",
    "/v1\\accounts",
    "/v1/%5caccounts",
    "/v1/accounts%00",
    "/v1/accounts%0d%0aX:1",
    "/v1/%61ccounts",
    "/v1/accounts%252e",
    "/v1/accounts%",
    "/v1/accounts%zz",
    "/v1/accounts#x",
    "/v1/accounts?a=b#c",
    "/v1/accounts?a=%",
    '/v1/accounts?a="b"',
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_could_mean_two_things_is_refused(edge: EdgeUnderTest, path: str) -> None:
    """400 before routing, on the browser listeners as well."""
    for port in (edge.ports.edge, edge.ports.portal):
        answer = edge.get(path, certificate=edge.qwac, port=port)
        assert (answer.status, answer.reason) in {(400, "http.target"), (400, "http.malformed")}


def test_pipelined_requests_are_served_in_order(edge: EdgeUnderTest) -> None:
    """Three requests in one write get three answers (RFC 9112 §9.3.2)."""
    last = GET.replace(b"/1 ", b"/3 ") + b"Connection: close\r\n\r\n"
    with edge.connect(edge.qwac) as connection:
        connection.sendall(GET + b"\r\n" + POST + b"Content-Length: 2\r\n\r\n{}" + last)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    lines = [part.split(b'"')[0] for part in answers.split(b'"line": "')[1:]]
    assert lines == [b"GET /v1/consents/1 HTTP/1.1", b"POST /v1/consents HTTP/1.1", b"GET /v1/consents/3 HTTP/1.1"]


@pytest.mark.parametrize("waits", [False, True], ids=["with the head", "when it is asked for"])
def test_a_body_is_forwarded_whenever_it_arrives(edge: EdgeUnderTest, *, waits: bool) -> None:
    """The connection goes on with the next one (RFC 9110 §10.1.1)."""
    request = POST + b"Content-Length: 9\r\n" + (b"Expect: 100-continue\r\n\r\n" if waits else b"\r\n")
    with edge.connect(edge.qwac) as connection:
        for body in (b'{"a": 11}', b'{"a": 22}'):
            connection.sendall(request if waits else request + body)
            if waits:
                assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
                connection.sendall(body)
            assert read_answer(connection).json["body"] == body.decode()


def test_what_follows_a_chunked_body_at_once_is_not_taken_for_a_request(edge: EdgeUnderTest) -> None:
    """The connection ends instead: a client has to send it again, and nothing is guessed."""
    with edge.connect(edge.qwac) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + GET + b"\r\n")
        assert read_answer(connection).json["body"] == "{}"
        connection.settimeout(GatewaySettings().idle_seconds - 1)  # then it would end whatever had been sent
        assert connection.recv(1) == b""


# --- limits ---


def test_too_large_a_head_is_refused(edge: EdgeUnderTest) -> None:
    """431, in one header or in many, before the head has even ended."""
    for head in (GET + b"A: " + b"x" * 40_000, GET + b"".join(b"A%d: b\r\n" % number for number in range(200)) + b"\r\n"):
        answer = edge.say(head)
        assert (answer.status, answer.reason) == (431, "http.head_too_large")


def test_too_large_a_body_is_refused(edge: EdgeUnderTest) -> None:
    """413 by its announced length, and by its chunks; the client can read the answer while it still sends."""
    announced = edge.get("/v1/consents", certificate=edge.qwac, method="POST", body=b"x" * 100_001)
    assert (announced.status, announced.reason) == (413, "http.body_too_large")
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    chunked = edge.say(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 11 + b"0\r\n\r\n")
    assert (chunked.status, chunked.reason) == (413, "http.body_too_large")


def test_large_bodies_that_do_not_end_fill_no_memory(edge: EdgeUnderTest) -> None:
    """They are held until they are whole: of one TPP up to its share, and what is small is taken all the same."""
    large = POST + b"Content-Length: 100000\r\n\r\n" + b"x" * 99_999
    with ExitStack() as stack:
        connections = [stack.enter_context(edge.connect(edge.qwac)) for _ in range(2 * len(edge.workers()) + 1)]
        for each in connections:
            each.sendall(large)
        wait_until(lambda: bool(edge.records(status=503, reason="http.bodies_held")), seconds=TIMEOUT_SECONDS, what="a refusal")
        assert edge.get("/v1/consents", certificate=edge.qwac, method="POST", body=b"x" * 10_000).status == 200


def test_who_sends_what_will_not_be_read_is_told_that_the_connection_ends(edge: EdgeUnderTest) -> None:
    """Or its next request over it would be lost (RFC 9112 §9.6)."""
    too_long = edge.say(POST + b"Content-Length: 50000000\r\n\r\n")
    with edge.connect() as stranger:
        stranger.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        not_asked_for = read_answer(stranger)

    assert (too_long.reason, too_long.headers["connection"]) == ("http.body_too_large", "close")
    assert (not_asked_for.reason, not_asked_for.headers["connection"]) == ("mtls.missing", "close")


def test_a_refused_upload_can_read_its_refusal_and_go_on(edge: EdgeUnderTest) -> None:
    """What is left of its body is taken and thrown away; the connection serves the next request."""
    with edge.connect() as connection:
        for _ in range(20):
            answer = edge.over(connection, "/v1/consents", method="POST", body=b"x" * 90_000)
            assert answer.reason == "mtls.missing"


def exchanged(connection: ssl.SSLSocket, payload: bytes, *, done: Callable[[bytes], bool]) -> bytes:
    """Send while receiving, in one thread: two may not use one TLS connection at the same time."""
    connection.settimeout(0)
    left, answers = memoryview(payload), b""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not done(answers):
        assert time.monotonic() < deadline, answers[-200:]
        if left:
            with suppress(ssl.SSLWantWriteError, ssl.SSLWantReadError):
                left = left[connection.send(left[:16384]) :]
        with suppress(ssl.SSLWantReadError):
            data = connection.recv(65536)
            assert data, answers[-200:]
            answers += data
            continue
        select.select([connection], [connection] if left else [], [], 0.05)
    return answers


def test_large_pipelined_requests_wait_their_turn(edge: EdgeUnderTest) -> None:
    """Ten requests of 90 kB in one go, while the bank is slow: all are served, and little is held meanwhile."""
    edge.bank.reply = slowly([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], seconds=0.05)
    upload = POST + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000
    try:
        with edge.connect(edge.qwac) as connection:
            answers = exchanged(connection, upload * 10, done=lambda answers: answers.count(b"\r\n\r\nok") == 10)
        assert answers.count(b"HTTP/1.1 200 OK") == 10
    finally:
        edge.bank.reply = echo


def test_expect_continue_is_answered_only_to_who_may_pass(edge: EdgeUnderTest) -> None:
    """A refused client is not asked for its body (RFC 9110 §10.1.1)."""
    head = POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with edge.connect() as refused:
        refused.sendall(head)
        assert read_answer(refused).status == 401
    with edge.connect(edge.qwac) as admitted:
        admitted.sendall(head)
        assert admitted.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        admitted.sendall(b"{}")
        assert read_answer(admitted).json["body"] == "{}"
