"""Replies of internal servers: read whole or in single bytes with the same result; what is not well-formed is refused."""

from __future__ import annotations

import pytest

from gateway.edge.upstream.reply import Reply, UnreadableReply
from gateway.edge.upstream.reply_heads import ReplyMemory

COUNTED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nTrailer: dropped\r\n\r\n"


def read(data: bytes, *, step: int | None = None, to_head_request: bool = False) -> Reply:
    reply = Reply(ReplyMemory(), to_head_request=to_head_request)
    for at in range(0, len(data), step or len(data)):
        reply.feed(data[at : at + (step or len(data))])
    return reply


@pytest.mark.parametrize("data", [COUNTED, CHUNKED])
@pytest.mark.parametrize("step", [None, 1, 7])
def test_a_reply_is_the_same_however_it_arrives(data: bytes, step: int | None) -> None:
    """Head, body, end."""
    reply = read(data, step=step)
    assert reply.head is not None
    assert reply.head.status == 200
    assert (reply.take(), reply.is_complete, reply.keep_alive) == (b"hello", True, True)
    assert b"trailer" not in dict(reply.head.fields)


def test_a_reply_that_has_not_ended_is_not_complete() -> None:
    """One byte short."""
    for data in (COUNTED, CHUNKED):
        assert not read(data[:-1]).is_complete


def test_a_short_reply_says_so_and_chunks_may_go_on_for_ever() -> None:
    """As far as the head is here: before it, all is short."""
    assert read(COUNTED[:20]).is_short
    assert read(COUNTED[:-5]).is_short
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n").is_short
    assert not read(b"HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n").is_short
    assert not read(CHUNKED[:-5]).is_short


def test_a_piece_is_taken_once() -> None:
    """What was taken is gone."""
    reply = read(COUNTED[:-2])
    assert (reply.take(), reply.buffered, reply.take()) == (b"hel", 0, b"")


def test_the_reply_to_head_has_no_body_whatever_it_says() -> None:
    """Content-Length is that of the GET."""
    reply = read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", to_head_request=True)
    assert (reply.is_complete, reply.take(), reply.keep_alive) == (True, b"", True)


def test_a_body_after_the_reply_to_head_spoils_the_connection() -> None:
    """It would be taken for the next reply."""
    assert not read(COUNTED, to_head_request=True).keep_alive


def test_interim_replies_are_passed_over() -> None:
    """Any number of them."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    reply = read(b"HTTP/1.1 100 Continue\r\n\r\n" + interim + COUNTED)
    assert reply.head is not None
    assert (reply.head.status, dict(reply.head.fields)) == (200, {b"content-length": b"5", b"x": b"y"})


def test_a_second_reply_is_not_read_and_spoils_the_connection() -> None:
    """The first stands."""
    reply = read(COUNTED + COUNTED)
    assert (reply.take(), reply.is_complete, reply.keep_alive) == (b"hello", True, False)


def test_a_server_that_closes_is_not_used_again() -> None:
    """Connection: close."""
    assert not read(COUNTED.replace(b"X: y", b"Connection: close")).keep_alive


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nbody until the end",
        b"HTTP/1.0 200 OK\r\n\r\nbody until the end",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 4_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=" + b"y" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 14_000,
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    ],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    """Before anything of it is passed on."""
    with pytest.raises(UnreadableReply):
        read(data)


def replies(memory: ReplyMemory, *heads: bytes, to_head_request: bool = False) -> list[Reply]:
    """Read replies of one connection, one after the other; their bodies are two bytes long."""
    read = []
    for head in heads:
        reply = Reply(memory, to_head_request=to_head_request)
        reply.feed(head + b"\r\n" + (b"" if to_head_request else b"ab"))
        read.append(reply)
    return read


_SAME = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nX-Request-ID: %b\r\nA: b\r\n"


def test_a_head_that_is_repeated_is_read_once_but_for_its_request_id() -> None:
    """Each reply has its own; what else goes on is the same object, and the body's length is known."""
    first, second, third = replies(ReplyMemory(), _SAME % b"1", _SAME % b"2", _SAME.replace(b"X-Request-ID: %b\r\n", b""))
    assert first.head is not None
    assert dict(first.head.fields)[b"x-request-id"] == b"1"
    assert second.head is not None
    assert third.head is not None
    assert (second.head.request_id, third.head.request_id) == (b"2", None)
    assert b"x-request-id" not in dict(second.head.fields)
    assert second.head.passed is third.head.passed
    assert [(each.is_complete, each.keep_alive, each.take()) for each in (first, second, third)] == [(True, True, b"ab")] * 3


def test_a_repeated_head_has_no_body_where_the_request_was_a_head_request() -> None:
    """Whatever its length says (RFC 9110 §9.3.2)."""
    memory = ReplyMemory()
    replies(memory, _SAME % b"1")
    (known,) = replies(memory, _SAME % b"2", to_head_request=True)
    assert (known.is_complete, known.take()) == (True, b"")


@pytest.mark.parametrize(
    "line",
    [
        b"Set-Cookie: a=b",
        b"Location: /a",
        b"Connection: close",
        b"Connection: x-request-id",
        b"X-Sandbox-Refusal: {}",
        b"X-Sandbox-Fault-Order: x",
        b"X-Request-ID: twice",
    ],
)
def test_what_is_for_one_client_or_ends_the_connection_is_never_remembered(line: bytes) -> None:
    """Such a head is read anew each time."""
    memory = ReplyMemory()
    replies(memory, (_SAME % b"1").replace(b"Connection: keep-alive\r\n", b"") + line + b"\r\n")
    assert memory._known == {}


def test_only_so_many_heads_are_remembered() -> None:
    """Their dates change every second."""
    memory = ReplyMemory()
    replies(memory, *[_SAME % b"1" + b"Date: %d\r\n" % number for number in range(20)])
    assert 1 <= len(memory._known) <= 8


def test_a_malformed_request_id_is_no_line_of_a_known_head_either() -> None:
    """Controls in it would go on to the client."""
    memory = ReplyMemory()
    replies(memory, _SAME % b"1")
    with pytest.raises(UnreadableReply):
        replies(memory, _SAME % b"1\x00")
