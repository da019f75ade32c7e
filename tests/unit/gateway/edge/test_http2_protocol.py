"""A client's connection over HTTP/2 on a transport of our own making: what it holds, what it bounds, when it lets go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from h2 import events
from h2.settings import SettingCodes

from gateway.edge.client import Arrival, Client, ClientGone
from tests.support.edge_protocol import Transport, answer, settled
from tests.support.http2 import frame, head
from tests.support.http2_peer import PROTOCOL_ERROR, REFUSED, SETTINGS, Peer, read_all, run, wait_for_ever

if TYPE_CHECKING:
    from gateway.edge.http2.protocol import Http2Protocol


def test_requests_are_answered_beside_one_another() -> None:
    """The connection stays."""

    async def test(peer: Peer) -> None:
        for _ in range(3):
            await peer.ask()
        assert [event.stream_id for event in peer.of(events.StreamEnded)] == [1, 3, 5]
        assert peer.protocol.is_idle
        assert not peer.transport.end

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


def test_a_client_that_does_not_take_the_last_of_its_answers_is_parted_with() -> None:
    """A closed connection waits until what was written has gone out: such a client would keep its place for ever."""

    async def test(peer: Peer) -> None:
        await peer.ask()
        peer.protocol.close()
        peer.protocol.pause_writing()
        peer.protocol.resume_writing()
        assert peer.transport.end == "closed"
        assert peer.protocol.due_at < float("inf")
        peer.protocol._stall_due_at = 0
        peer.protocol.overdue()
        assert peer.transport.end == "aborted"

    run(test)


def test_of_a_client_that_takes_nothing_nothing_more_is_read() -> None:
    """Answers without a body wait for no window: read on, and what was not taken would grow until the deadline."""

    async def test(peer: Peer) -> None:
        peer.protocol.pause_writing()
        assert peer.transport.is_paused
        peer.protocol.resume_writing()
        assert not peer.transport.is_paused

    run(test)


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


async def much(_arrival: Arrival, client: Client) -> None:
    """Answer without end."""
    client.start(200, [])
    while True:
        client.write(b"x" * 200_000, last=False)
        await client.drain()


class Narrow(Transport):
    """Takes a little at a time, and says when it has enough."""

    def __init__(self, protocol: Http2Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.taken = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        super().write(data)
        self.taken += len(data)
        if self.taken > 64_000 and not self.is_paused:
            self.protocol.pause_writing()

    def take(self) -> None:
        self.taken = 0
        self.protocol.resume_writing()


def sent_of(peer: Peer, number: int) -> int:
    return sum(len(event.data) for event in peer.of(events.DataReceived) if event.stream_id == number)


def test_answers_take_turns_where_the_connection_is_slow() -> None:
    """The first would otherwise go out alone, and those behind it be broken off as if their client took nothing."""

    async def test(peer: Peer) -> None:
        peer.client.increment_flow_control_window(50_000_000)
        peer.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10_000_000})
        peer.exchange()
        peer.exchange()
        peer.protocol._transport = peer.transport = Narrow(peer.protocol)
        for _ in range(4):
            await peer.ask()
        before = [sent_of(peer, number) for number in (1, 3, 5, 7)]
        for _ in range(8):
            peer.transport.take()
            await settled()
        peer.listen()
        assert all(sent_of(peer, number) > had for number, had in zip((1, 3, 5, 7), before, strict=True))

    run(test, much)


def test_answers_take_turns_where_the_window_of_all_is_small() -> None:
    """Each time the client opens it for a little more, another one goes on."""

    async def test(peer: Peer) -> None:
        peer.client.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 10_000_000})
        peer.exchange()
        peer.exchange()
        for _ in range(4):
            await peer.ask()
        for _ in range(8):
            peer.client.increment_flow_control_window(30_000)
            peer.exchange()
            await settled()
        peer.listen()
        assert all(sent_of(peer, number) for number in (1, 3, 5, 7))

    run(test, much)


@pytest.mark.parametrize(
    "before",
    [frame(0x8, (1_000).to_bytes(4, "big")), frame(0x0, b"1234", stream=3)],
    ids=["a window", "data of a refused request"],
)
def test_a_client_that_says_goodbye_behind_something_else_has_done_nothing_wrong(before: bytes) -> None:
    """Its connection ends; there is no record of a malformed request."""

    async def test(peer: Peer) -> None:
        await peer.ask()
        peer.host.is_stopping = True
        peer.client.send_headers(3, head("/v1/consents/1"))
        peer.protocol.data_received(peer.client.data_to_send() + before + frame(0x7, bytes(8)))
        await settled()
        assert peer.host.edge.refused == []
        assert peer.transport.end == "closed"

    run(test, much)


def test_each_head_has_a_time_of_its_own() -> None:
    """Where what comes ends in the middle of a frame every time, it is not the same one that is waited for."""

    async def test(peer: Peer) -> None:
        first, second = frame(0x1, b"\x82", flags=4, stream=1), frame(0x1, b"\x82", flags=4, stream=3)
        peer.protocol.data_received(first[:-1])
        peer.protocol._head_due_at = 0
        peer.protocol.data_received(first[-1:] + second[:-1])
        assert peer.protocol._head_due_at > 0

    run(test, wait_for_ever)


def test_a_head_in_many_pieces_has_no_more_time_than_one() -> None:
    """Its fragments, and the frames that they come in, follow one another without end."""

    async def test(peer: Peer) -> None:
        peer.protocol.data_received(frame(0x1, b"\x82", stream=1))
        peer.protocol._head_due_at = 0
        for _ in range(3):
            peer.protocol.data_received(frame(0x9, b"\x82", stream=1))
        peer.protocol.data_received(frame(0x9, b"\x82", stream=1)[:5])
        assert peer.protocol._head_due_at == 0

    run(test, wait_for_ever)
