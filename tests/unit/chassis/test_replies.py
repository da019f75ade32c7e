"""When the bytes of a reply are written."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from chassis.serving.replies import JoinedReply

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH = ("Content-Length", "5")


class Wire:
    """A socket that remembers what was written at a time."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Take it."""
        self.writes.append(data)


def written(
    pieces: Iterable[bytes], *headers: tuple[str, str], status: str = "200 OK", method: str = "GET", closes: bool = False
) -> list[bytes]:
    """Return what is written of this reply, each write by itself."""
    wire, request = Wire(), SimpleNamespace(method=method, version=(1, 1), should_close=lambda: closes)
    reply: Any = JoinedReply(request, wire, SimpleNamespace(is_ssl=False, sendfile=True))
    reply.finish_body = lambda: True
    reply.step_aside = lambda: None
    reply.start_response(status, list(headers))
    for piece in pieces:
        reply.write(piece)
    reply.close()
    return wire.writes


def parts(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the lines of the head, sorted and without the date, and what follows it."""
    head, _, body = data.partition(b"\r\n\r\n")
    return sorted(line for line in head.split(b"\r\n") if not line.startswith((b"Date: ", b"Server: "))), body


def test_head_and_body_go_out_together() -> None:
    """Whoever reads wakes up once."""
    (only,) = written([b"hello"], _LENGTH)
    assert parts(only) == ([b"Connection: keep-alive", b"Content-Length: 5", b"HTTP/1.1 200 OK"], b"hello")
    assert b"\r\nDate: " in only


@pytest.mark.parametrize(("status", "method"), [("200 OK", "HEAD"), ("204 No Content", "GET"), ("304 Not Modified", "GET")])
def test_a_reply_without_a_body_is_its_head(status: str, method: str) -> None:
    """Whatever the application writes (RFC 9110 §9.3.2, §15.3.5, §15.4.5)."""
    (only,) = written([b"hello"], _LENGTH, status=status, method=method)
    assert only.endswith(b"\r\n\r\n")
    assert only.startswith(f"HTTP/1.1 {status}\r\n".encode())


def test_a_reply_of_no_pieces_has_its_head_too() -> None:
    """Written when the application has ended."""
    (only,) = written([], ("Content-Length", "0"))
    assert parts(only)[0] == [b"Connection: keep-alive", b"Content-Length: 0", b"HTTP/1.1 200 OK"]


def test_each_piece_of_a_stream_goes_out_when_it_is_there() -> None:
    """The head with the first one, and nothing waits for the next (RFC 9112 §7.1)."""
    first, second, end = written([b"hello", b"", b"world"])
    assert parts(first) == ([b"Connection: keep-alive", b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked"], b"5\r\nhello\r\n")
    assert (second, end) == (b"5\r\nworld\r\n", b"0\r\n\r\n")


def test_an_empty_stream_ends() -> None:
    """By a last chunk, behind the head."""
    assert parts(b"".join(written([])))[1] == b"0\r\n\r\n"


def test_no_more_is_written_than_was_announced() -> None:
    """As gunicorn's own."""
    (only,) = written([b"hello, world", b"!"], _LENGTH)
    assert only.endswith(b"\r\n\r\nhello")


def test_a_large_piece_is_not_copied_to_stand_behind_its_head() -> None:
    """The head goes first, on its own."""
    body = b"x" * 100_000
    head, rest = written([body], ("Content-Length", "100000"))
    assert head.endswith(b"\r\n\r\n")
    assert rest == body


def test_a_connection_that_ends_is_announced() -> None:
    """RFC 9112 §9.6."""
    assert b"\r\nConnection: close\r\n" in written([b"hello"], _LENGTH, closes=True)[0]
