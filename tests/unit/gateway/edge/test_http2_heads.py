"""Heads over HTTP/2: what they say is what the core reads, and what two servers could read differently is refused."""

from __future__ import annotations

import pytest

from gateway.edge.client_head import HeadReader
from gateway.edge.http1.parser import OversizedHead, RefusedRequest
from gateway.edge.http2.heads import RequestHead, read_head

METHOD, SCHEME, AUTHORITY, PATH = (
    (b":method", b"GET"),
    (b":scheme", b"https"),
    (b":authority", b"bank:1"),
    (b":path", b"/a?b=c"),
)
GOOD = [METHOD, SCHEME, AUTHORITY, PATH]


def read(fields: list[tuple[bytes, bytes]], *, has_ended: bool = True) -> RequestHead:
    return read_head(fields, HeadReader(), max_bytes=4_096, max_count=10, has_ended=has_ended)


def test_a_head_says_what_http_1_1_would_have_said() -> None:
    """Host for :authority, one Cookie for its crumbs (RFC 9113 §8.2.3)."""
    request = read([*GOOD, (b"cookie", b"a=b"), (b"x", b"y"), (b"cookie", b"c=d")])
    assert (request.method, request.path, request.query, request.head.host) == ("GET", b"/a", b"b=c", b"bank:1")
    assert request.head.lines == [b"x: y\r\n", b"cookie: a=b; c=d\r\n"]


def test_forged_identity_goes_no_further() -> None:
    """The same names as over HTTP/1.1."""
    assert read([*GOOD, (b"client-cert", b"x"), (b"x-sandbox-tpp", b"x"), (b"client_cert", b"x")]).head.lines == []


@pytest.mark.parametrize(("length", "is_chunked", "has_body"), [(None, True, True), (b"5", False, True), (b"0", False, False)])
def test_a_body_is_framed_by_its_stream(*, length: bytes | None, is_chunked: bool, has_body: bool) -> None:
    """Of unknown length it goes on in chunks; a stream that has ended has none."""
    head = read([*GOOD, *([(b"content-length", length)] if length else [])], has_ended=False).head
    assert (head.is_chunked, head.has_body) == (is_chunked, has_body)
    assert not read(GOOD).head.has_body


WRONG = {
    "no method": [SCHEME, AUTHORITY, PATH],
    "no scheme": [METHOD, AUTHORITY, PATH],
    "no path": [METHOD, SCHEME, AUTHORITY],
    "no authority": [METHOD, SCHEME, PATH],
    "another scheme": [METHOD, (b":scheme", b"http"), AUTHORITY, PATH],
    "CONNECT": [(b":method", b"CONNECT"), AUTHORITY],
    "CONNECT with a path": [(b":method", b"CONNECT"), SCHEME, AUTHORITY, PATH],
    "extended CONNECT": [(b":method", b"CONNECT"), SCHEME, AUTHORITY, PATH, (b":protocol", b"websocket")],
    "a method in lower case": [(b":method", b"get"), SCHEME, AUTHORITY, PATH],
    "a method with a space": [(b":method", b"GET /x"), SCHEME, AUTHORITY, PATH],
    "an empty path": [METHOD, SCHEME, AUTHORITY, (b":path", b"")],
    "an asterisk": [(b":method", b"OPTIONS"), SCHEME, AUTHORITY, (b":path", b"*")],
    "an absolute path": [METHOD, SCHEME, AUTHORITY, (b":path", b"https://bank/a")],
    "a path with a space": [METHOD, SCHEME, AUTHORITY, (b":path", b"/a HTTP/1.1")],
    "a path with a line end": [METHOD, SCHEME, AUTHORITY, (b":path", b"/a\r\nx: y")],
    "a method twice": [METHOD, *GOOD],
    "two authorities": [*GOOD, AUTHORITY],
    "a pseudo-header behind others": [METHOD, SCHEME, AUTHORITY, (b"x", b"y"), PATH],
    "an unknown pseudo-header": [*GOOD, (b":x", b"y")],
    "a response's": [*GOOD, (b":status", b"200")],
    "Host against :authority": [*GOOD, (b"host", b"other")],
    "two Hosts": [METHOD, SCHEME, PATH, (b"host", b"a"), (b"host", b"a")],
    "a name in upper case": [*GOOD, (b"X", b"y")],
    "a name with a space": [*GOOD, (b"x ", b"y")],
    "a name with a colon": [*GOOD, (b"x:y", b"z")],
    "a name with a line end": [*GOOD, (b"x\r\ny", b"z")],
    "no name": [*GOOD, (b"", b"z")],
    "CR LF in a value": [*GOOD, (b"x", b"y\r\nclient-cert: z")],
    "LF in a value": [*GOOD, (b"x", b"y\nz")],
    "NUL in a value": [*GOOD, (b"x", b"y\0z")],
    "a control in a value": [*GOOD, (b"x", b"y\x01z")],
    "white space before a value": [*GOOD, (b"x", b" y")],
    "white space behind a value": [*GOOD, (b"x", b"y\t")],
    "Transfer-Encoding": [*GOOD, (b"transfer-encoding", b"chunked")],
    "Connection": [*GOOD, (b"connection", b"close")],
    "Upgrade": [*GOOD, (b"upgrade", b"h2c")],
    "TE": [*GOOD, (b"te", b"gzip")],
    "two lengths": [*GOOD, (b"content-length", b"5"), (b"content-length", b"5")],
    "a length that is none": [*GOOD, (b"content-length", b"5, 5")],
    "two Authorizations": [*GOOD, (b"authorization", b"a"), (b"authorization", b"b")],
}


@pytest.mark.parametrize("fields", WRONG.values(), ids=WRONG.keys())
def test_what_could_be_read_in_two_ways_is_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """RFC 9113 §8.2, §8.3, and all that HTTP/1.1 is held to."""
    with pytest.raises(RefusedRequest):
        read(fields, has_ended=False)


def test_a_length_without_a_body_is_refused() -> None:
    """The stream has ended."""
    with pytest.raises(RefusedRequest):
        read([*GOOD, (b"content-length", b"5")])


@pytest.mark.parametrize("more", [[(b"a", b"b")] * 11, [(b"a", b"b" * 4_096)], [(b"a" * 4_096, b"")]])
def test_a_head_has_a_size(more: list[tuple[bytes, bytes]]) -> None:
    """In fields, and in octets."""
    with pytest.raises(OversizedHead):
        read([*GOOD, *more])
