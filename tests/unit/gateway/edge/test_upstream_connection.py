"""When a connection to a server may serve the next exchange."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.edge.deadlines import Deadlines
from gateway.edge.upstream.connection import UpstreamConnection

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 300_000


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
