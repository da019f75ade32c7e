"""How long the edge waits for a client: for its handshake, head and body, for its next request, for it to take an answer."""

from __future__ import annotations

import select
import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import EdgeUnderTest, read_answer, running_edge
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

# Short, yet longer than a machine stands still at a time; a quicker end of a silent connection is the head's, not idleness.
HEAD_SECONDS, BODY_SECONDS, IDLE_SECONDS, STALL_SECONDS, HANDSHAKE_SECONDS = 4.0, 4.0, 14.0, 4.0, 8.0
GET = b"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend one edge with short deadlines to all tests of this file."""
    settings = {
        "HEAD_SECONDS": str(HEAD_SECONDS),
        "BODY_SECONDS": str(BODY_SECONDS),
        "IDLE_SECONDS": str(IDLE_SECONDS),
        "STALL_SECONDS": str(STALL_SECONDS),
        "HANDSHAKE_SECONDS": str(HANDSHAKE_SECONDS),
    }
    with running_edge(tmp_path_factory.mktemp("edge"), **settings) as running:
        yield running


def test_a_handshake_that_does_not_go_on_is_ended(edge: EdgeUnderTest) -> None:
    """And recorded."""
    with socket.create_connection(("127.0.0.1", edge.ports.edge), timeout=30) as connection:
        connection.sendall(b"\x16")
        assert connection.recv(1) == b""
    wait_until(lambda: bool(edge.records(kind="handshake", reason="tls.timeout")), seconds=30, what="the record")


@pytest.mark.parametrize("drip", [b"", b"x"], ids=["silent", "dripping"])
@pytest.mark.parametrize("requests_before", [0, 1])
def test_a_head_that_does_not_end_is_refused(edge: EdgeUnderTest, drip: bytes, requests_before: int) -> None:
    """408, also where a byte comes now and then, on a new connection and on a used one."""
    with edge.connect(edge.qwac) as connection:
        for _ in range(requests_before):
            assert edge.over(connection).status == 200
        connection.sendall(GET)
        began = time.monotonic()
        while not select.select([connection], [], [], 0.05)[0]:
            connection.sendall(drip)
            assert time.monotonic() - began < HEAD_SECONDS + 20
        answer = read_answer(connection)
    assert (answer.status, answer.reason) == (408, "http.too_slow")


def test_a_connection_without_a_request_is_closed(edge: EdgeUnderTest) -> None:
    """Before its first request after the head's time, between two after the idle time."""
    with edge.connect(edge.qwac) as silent:
        began = time.monotonic()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < IDLE_SECONDS
    with edge.connect(edge.qwac) as idle:
        assert edge.over(idle).status == 200
        began = time.monotonic()
        assert idle.recv(1) == b""
        assert time.monotonic() - began > IDLE_SECONDS - HEAD_SECONDS


def test_a_body_that_does_not_end_is_refused(edge: EdgeUnderTest) -> None:
    """408, and the internal server's connection is not left half-way through a request for the next."""
    answer = edge.say(POST + b"Content-Length: 10\r\n\r\n{")
    assert (answer.status, answer.reason) == (408, "http.too_slow")
    assert edge.get(certificate=edge.qwac).status == 200


def test_a_client_that_takes_no_answer_is_parted_with(edge: EdgeUnderTest) -> None:
    """Its connection is broken off, and its request recorded."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 30000000\r\n\r\n" + b"x" * 30_000_000)
    try:
        with edge.connect(edge.qwac) as connection:
            connection.sendall(GET.replace(b"/1 ", b"/never-read ") + b"\r\n")
            wait_until(
                lambda: bool(edge.records(path="/v1/consents/never-read", outcome="aborted")),
                seconds=STALL_SECONDS + 30,
                what="the end of the connection",
            )
    finally:
        edge.bank.reply = echo
