"""What the parser takes between and after chunks is bounded: none of it is body, so no body limit would end it."""

from __future__ import annotations

import pytest

from gateway.edge.parser import MalformedRequest, StrictParser

HEAD = b"POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
MOST_BYTES = 4_096
PIECE = 1_024


def parser(body: list[bytes]) -> StrictParser:
    """Return a parser that collects the body in `body`."""
    return StrictParser(
        on_headers_complete=lambda: None,
        on_body=body.append,
        on_message_complete=lambda: None,
        max_head_bytes=MOST_BYTES,
        max_header_count=100,
    )


def feed_until_refused(subject: StrictParser, data: bytes, *, most: int) -> int:
    """Feed `data` again and again; return how many bytes were taken before it was refused."""
    for taken in range(0, most, len(data)):
        try:
            subject.feed(data)
        except MalformedRequest:
            return taken
    return most


@pytest.mark.parametrize(
    "beginning",
    [b"0\r\nX-Trailer: ", b"5;extension=", b"5\r\n12345\r\n1;extension="],
    ids=["trailer field", "extension of the first chunk", "extension of a later chunk"],
)
def test_framing_without_end_is_refused(beginning: bytes) -> None:
    """A trailer or chunk extension gets the room of a head, and no more: it would be kept, or read, for ever."""
    subject = parser([])
    subject.feed(HEAD + beginning)

    assert feed_until_refused(subject, b"a" * PIECE, most=100 * PIECE) <= MOST_BYTES


def test_many_trailer_fields_are_refused() -> None:
    """None of them is passed on, so nobody needs more than a head's worth."""
    subject = parser([])
    subject.feed(HEAD + b"0\r\n")

    assert feed_until_refused(subject, b"X-T: a\r\n" * 128, most=100 * PIECE) <= MOST_BYTES


def test_a_body_in_many_small_chunks_is_taken() -> None:
    """Framing that brings body with it counts for nothing, however much of it there is altogether."""
    body: list[bytes] = []
    subject = parser(body)
    subject.feed(HEAD)

    for _ in range(2 * MOST_BYTES):
        subject.feed(b"1\r\n")
        subject.feed(b"a\r\n")
    subject.feed(b"0\r\nX-Trailer: dropped\r\n\r\n")

    assert (b"".join(body), subject.is_complete) == (b"a" * 2 * MOST_BYTES, True)
