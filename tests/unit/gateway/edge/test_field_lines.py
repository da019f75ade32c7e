"""Lines of a head: read strictly, and what a connection repeats is read once, within bounds."""

from __future__ import annotations

import pytest

from gateway.edge.client_head import HeadReader
from gateway.edge.field_lines import MalformedLine, has_bare_line_feed, is_length, read_field
from gateway.edge.upstream.reply_heads import FieldMemory


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"Accept: */*", (b"accept", b"*/*")),
        (b"X-A:\t a b \t", (b"x-a", b"a b")),
        (b"x-empty:", (b"x-empty", b"")),
        (b"x-latin: \xe9", (b"x-latin", b"\xe9")),
    ],
)
def test_a_field_line_is_a_name_and_a_value(line: bytes, field: tuple[bytes, bytes]) -> None:
    """The name in lower case, the value without the white space around it."""
    assert read_field(line) == field


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no colon",
        b": x",
        b"A : x",
        b" A: x",
        b"\tfolded",
        b"A\x00: x",
        b"A: x\r",
        b"A: x\n",
        b"A: \x00",
        b"A: \x7f",
        b"\xe9: x",
    ],
)
def test_what_could_be_read_in_two_ways_is_no_line(line: bytes) -> None:
    """Each wrong in one way."""
    with pytest.raises(MalformedLine):
        read_field(line)


@pytest.mark.parametrize(
    ("buffer", "start", "found"),
    [
        (b"GET / HTTP/1.1\r\nA: b\r\n", 0, False),
        (b"GET / HTTP/1.1\n", 0, True),
        (b"GET / HTTP/1.1\r\n", 15, False),
        (b"GET / HTTP/1.1\n", 14, True),
        (b"GET / HTTP/1.1\r\n\n", 16, True),
        (b"\n", 0, True),
    ],
)
def test_a_bare_line_feed_is_found_in_what_is_new(buffer: bytes, start: int, *, found: bool) -> None:
    """However the pieces were cut."""
    assert has_bare_line_feed(buffer, start) is found


def test_a_length_has_an_end() -> None:
    """Digits that every program can count with."""
    assert is_length(b"0")
    assert is_length(b"9" * 18)
    for wrong in (b"", b"+1", b"1 ", b"0x1", b"\xb2", b"9" * 19):
        assert not is_length(wrong)


def test_a_connection_remembers_few_lines_and_no_request_ids() -> None:
    """A client that invents lines fills no memory."""
    reader, known = HeadReader(), {}
    for number in range(100):
        head = reader.read_lines([b"Host: x", b"X-Request-ID: %d" % number, b"X-Odd: %d" % number], known)
        assert (head.host, head.request_id, head.lines) == (b"x", b"%d" % number, [b"x-odd: %d\r\n" % number])
    assert len(known) <= 32
    assert not any(line.startswith(b"X-Request-ID") for line in known)
    reader.read_lines([b"X-Long: " + b"a" * 1_000], known)
    assert not any(line.startswith(b"X-Long") for line in known)


def test_of_replies_nothing_is_kept_that_opens_something() -> None:
    """Cookies, and where a redirect leads."""
    memory = FieldMemory()
    lines = [b"Set-Cookie: session=secret", b"Location: https://tpp.example/cb?code=secret", b"Server: bank"]
    assert memory.read(lines) == memory.read(lines)
    assert [*memory._known] == [b"Server: bank"]
