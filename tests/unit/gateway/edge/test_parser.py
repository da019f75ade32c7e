"""The parser: the same request however it arrives, borders where they are, and a bound on everything that is no body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateway.edge.client_head import HeadReader
from gateway.edge.http1.parser import RefusedRequest, RequestParser

if TYPE_CHECKING:
    from gateway.edge.client_head import ClientHead

HEAD = b"POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
MOST_BYTES = 4_096
PIECE = 1_024


class Body:
    """Collects the pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def head_arrived(self) -> None:
        """Go on."""

    def body_arrived(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def request_ended(self) -> None:
        """Go on."""


def parser(body: Body) -> RequestParser:
    """Return a parser that collects the body in `body`."""
    return RequestParser(body, HeadReader(), max_head_bytes=MOST_BYTES, max_header_count=100)


def feed_in_steps(subject: RequestParser, data: bytes, step: int) -> None:
    for at in range(0, len(data), step):
        subject.feed(data[at : at + step])


def feed_until_refused(subject: RequestParser, data: bytes, *, most: int) -> int:
    """Feed `data` again and again; return how many bytes were taken before it was refused."""
    for taken in range(0, most, len(data)):
        try:
            subject.feed(data)
        except RefusedRequest:
            return taken
    return most


@pytest.mark.parametrize(
    "beginning",
    [b"0\r\nX-Trailer: ", b"5;extension=", b"5\r\n12345\r\n1;extension="],
    ids=["trailer field", "extension of the first chunk", "extension of a later chunk"],
)
def test_framing_without_end_is_refused(beginning: bytes) -> None:
    """A trailer or chunk extension gets the room of a head, and no more: it would be kept, or read, for ever."""
    subject = parser(Body())
    subject.feed(HEAD + beginning)

    assert feed_until_refused(subject, b"a" * PIECE, most=100 * PIECE) <= MOST_BYTES


def test_many_trailer_fields_are_refused() -> None:
    """None of them is passed on, so nobody needs more than a head's worth."""
    subject = parser(Body())
    subject.feed(HEAD + b"0\r\n")

    assert feed_until_refused(subject, b"X-T: a\r\n" * 128, most=100 * PIECE) <= MOST_BYTES


def test_a_body_in_many_small_chunks_is_taken() -> None:
    """Framing that brings body with it counts for nothing, however much of it there is altogether."""
    body = Body()
    subject = parser(body)
    subject.feed(HEAD)

    for _ in range(2 * MOST_BYTES):
        subject.feed(b"1\r\n")
        subject.feed(b"a\r\n")
    subject.feed(b"0\r\nX-Trailer: dropped\r\n\r\n")

    assert (b"".join(body.pieces), subject.is_complete) == (b"a" * 2 * MOST_BYTES, True)


GET = b"GET /a?b HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = HEAD + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"


@pytest.mark.parametrize("data", [GET, POST, CHUNKED], ids=["no body", "counted", "chunked"])
@pytest.mark.parametrize("step", [1, 3, 1_000])
def test_a_request_is_the_same_however_it_arrives(data: bytes, step: int) -> None:
    """In single bytes, in pieces, at once."""
    body = Body()
    subject = parser(body)
    feed_in_steps(subject, data, step)
    assert (subject.is_complete, b"".join(body.pieces)) == (True, b"" if data is GET else b"hello")
    assert subject.keeps_alive


def test_requests_that_follow_one_another_are_kept_apart() -> None:
    """Each begins where the one before ended."""
    body = Body()
    subject = parser(body)
    subject.feed(POST + GET + POST)
    targets = [subject.target]
    for _ in range(2):
        subject.reset()
        targets.append(subject.target)
    assert targets == [b"/a", b"/a?b", b"/a"]
    assert b"".join(body.pieces) == b"hellohello"


@pytest.mark.parametrize(
    ("head", "keeps_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_who_wants_the_connection_closed(head: bytes, *, keeps_alive: bool) -> None:
    """An HTTP/1.0 client gets one answer."""
    subject = parser(Body())
    subject.feed(head)
    assert subject.keeps_alive is keeps_alive


def test_a_head_has_a_size_however_it_arrives() -> None:
    """Whole or drop by drop."""
    for step in (1, 100_000):
        subject = parser(Body())
        data = b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * MOST_BYTES + b"\r\n\r\n"
        with pytest.raises(RefusedRequest, match="more than 4096 bytes"):
            feed_in_steps(subject, data, step)


@pytest.mark.parametrize("step", [1, 3, 100])
def test_a_line_that_ends_in_lf_alone_is_refused_at_once(step: int) -> None:
    """Its sender waits for an answer: nothing after it would make a head of it."""
    with pytest.raises(RefusedRequest, match="without CR"):
        feed_in_steps(parser(Body()), b"GET / HTTP/1.1\r\nHost: x\n\n", step)


FIELDS = b"Host: localhost\r\nAccept: a/b\r\n"
MOST_LINES = 5


class Heads:
    """Reads heads of one connection, each of a request of its own."""

    def __init__(self) -> None:
        self.parser = RequestParser(Body(), HeadReader(), max_head_bytes=MOST_BYTES, max_header_count=MOST_LINES)

    def read(self, fields: bytes, first: bytes = b"GET /a HTTP/1.1\r\n") -> ClientHead:
        self.parser.feed(first + fields + b"\r\n")
        head = self.parser.head
        self.parser.reset()
        return head


def test_a_repeated_head_is_read_once_but_for_its_id() -> None:
    """Wherever the id stands; without one there is none."""
    heads = Heads()
    first = heads.read(FIELDS + b"X-Request-ID: 1\r\n")
    second = heads.read(b"x-request-id:2 \r\n" + FIELDS)
    third = heads.read(FIELDS)
    assert second.lines is third.lines is first.lines
    assert [head.request_id for head in (first, second, third)] == [b"1", b"2", None]
    assert replace(second, request_id=b"1") == replace(third, request_id=b"1") == first


def test_the_id_of_a_repeated_head_is_read_as_strictly() -> None:
    """Nothing hides in the one line that is new."""
    for line in (b"X-Request-ID: a\nb", b"X-Request-ID: a\0", b"X-Request-ID: a\rb", b"X-Request-ID:\x7f"):
        heads = Heads()
        heads.read(FIELDS + b"X-Request-ID: 1\r\n")
        with pytest.raises(RefusedRequest):
            heads.read(FIELDS + line + b"\r\n")


@pytest.mark.parametrize(
    "line",
    [b"X-Request-ID : 2", b"Host: localhost", b" X-Request-ID: 2"],
)
def test_what_is_refused_is_refused_behind_a_head_that_was_taken(line: bytes) -> None:
    """A space before the colon, a second Host, a folded line."""
    heads = Heads()
    heads.read(FIELDS + b"X-Request-ID: 1\r\n")
    with pytest.raises(RefusedRequest):
        heads.read(FIELDS + line + b"\r\n")


@pytest.mark.parametrize("line", [b"Cookie: a=1", b"traceparent: a", b"Signature: a", b"X-Request-ID: 2"])
def test_what_is_new_each_time_is_not_remembered(line: bytes) -> None:
    """Nor what is not to be kept longer than it is needed; two ids are no id to leave out."""
    heads = Heads()
    fields = FIELDS + b"X-Request-ID: 1\r\n" + line + b"\r\n"
    assert heads.read(fields).lines is not heads.read(fields).lines


def test_a_repeated_head_has_no_more_lines_than_any() -> None:
    """One that has as many as there may be gets none for an id."""
    heads = Heads()
    fields = FIELDS + b"A: 1\r\nB: 2\r\nC: 3\r\n"
    heads.read(fields)
    with pytest.raises(RefusedRequest):
        heads.read(fields + b"X-Request-ID: 1\r\n")


def test_another_target_is_another_head() -> None:
    """The request line is part of what is remembered."""
    heads = Heads()
    heads.read(FIELDS)
    heads.parser.feed(b"DELETE /b?c HTTP/1.0\r\n" + FIELDS + b"\r\n")
    assert (heads.parser.method, heads.parser.target, heads.parser.version) == ("DELETE", b"/b?c", (1, 0))
    assert not heads.parser.keeps_alive


def test_heads_are_bounded() -> None:
    """A client that asks for something else each time is remembered no further than the last few."""
    heads = Heads()
    for number in range(50):
        heads.read(FIELDS, b"GET /%d HTTP/1.1\r\n" % number)
    assert len(heads.parser._known_heads._known) <= 4
    heads.read(b"Host: localhost\r\nA: %b\r\n" % (b"a" * 2_000))
    assert all(len(head) <= 2_000 for head in heads.parser._known_heads._known)
