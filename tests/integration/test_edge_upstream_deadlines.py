"""How long the edge waits for the servers behind it: for an answer to begin, to go on, and for an upload to be taken."""

from __future__ import annotations

import http.client
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.ports import wait_until
from tests.support.scripted_upstream import Conversation, Received, echo, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEBIBYTE = 1024 * 1024
PATH = "/v1/consents/1"
# Every server of this file says too little, too late: however slow the machine is, nothing else can come of it.
DEADLINE_SECONDS = "2"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Start one edge that soon gives up."""
    settings = {"UPSTREAM_HEAD_SECONDS": DEADLINE_SECONDS, "UPSTREAM_STALL_SECONDS": DEADLINE_SECONDS}
    with running_edge(tmp_path_factory.mktemp("edge"), EDGE_WORKERS="1", MAX_BODY_BYTES=str(64 * MEBIBYTE), **settings) as edge:
        yield edge


@pytest.fixture
def silence(running: EdgeUnderTest) -> Iterator[Callable[[Received, Conversation], bool]]:
    """Lend a reply that says nothing and reads nothing until the test has ended."""
    ended = threading.Event()

    def wait(_request: Received, _conversation: Conversation) -> bool:
        ended.wait(120)
        return False

    yield wait
    ended.set()
    running.bank.reply = echo
    running.bank.cut()


@pytest.fixture
def edge(running: EdgeUnderTest, silence: Callable[[Received, Conversation], bool]) -> EdgeUnderTest:
    """Lend the edge before a bank that does not answer."""
    running.bank.reply = silence
    return running


def refused(edge: EdgeUnderTest) -> tuple[int, str]:
    answer = edge.get(PATH, certificate=edge.qwac)
    assert edge.record_of(answer)["outcome"] == "failed"
    return answer.status, answer.reason


def test_a_server_that_does_not_answer(edge: EdgeUnderTest) -> None:
    """504 after the deadline: the server says nothing until the test has ended."""
    assert refused(edge) == (504, "upstream.timeout")


def test_a_server_that_stops_half_way_through_its_head(edge: EdgeUnderTest) -> None:
    """504: the first bytes buy it no more than the next deadline."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Le")
    assert refused(edge) == (504, "upstream.timeout")


def test_a_reply_that_stalls_is_broken_off(edge: EdgeUnderTest) -> None:
    """After the time between two pieces. What has begun can't become a 504; on a machine that stood still, nothing had."""
    edge.bank.reply = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello")
    with pytest.raises((http.client.HTTPException, OSError)):
        edge.get(PATH, certificate=edge.qwac)
    wait_until(
        lambda: bool(edge.records(outcome="failed", reason="upstream.timeout", status=200)), seconds=30, what="the record"
    )


def test_a_server_that_takes_no_upload_is_given_up(edge: EdgeUnderTest) -> None:
    """More than all buffers between the client and the server hold."""
    with edge.connect(edge.qwac) as connection, suppress(OSError):
        connection.sendall(b"POST /v1/consents HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (60 * MEBIBYTE))
        connection.sendall(b"x" * 60 * MEBIBYTE)
    wait_until(lambda: bool(edge.records(method="POST", reason="upstream.timeout")), seconds=30, what="the record")
