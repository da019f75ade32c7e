"""What a client over HTTP/2 may ask for that costs us more than it, and how far."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from h2 import events

from tests.support.edge_protocol import settled
from tests.support.http2 import frame, head
from tests.support.http2_peer import CALM, FRAME_SIZE_ERROR, Peer, read_all, run, wait_for_ever

if TYPE_CHECKING:
    from gateway.edge.client import Arrival, Client


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


def test_requests_that_are_none_are_answered_so_far() -> None:
    """Each has its 400, and costs as much as a reset: who sends nothing else is not answered for ever."""

    async def test(peer: Peer) -> None:
        for _ in range(150):
            if peer.goaway is not None:
                break
            await peer.ask(connection="close")
        assert peer.goaway == CALM
        assert 50 < peer.host.edge.refused.count("http.malformed") <= 105

    run(test)


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
