"""A client's connection on a transport of our own making: what it holds, and when it lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config import GatewaySettings
from gateway.edge.deadlines import NEVER
from gateway.edge.http1.protocol import EdgeProtocol
from gateway.policies.model import Listener
from tests.support.edge_protocol import Edge, Host, Transport, answer, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.edge.client import Arrival, Client

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SETTINGS = GatewaySettings(max_head_bytes=4096)


async def wait_for_ever(_arrival: Arrival, _client: Client) -> None:
    await asyncio.Event().wait()


class Later:
    """A loop's time when all deadlines are over."""

    def time(self) -> float:
        return asyncio.get_running_loop().time() + 1_000


def run(test: Callable[[EdgeProtocol, Transport, Host], Awaitable[None]], serve: Any = answer) -> None:
    async def main() -> None:
        host = Host(Edge(serve))
        protocol, transport = EdgeProtocol(host, Listener.WELCOME, SETTINGS), Transport()
        protocol.connection_made(transport)
        await test(protocol, transport, host)
        protocol.connection_lost(None)
        await settled()

    asyncio.run(main())


def test_requests_are_answered_in_turn() -> None:
    """The second waits for the first, in the same bytes or not."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET + GET)
        protocol.data_received(GET)
        await settled()
        await settled()
        assert transport.written.count(b"HTTP/1.1 200 OK") == 3
        assert transport.end == ""

    run(test)


def test_of_requests_to_come_little_is_held() -> None:
    """While one is served, reading stops behind a head's worth of the next."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET)
        protocol.data_received(b"x" * 4_000)
        assert not transport.is_paused
        protocol.data_received(b"x" * 100)
        assert transport.is_paused

    run(test, wait_for_ever)


def test_of_requests_to_come_no_more_is_held_for_each_that_is_answered() -> None:
    """A client that sends without reading would otherwise have as much again kept for each short request of its."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET)
        protocol.data_received(GET * 400)
        for _ in range(100):
            await settled()
            if protocol._parser.holds_enough:
                assert transport.is_paused
        assert transport.written.count(b"HTTP/1.1 200 OK") > 100

    run(test)


def test_once_little_is_held_of_requests_to_come_reading_goes_on() -> None:
    """All of them are answered in the end."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET)
        protocol.data_received(GET * 400)
        for _ in range(500):
            await settled()
        assert transport.written.count(b"HTTP/1.1 200 OK") == 401
        assert not transport.is_paused

    run(test)


def test_a_body_that_is_read_does_not_let_in_more_of_requests_to_come() -> None:
    """What has come behind it is enough."""

    async def read_it(_arrival: Arrival, client: Client) -> None:
        assert await client.read() == b"x"
        await asyncio.Event().wait()

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx" + GET * 400)
        await settled()
        assert transport.is_paused

    run(test, read_it)


def test_of_a_body_that_nobody_reads_little_is_held() -> None:
    """Reading stops until the exchange takes it."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        protocol.data_received(b"x" * 300_000)
        assert transport.is_paused

    run(test, wait_for_ever)


def test_a_body_that_is_read_lets_reading_go_on() -> None:
    """And no further."""

    async def read_once(_arrival: Arrival, client: Client) -> None:
        await asyncio.sleep(0)
        assert len(await client.read()) == 300_000
        await asyncio.Event().wait()

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + b"x" * 300_000)
        assert transport.is_paused
        await settled()
        assert not transport.is_paused

    run(test, read_once)


def test_a_client_that_leaves_ends_its_exchange_and_is_counted_no_more() -> None:
    """Even where it leaves at once: the exchange begins, so that there is a record of it."""
    seen: list[str] = []

    async def note(_arrival: Arrival, _client: Client) -> None:
        seen.append("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def test(protocol: EdgeProtocol, _transport: Transport, host: Host) -> None:
        protocol.data_received(GET)
        protocol.connection_lost(None)
        await settled()
        assert seen == ["begun", "cancelled"]
        assert not host.connections

    run(test, note)


def test_a_connection_that_has_ended_holds_its_tls_no_more() -> None:
    """The protocol itself is part of a circle, and stays until garbage is looked for."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.connection_lost(None)
        assert transport not in vars(protocol).values()

    run(test)


