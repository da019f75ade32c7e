"""What a connection to a server waits for and for how long, and when it may serve the next exchange."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.edge.deadlines import NEVER, Deadlines
from gateway.edge.upstream.connection import UpstreamConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LONG = 300_000
INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\n"
PART = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthe begin"


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_read = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def abort(self) -> None:
        self.is_read = False


def with_reply(size: int, check: Callable[[UpstreamConnection, Wire], None]) -> None:
    """Have a connection asked once, and its reply of that size arrive whole."""

    async def run() -> None:
        wire, connection = Wire(), UpstreamConnection(Deadlines(every_seconds=1), head_seconds=30, stall_seconds=30)
        connection.connection_made(wire)
        connection.begin(is_head_request=False)
        connection.write(b"GET / HTTP/1.1\r\n\r\n", last=True)
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"y" * size)
        assert connection.has_all
        check(connection, wire)

    asyncio.run(run())


def test_a_long_reply_is_taken_and_the_connection_goes_on() -> None:
    """Reading rests until then."""

    def check(connection: UpstreamConnection, wire: Wire) -> None:
        assert not wire.is_read
        assert len(connection.take()) == LONG
        assert wire.is_read
        assert connection.is_reusable

    with_reply(LONG, check)


def test_what_nobody_has_taken_of_a_long_reply_ends_the_connection() -> None:
    """Its client has left, or was too slow: the next exchange would wait for an answer that nobody reads."""

    def check(connection: UpstreamConnection, wire: Wire) -> None:
        assert not wire.is_read
        assert not connection.is_reusable

    with_reply(LONG, check)


def test_what_nobody_has_taken_of_a_short_reply_does_not() -> None:
    """All of it is here, and reading goes on."""

    def check(connection: UpstreamConnection, wire: Wire) -> None:
        assert wire.is_read
        assert connection.is_reusable

    with_reply(100, check)


def during_exchange(check: Callable[[UpstreamConnection, Wire], Awaitable[None]]) -> None:
    """Have an exchange begun over a connection, of which nothing is written yet."""

    async def run() -> None:
        wire, connection = Wire(), UpstreamConnection(Deadlines(every_seconds=1), head_seconds=30, stall_seconds=30)
        connection.connection_made(wire)
        connection.begin(is_head_request=False)
        await check(connection, wire)

    asyncio.run(run())


async def waiting_for_room(connection: UpstreamConnection) -> asyncio.Task[None]:
    connection.pause_writing()
    task = asyncio.get_running_loop().create_task(connection.drain())
    await asyncio.sleep(0)
    return task


@pytest.mark.parametrize("begun", [INTERIM, PART], ids=["an interim reply", "a part of the reply"])
def test_a_reply_that_began_before_the_request_was_whole_has_a_deadline(begun: bytes) -> None:
    """Also where the server took the request slowly in between: it may fall silent all the same."""

    async def check(connection: UpstreamConnection, _wire: Wire) -> None:
        connection.write(b"POST / HTTP/1.1\r\n\r\n", last=False)
        waiting = await waiting_for_room(connection)
        connection.data_received(begun)
        connection.resume_writing()
        await waiting
        connection.write(b"the rest", last=True)
        assert connection.due_at < NEVER

    during_exchange(check)


def test_a_server_that_has_begun_its_reply_waits_for_the_request_without_a_deadline() -> None:
    """The client sets the pace of its body: the server is not to blame, and others go on using it."""

    async def check(connection: UpstreamConnection, _wire: Wire) -> None:
        connection.write(b"POST / HTTP/1.1\r\n\r\n", last=False)
        connection.data_received(INTERIM)
        assert connection.due_at == NEVER

    during_exchange(check)


def test_a_server_that_takes_nothing_of_the_request_has_a_deadline_whatever_it_says() -> None:
    """What arrives meanwhile makes no room."""

    async def check(connection: UpstreamConnection, _wire: Wire) -> None:
        connection.write(b"POST / HTTP/1.1\r\n\r\n", last=False)
        waiting = await waiting_for_room(connection)
        connection.data_received(INTERIM)
        assert connection.due_at < NEVER
        connection.resume_writing()
        await waiting
        assert connection.due_at == NEVER

    during_exchange(check)


def test_a_reply_that_nobody_takes_has_no_deadline_until_it_is_read_again() -> None:
    """The client is slow, not the server."""

    async def check(connection: UpstreamConnection, _wire: Wire) -> None:
        connection.write(b"GET / HTTP/1.1\r\n\r\n", last=True)
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"y" * LONG)
        assert connection.due_at == NEVER
        connection.take()
        assert connection.due_at < NEVER

    during_exchange(check)


def test_a_server_that_answers_without_taking_the_request_serves_no_other() -> None:
    """The next one would wait behind what it does not read."""

    async def check(connection: UpstreamConnection, _wire: Wire) -> None:
        connection.pause_writing()
        connection.write(b"POST / HTTP/1.1\r\n\r\n", last=True)
        connection.data_received(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        assert connection.has_all
        assert not connection.is_reusable

    during_exchange(check)
