"""Parses HTTP/1.1 requests strictly: llhttp reads heads and chunks, we find the borders (RFC 9112).

What two servers could read differently is refused, each of it a way to smuggle a request (§11.2): bare LF, obsolete
folding, more than one framing, repeated fields that may stand once, targets that are not in origin-form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import httptools

from gateway.edge.client_head import AmbiguousHead, ClientHead

if TYPE_CHECKING:
    from gateway.edge.client_head import HeadReader

_VERSIONS: Final = {"1.0": (1, 0), "1.1": (1, 1)}
_HEAD_END: Final = b"\r\n\r\n"
_NO_HEAD: Final = ClientHead(
    lines=[],
    host=None,
    authorization=None,
    content_type=None,
    request_id=None,
    content_length=0,
    is_chunked=False,
    awaits_continue=False,
)


class RefusedRequest(Exception):
    """Bytes that are taken for no request; the message says what is wrong with them, without quoting them."""

    reason = "http.malformed"


class OversizedHead(RefusedRequest):
    """A head that is too large, or has too many lines."""

    reason = "http.head_too_large"


class RequestSink(Protocol):
    """Hears of a request as it arrives, from within `feed`."""

    def head_arrived(self) -> None:
        """Take the request from the parser's attributes."""

    def body_arrived(self, piece: bytes) -> None:
        """Take a piece of the body, never empty."""

    def request_ended(self) -> None:
        """Know that the body, if there is one, is whole."""