@pytest.mark.parametrize("takes_some", [False, True], ids=["nothing", "some"])
def test_a_client_that_does_not_take_the_last_of_its_answer_is_parted_with(takes_some: bool) -> None:  # noqa: FBT001
    """A closed connection waits until what was written has gone out: such a client would keep its place for ever."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await settled()
        assert transport.end == "closed"
        if takes_some:
            protocol.pause_writing()
            protocol.resume_writing()
        assert protocol.due_at < NEVER
        protocol._loop = Later()  # type: ignore[assignment]
        protocol.overdue()
        assert transport.end == "aborted"

    run(test)


def test_a_half_head_is_answered_and_recorded_once() -> None:
    """Also on a connection that its certificate has doomed, as long as that answer takes to go out."""

    async def test(protocol: EdgeProtocol, transport: Transport, host: Host) -> None:
        protocol.data_received(GET[:-2])
        protocol.doom(grace_seconds=-1)
        protocol.overdue()
        protocol.overdue()
        assert host.edge.refused == ["http.too_slow"]
        assert transport.end == "closed"

    run(test)


def test_an_answer_that_was_not_finished_breaks_the_connection_off() -> None:
    """The client must not take the next answer for its rest."""

    async def half(_arrival: Arrival, client: Client) -> None:
        client.start(200, [(b"content-length", b"5")])
        client.write(b"ok", last=False)

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET)
        await settled()
        assert transport.end == "aborted"

    run(test, half)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_exchange_that_fails_breaks_the_connection_off() -> None:
    """As when its record could not be written: nothing goes unrecorded."""

    async def fail(_arrival: Arrival, _client: Client) -> None:
        raise OSError("no space left on device")

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        protocol.data_received(GET)
        await settled()
        assert (transport.end, transport.written) == ("aborted", b"")

    run(test, fail)


def test_a_connection_without_room_is_ended_before_it_is_read() -> None:
    """On the plain listener; behind TLS the handshake has seen to it."""

    async def test(_protocol: EdgeProtocol, _transport: Transport, host: Host) -> None:
        second, third = Transport(), Transport()
        EdgeProtocol(host, Listener.WELCOME, SETTINGS).connection_made(second)
        EdgeProtocol(host, Listener.WELCOME, SETTINGS).connection_made(third)
        assert (second.end, third.end) == ("", "aborted")

    run(test)


def test_a_stopping_worker_closes_after_the_present_answer_and_says_so() -> None:
    """Connection: close."""

    async def test(protocol: EdgeProtocol, transport: Transport, host: Host) -> None:
        host.is_stopping = True
        protocol.data_received(GET)
        await settled()
        assert b"connection: close\r\n" in transport.written
        assert transport.end == "closed"

    run(test)


def test_deadlines_are_those_of_the_phase() -> None:
    """A head's, none while an answer is made, the idle one after it."""

    async def test(protocol: EdgeProtocol, _transport: Transport, _host: Host) -> None:
        now = asyncio.get_running_loop().time()
        assert protocol.due_at - now == pytest.approx(SETTINGS.head_seconds, abs=1)
        protocol.data_received(GET)
        assert protocol.due_at == NEVER
        await settled()
        assert protocol.due_at - now == pytest.approx(SETTINGS.idle_seconds, abs=1)
        protocol.data_received(GET[:5])
        assert protocol.due_at - now == pytest.approx(SETTINGS.head_seconds, abs=1)

    run(test)


def test_a_doomed_connection_has_its_grace_and_no_more() -> None:
    """Idle it is closed, serving it is broken off."""

    async def test(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.doom(grace_seconds=0)
        protocol.overdue()
        assert transport.end == "closed"

    async def while_serving(protocol: EdgeProtocol, transport: Transport, _host: Host) -> None:
        protocol.data_received(GET)
        protocol.doom(grace_seconds=0)
        protocol.overdue()
        assert transport.end == "aborted"

    run(test)
    run(while_serving, wait_for_ever)
