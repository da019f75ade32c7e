"""A client's connection over HTTP/2 on a transport of our own making: what it holds, what it bounds, when it lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from h2 import events
from h2.settings import SettingCodes

from gateway.config import GatewaySettings
from gateway.edge.client import Arrival, Client, ClientGone
from gateway.edge.http2.protocol import Http2Protocol
from gateway.policies.model import Listener
from tests.support.http2 import frame, head, plain_client
from tests.unit.gateway.edge.test_protocol import Edge, Host, Transport, answer, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from h2.connection import H2Connection

SETTINGS = GatewaySettings(max_head_bytes=4096, max_header_count=20)
CALM, PROTOCOL_ERROR, FRAME_SIZE_ERROR, REFUSED = 11, 1, 6, 7


class Peer:
    """The client at the other end, and all that is around the connection."""

    def __init__(self, serve: Any) -> None:
        self.host = Host(Edge(serve))
        self.protocol = Http2Protocol(self.host, Listener.EDGE, SETTINGS)  # type: ignore[arg-type] # counts without looking
        self.transport = Transport()
        self.client: H2Connection = plain_client()
        self.heard: list[events.Event] = []
        self.protocol.connection_made(self.transport)
        self.client.initiate_connection()
        self.exchange()

    def exchange(self, more: bytes = b"") -> None:
        self.protocol.data_received(self.client.data_to_send() + more)
        self.listen()

    def listen(self) -> None:
        written, self.transport.written = self.transport.written, b""
        self.heard += self.client.receive_data(written)

    async def ask(self, *, ends: bool = True, **headers: str) -> int:
        number = self.client.get_next_available_stream_id()
        self.client.send_headers(number, head("/v1/consents/1", **headers), end_stream=ends)
        self.exchange()
        await settled()
        self.listen()
        return number

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]

    @property
    def goaway(self) -> int | None:
        found = self.of(events.ConnectionTerminated)
        return int(found[0].error_code) if found else None

    @property
    def resets(self) -> dict[int, int]:
        return {event.stream_id: int(event.error_code) for event in self.of(events.StreamReset)}


def run(test: Callable[[Peer], Awaitable[None]], serve: Any = answer) -> None:
    async def main() -> None:
        peer = Peer(serve)
        await test(peer)
        peer.protocol.connection_lost(None)
        await settled()
        assert not peer.host.connections

    asyncio.run(main())


async def wait_for_ever(_arrival: Arrival, _client: Client) -> None:
    await asyncio.Event().wait()


async def read_all(_arrival: Arrival, client: Client) -> None:
    while not client.body_has_ended:
        await client.read()
    await answer(_arrival, client)


def test_requests_are_answered_beside_one_another() -> None:
    """The connection stays."""

    async def test(peer: Peer) -> None:
        for _ in range(3):
            await peer.ask()
        assert [event.stream_id for event in peer.of(events.StreamEnded)] == [1, 3, 5]
        assert peer.protocol.is_idle
        assert not peer.transport.end

    run(test)


# --- floods ---


@pytest.mark.parametrize(
    "flood",
    [
        frame(0x6, b"12345678"),
        frame(0x4),
        frame(0x8, b"\0\0\0\1"),
        frame(0x2, b"\0\0\0\0\1", stream=1),
        frame(0xBE),
        frame(0x0, stream=1),
        frame(0x0, b"\x05" + b"\0" * 5, flags=0x8, stream=1),
    ],
    ids=["PING", "SETTINGS", "WINDOW_UPDATE", "PRIORITY", "unknown", "empty DATA", "padding"],
)
def test_frames_that_ask_for_nothing_are_taken_so_far(flood: bytes) -> None:
    """A few are; a flood ends the connection, with a record."""

    async def test(peer: Peer) -> None:
        await peer.ask(ends=False)
        peer.exchange(flood * 50)
        assert peer.goaway is None
        peer.exchange(flood * 1_000)
        assert (peer.goaway, peer.host.edge.refused, peer.transport.end) == (CALM, ["http.flood"], "closed")

    run(test, read_all)


def test_streams_that_are_opened_and_reset_are_taken_so_far() -> None:
    """CVE-2023-44487. What was begun is cancelled, each with its record."""
    begun: list[int] = []
    cancelled: list[int] = []

    async def serve(_arrival: Arrival, _client: Client) -> None:
        begun.append(1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def test(peer: Peer) -> None:
        for _ in range(150):
            number = peer.client.get_next_available_stream_id()
            peer.client.send_headers(number, head("/"), end_stream=True)
            peer.client.reset_stream(number)
            peer.exchange()
            await settled()
            if peer.goaway is not None:
                break
        assert peer.goaway == CALM
        assert 50 < len(begun) <= 105
        assert len(cancelled) == len(begun)

    run(test, serve)


def test_a_client_that_makes_us_reset_its_streams_pays_for_it() -> None:
    """CVE-2025-8671: a window that overflows is no way round."""

    async def test(peer: Peer) -> None:
        for _ in range(150):
            if peer.goaway is not None:
                break
            number = await peer.ask(ends=False)
            peer.exchange(frame(0x8, b"\x7f\xff\xff\xff", stream=number))
        assert peer.goaway is not None

    run(test, wait_for_ever)


@pytest.mark.parametrize("piece", [0, 1, 1_000])
def test_a_head_in_many_pieces_ends(piece: int) -> None:
    """The CONTINUATION flood: nothing of it is decoded, and little held."""

    async def test(peer: Peer) -> None:
        peer.exchange(frame(0x1, b"\x82", stream=1) + frame(0x9, b"x" * piece, stream=1) * 1_000)
        assert peer.goaway == CALM
        assert peer.host.edge.refused == ["http.flood"]

    run(test)


def test_a_head_in_few_large_pieces_ends_too() -> None:
    """What is held of a head that does not end is bounded in octets as well."""

    async def test(peer: Peer) -> None:
        piece = b"x" * 16_000
        peer.exchange(frame(0x1, piece, stream=1))
        assert peer.goaway is None
        peer.exchange(frame(0x9, piece, stream=1))
        assert peer.goaway == CALM

    run(test)


def test_a_head_that_unpacks_to_much_ends_the_connection() -> None:
    """The HPACK bomb: a few octets that name a large header again and again."""

    async def test(peer: Peer) -> None:
        await peer.ask(x="y" * 3_000)
        number = peer.client.get_next_available_stream_id()
        # The header is at index 62 at the latest ten entries on: all of these name it or another of the table.
        peer.exchange(frame(0x1, b"\xbe" * 3_000, flags=0x5, stream=number))
        assert peer.goaway == CALM

    run(test)


def test_a_head_that_is_too_large_is_answered() -> None:
    """431 on its stream; the others go on."""

    async def test(peer: Peer) -> None:
        await peer.ask(x="y" * 5_000)
        assert peer.host.edge.refused == ["http.head_too_large"]
        await peer.ask()
        assert peer.goaway is None
        assert len(peer.of(events.ResponseReceived)) == 2

    run(test)


def test_a_frame_that_is_too_long_is_not_waited_for() -> None:
    """Its header is enough."""

    async def test(peer: Peer) -> None:
        peer.exchange(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")
        assert peer.goaway == FRAME_SIZE_ERROR

    run(test)


def test_the_clients_table_is_no_larger_than_ours() -> None:
    """Whatever it says it would hold: we would search through it for every header."""

    async def test(peer: Peer) -> None:
        peer.client.decoder.max_allowed_table_size = 0x7FFFFFFF
        peer.exchange(frame(0x4, b"\x00\x01\x7f\xff\xff\xff"))
        for _ in range(3):
            await peer.ask()
        assert peer.client.decoder.header_table_size == peer.protocol._frames.encoder.header_table_size == 4_096

    run(test)


# --- streams ---


def test_more_streams_than_a_hundred_are_too_many() -> None:
    """Who opens more than we have said breaks the protocol."""

    async def test(peer: Peer) -> None:
        peer.client.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 200
        peer.client.remote_settings.acknowledge()
        for _ in range(101):
            await peer.ask()
        assert peer.goaway == PROTOCOL_ERROR

    run(test, wait_for_ever)


def test_a_malformed_request_costs_its_own_stream_alone() -> None:
    """400 and a record; the others go on."""

    async def test(peer: Peer) -> None:
        await peer.ask(connection="close", ends=False)
        await peer.ask()
        assert peer.host.edge.refused == ["http.malformed"]
        assert peer.resets == {1: 0}
        assert len(peer.of(events.ResponseReceived)) == 2

    run(test)


@pytest.mark.parametrize("data", [b"1234", b"123456"], ids=["less", "more"])
def test_a_body_that_is_not_as_long_as_it_says_is_never_whole(data: bytes) -> None:
    """The exchange ends; nothing behind it takes the rest for a request."""
    whole: list[bool] = []

    async def serve(arrival: Arrival, client: Client) -> None:
        try:
            await read_all(arrival, client)
        finally:
            whole.append(client.body_has_ended)

    async def test(peer: Peer) -> None:
        number = await peer.ask(content_length="5", ends=False)
        peer.exchange(frame(0x0, data, flags=1, stream=number))
        await settled()
        assert (peer.goaway, whole) == (PROTOCOL_ERROR, [False])

    run(test, serve)


def test_of_a_body_that_nobody_reads_little_is_held() -> None:
    """The window is not opened before it is read."""

    async def test(peer: Peer) -> None:
        number = await peer.ask(ends=False)
        sent = 0
        while (size := min(peer.client.local_flow_control_window(number), 16_384)) > 0 and sent < 2_000_000:
            peer.client.send_data(number, b"x" * size)
            peer.exchange()
            sent += size
        assert sent == 65_535

    run(test, wait_for_ever)


def test_a_body_that_is_read_lets_the_client_go_on() -> None:
    """And what a refused one has sent is given back to the connection."""

    async def test(peer: Peer) -> None:
        for _ in range(20):
            number = await peer.ask(ends=False)
            for _ in range(3):
                peer.client.send_data(number, b"x" * 16_384)
                peer.exchange()
                await settled()
                peer.listen()
            peer.client.end_stream(number)
            peer.exchange()
            await settled()
            peer.listen()
        assert len(peer.of(events.ResponseReceived)) == 20

    run(test, read_all)


def test_an_answer_waits_for_its_window_and_not_for_ever() -> None:
    """What does not fit waits; a window that stays shut has a deadline, and its stream alone ends."""
    ended: list[str] = []

    async def serve(_arrival: Arrival, client: Client) -> None:
        client.start(200, [])
        client.write(b"x" * 100_000, last=True)
        try:
            await client.drain()
        except ClientGone:
            ended.append("gone")
            raise
        ended.append("whole")

    async def test(peer: Peer) -> None:
        number = await peer.ask()
        assert sum(len(event.data) for event in peer.of(events.DataReceived)) == 65_535
        assert not ended
        stream = peer.protocol._streams[number]
        assert stream.stall_due_at < float("inf")
        stream.stall_due_at = 0
        peer.protocol.overdue()
        await settled()
        peer.listen()
        assert (ended, peer.goaway) == (["gone"], None)
        assert number in peer.resets

    run(test, serve)


# --- ends ---


def test_a_client_that_leaves_ends_its_exchanges() -> None:
    """Even one that has not begun."""
    cancelled: list[int] = []

    async def serve(_arrival: Arrival, _client: Client) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(1)
            raise

    async def test(peer: Peer) -> None:
        await peer.ask()
        number = peer.client.get_next_available_stream_id()
        peer.client.send_headers(number, head("/"), end_stream=True)
        peer.exchange()
        peer.protocol.connection_lost(None)
        await settled()
        assert len(cancelled) == 2

    run(test, serve)


def test_an_answer_that_was_not_finished_breaks_its_stream_off() -> None:
    """Not the connection."""

    async def serve(_arrival: Arrival, client: Client) -> None:
        client.start(200, [])
        client.write(b"x", last=False)

    async def test(peer: Peer) -> None:
        number = await peer.ask()
        assert (peer.resets, peer.goaway) == ({number: 2}, None)

    run(test, serve)


def test_a_stopping_worker_takes_no_more_and_says_goodbye() -> None:
    """REFUSED_STREAM: the request may be sent again elsewhere; GOAWAY when the last one is answered."""
    let_go = asyncio.Event()

    async def serve(arrival: Arrival, client: Client) -> None:
        await let_go.wait()
        await answer(arrival, client)

    async def test(peer: Peer) -> None:
        await peer.ask()
        peer.host.is_stopping = True
        refused = await peer.ask()
        assert peer.resets == {refused: REFUSED}
        let_go.set()
        await settled()
        peer.listen()
        assert (peer.goaway, peer.transport.end) == (0, "closed")

    run(test, serve)


def test_a_doomed_connection_has_its_next_refusal_and_no_more() -> None:
    """GOAWAY behind it; what still runs after the grace is broken off."""

    async def test(peer: Peer) -> None:
        peer.protocol.doom(grace_seconds=2)
        await peer.ask()
        assert (len(peer.of(events.ResponseReceived)), peer.goaway, peer.transport.end) == (1, 0, "closed")

    async def late(peer: Peer) -> None:
        await peer.ask()
        peer.protocol.doom(grace_seconds=-1)
        peer.protocol.overdue()
        assert peer.transport.end == "aborted"

    run(test)
    run(late, wait_for_ever)


def test_deadlines_are_those_of_the_phase() -> None:
    """First request, half a head, body, next request."""

    async def test(peer: Peer) -> None:
        now = asyncio.get_running_loop().time()
        assert peer.protocol.due_at == pytest.approx(now + SETTINGS.head_seconds, abs=5)
        number = await peer.ask(ends=False)
        assert peer.protocol.due_at == pytest.approx(now + SETTINGS.body_seconds, abs=5)
        peer.client.end_stream(number)
        peer.exchange()
        await settled()
        assert peer.protocol.due_at == pytest.approx(now + SETTINGS.idle_seconds, abs=5)
        peer.exchange(frame(0x1, b"\x82", stream=5))
        assert peer.protocol.due_at == pytest.approx(now + SETTINGS.head_seconds, abs=5)
        peer.protocol._head_due_at = 0
        peer.protocol.overdue()
        assert peer.host.edge.refused == ["http.too_slow"]

    run(test, read_all)