class RequestParser:
    """The parser of one connection. It stops behind each request until `reset`, and keeps what has come after it."""

    def __init__(self, sink: RequestSink, heads: HeadReader, *, max_head_bytes: int, max_header_count: int) -> None:
        """Tell `sink`."""
        self._sink = sink
        self._heads = heads
        self._max_head_bytes = max_head_bytes
        self._max_header_count = max_header_count
        self._begin()

    def _begin(self) -> None:
        self._llhttp: httptools.HttpRequestParser | None = None
        self._buffer = b""
        self._tail = b""
        self._body_left = 0
        self._framing_bytes = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self.method = ""
        self.target = b""
        self.version = (0, 0)
        self.head = _NO_HEAD
        self.keeps_alive = False
        self.is_complete = False
        self.lost_the_next = False

    @property
    def has_partial_head(self) -> bool:
        """Whether a head has begun to arrive and is not whole."""
        return bool(self._buffer)

    @property
    def holds_enough(self) -> bool:
        """Whether so much of the next request has come already that reading on should wait until this one is answered."""
        return len(self._tail) >= self._max_head_bytes

    @property
    def holds_more(self) -> bool:
        """Whether something has come behind this request."""
        return bool(self._tail)

    def reset(self) -> None:
        """Turn to the next request, of which a part may be here; raises `RefusedRequest`."""
        tail = self._tail
        self._begin()
        if tail:
            self.feed(tail)

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; raises `RefusedRequest`."""
        if self.is_complete:
            self._tail += data
        elif self._llhttp is None:
            self._feed_head(data)
        elif self.head.is_chunked:
            self._feed_chunks(self._llhttp, data)
        else:
            self._feed_body(data)

    def _feed_head(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(_HEAD_END, max(0, len(self._buffer) - 3)) + len(_HEAD_END)
        if max(end, len(buffer) if end < len(_HEAD_END) else 0) > self._max_head_bytes:
            raise OversizedHead(f"the head has more than {self._max_head_bytes} bytes")
        if end < len(_HEAD_END):
            self._wait_for_more(buffer)
            return
        self._buffer, rest = b"", buffer[end:]
        self._read_head(buffer[:end] if rest else buffer)
        self._sink.head_arrived()
        self._begin_body(rest)

    def _wait_for_more(self, buffer: bytes) -> None:
        # A line that ended in a bare LF is refused now: its sender waits for an answer, not for the deadline.
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            raise RefusedRequest("a line ends without CR")
        self._buffer = buffer

    def _read_head(self, head: bytes) -> None:
        if head[:1].isspace():
            raise RefusedRequest("there is white space before the request line")
        self._llhttp = httptools.HttpRequestParser(self)
        try:
            self._llhttp.feed_data(head)
        except httptools.HttpParserUpgrade:
            # Raised for CONNECT and for Upgrade, once the head is read: the latter is just a header to us.
            if self.method == "CONNECT":
                raise RefusedRequest("CONNECT is no method of this server") from None
        except httptools.HttpParserError as error:
            raise _cause(error, "the head") from error
        self._require_one_meaning()

    def _require_one_meaning(self) -> None:
        if len(self._headers) > self._max_header_count:
            raise OversizedHead("too many headers")
        try:
            self.head = self._heads.read(self._headers)
        except AmbiguousHead as error:
            raise RefusedRequest(str(error)) from error
        if self.version == (0, 0):
            raise RefusedRequest("the version is neither HTTP/1.0 nor HTTP/1.1")
        if not self.target.startswith(b"/"):
            raise RefusedRequest("the target is not in origin-form")
        if self.version == (1, 1) and self.head.host is None:
            raise RefusedRequest("there is no Host header")
        if self.version == (1, 0) and self.head.is_chunked:
            raise RefusedRequest("Transfer-Encoding is not for HTTP/1.0")

    def _begin_body(self, rest: bytes) -> None:
        if self.head.is_chunked:
            if rest and self._llhttp is not None:
                self._feed_chunks(self._llhttp, rest)
            return
        self._body_left = self.head.content_length
        if self._body_left == 0:
            self._end(rest)
        elif rest:
            self._feed_body(rest)

    def _feed_body(self, data: bytes) -> None:
        body, rest = (data, b"") if len(data) <= self._body_left else (data[: self._body_left], data[self._body_left :])
        self._body_left -= len(body)
        self._sink.body_arrived(body)
        if self._body_left == 0:
            self._end(rest)

    def _end(self, rest: bytes) -> None:
        self.is_complete = True
        self._tail = rest
        self._sink.request_ended()

    def _feed_chunks(self, llhttp: httptools.HttpRequestParser, data: bytes) -> None:
        self._framing_bytes += len(data)
        try:
            llhttp.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_complete:
                raise _cause(error, "the chunked body") from error
            # Where the next request begins is not known: it is not served, and the connection ends after this answer,
            # which RFC 9112 §9.3.2 lets a server do.
            self.lost_the_next = True
        # Trailer fields are kept until they end, extensions are read until then, and neither counts as body.
        if self._framing_bytes > self._max_head_bytes and not self.is_complete:
            raise RefusedRequest(f"more than {self._max_head_bytes} bytes of chunk extensions or trailer fields")

    # --- called by llhttp ---

    def on_message_begin(self) -> None:
        """Stop where a second message would begin within the bytes of the first."""
        if self.is_complete:
            raise RefusedRequest("a further request follows")

    def on_url(self, target: bytes) -> None:
        """Note the target."""
        self.target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header line, or a trailer field, which nobody reads (RFC 9110 §6.5.1)."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Note what llhttp knows of the head."""
        if self._llhttp is not None:
            self.method = self._llhttp.get_method().decode("ascii")
            self.version = _VERSIONS.get(self._llhttp.get_http_version(), (0, 0))
            self.keeps_alive = self._llhttp.should_keep_alive() and self.version == (1, 1)

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of a chunked body."""
        self._framing_bytes = 0
        self._sink.body_arrived(body)

    def on_message_complete(self) -> None:
        """Note the end of a chunked body; that of a counted one is found by counting."""
        if self.head.is_chunked:
            self._end(b"")


def _cause(error: httptools.HttpParserError, part: str) -> RefusedRequest:
    """Return what a callback raised, or else llhttp's own words."""
    if isinstance(error.__context__, RefusedRequest):
        return error.__context__
    return RefusedRequest(f"{part} is not well-formed: {error}")
