"""Parses HTTP/1.1 requests strictly and finds their borders (RFC 9112).

What two servers could read differently is refused, each of it a way to smuggle a request (§11.2): bare LF, obsolete
folding, more than one framing, repeated fields that may stand once, targets that are not in origin-form.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from gateway.edge.chunks import Chunks, MalformedChunks
from gateway.edge.client_head import AmbiguousHead, ClientHead
from gateway.edge.field_lines import HEAD_END, MalformedLine, has_bare_line_feed, split_head
from gateway.edge.head_memory import HeadMemory, KnownHead, request_id_of, without_request_id

if TYPE_CHECKING:
    from gateway.edge.client_head import HeadField, HeadReader

# Method, target, version (§3); which methods there are is for routes to say.
_REQUEST_LINE: Final = re.compile(rb"([A-Z]{1,20}) ([!-~]++) HTTP/([0-9]\.[0-9])")
_VERSIONS: Final = {b"1.0": (1, 0), b"1.1": (1, 1)}
_NO_HEAD: Final = ClientHead(
    lines=[],
    host=None,
    authorization=None,
    content_type=None,
    request_id=None,
    content_length=0,
    is_chunked=False,
    awaits_continue=False,
    closes=False,
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
        # Clients say much the same in each request of a connection: what was read once need not be read again.
        self._known_fields: dict[bytes, HeadField] = {}
        self._known_heads = HeadMemory()
        self._begin()

    def _begin(self) -> None:
        self._buffer = b""
        self._tail = b""
        self._body_left = 0
        self._chunks: Chunks | None = None
        self.method = ""
        self.target = b""
        self.version = (0, 0)
        self.head = _NO_HEAD
        self.keeps_alive = False
        self.came_whole = False
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
        elif self.head is _NO_HEAD:
            self._feed_head(data)
        elif self._chunks is not None:
            self._feed_chunks(self._chunks, data)
        else:
            self._feed_body(data)

    def _feed_head(self, data: bytes) -> None:
        begun = len(self._buffer)
        buffer = self._buffer + data if begun else data
        end = buffer.find(HEAD_END, max(0, begun - 3)) + len(HEAD_END)
        is_whole = end >= len(HEAD_END)
        if (end if is_whole else len(buffer)) > self._max_head_bytes:
            raise OversizedHead(f"the head has more than {self._max_head_bytes} bytes")
        if not is_whole:
            self._wait_for_more(buffer, begun)
            return
        self._buffer, rest = b"", buffer[end:]
        self._read_head(buffer[:end] if rest else buffer)
        self.came_whole = not self.head.is_chunked and len(rest) >= self.head.content_length
        self._sink.head_arrived()
        self._begin_body(rest)

    def _wait_for_more(self, buffer: bytes, begun: int) -> None:
        # A line that ended in a bare LF is refused now: its sender waits for an answer, not for the deadline.
        if has_bare_line_feed(buffer, begun):
            raise RefusedRequest("a line ends without CR")
        self._buffer = buffer

    def _read_head(self, head: bytes) -> None:
        rest, request_id = without_request_id(head)
        known = self._known_heads.recall(rest)
        try:
            if known is not None:
                self.method, self.target, self.version, prototype = known
                self.head = prototype.with_request_id(request_id_of(request_id))
            else:
                self._read_anew(head, rest)
        except (AmbiguousHead, MalformedLine) as error:
            self.head = _NO_HEAD
            raise RefusedRequest(str(error)) from error
        self.keeps_alive = self.version == (1, 1) and not self.head.closes

    def _read_anew(self, head: bytes, rest: bytes) -> None:
        first, *lines = split_head(head)
        self._read_request_line(first)
        if len(lines) > self._max_header_count:
            raise OversizedHead("too many headers")
        self.head = self._heads.read_lines(lines, self._known_fields)
        self._require_one_meaning(self.head)
        if len(lines) < self._max_header_count:  # with the line of an id that this one may lack
            self._known_heads.keep(rest, lines, KnownHead(self.method, self.target, self.version, self.head))

    def _read_request_line(self, line: bytes) -> None:
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            raise RefusedRequest("the request line is not well-formed")
        method, self.target, version = match.groups()
        self.method = method.decode("ascii")
        self.version = _VERSIONS.get(version, (0, 0))

    def _require_one_meaning(self, head: ClientHead) -> None:
        if self.version == (0, 0):
            raise RefusedRequest("the version is neither HTTP/1.0 nor HTTP/1.1")
        if self.method == "CONNECT":
            raise RefusedRequest("CONNECT is no method of this server")
        if not self.target.startswith(b"/"):
            raise RefusedRequest("the target is not in origin-form")
        if self.version == (1, 1):
            if head.host is None:
                raise RefusedRequest("there is no Host header")
        elif head.is_chunked:
            raise RefusedRequest("Transfer-Encoding is not for HTTP/1.0")

    def _begin_body(self, rest: bytes) -> None:
        head = self.head
        if head.is_chunked:
            chunks = self._chunks = Chunks(self._sink.body_arrived, self._end, most_framing_bytes=self._max_head_bytes)
            if rest:
                self._feed_chunks(chunks, rest)
            return
        self._body_left = head.content_length
        if self._body_left == 0:
            self._tail = rest
            self._end()
        elif rest:
            self._feed_body(rest)

    def _feed_body(self, data: bytes) -> None:
        body, rest = (data, b"") if len(data) <= self._body_left else (data[: self._body_left], data[self._body_left :])
        self._body_left -= len(body)
        self._sink.body_arrived(body)
        if self._body_left == 0:
            self._tail = rest
            self._end()

    def _end(self) -> None:
        self.is_complete = True
        self._sink.request_ended()

    def _feed_chunks(self, chunks: Chunks, data: bytes) -> None:
        try:
            chunks.feed(data)
        except MalformedChunks as error:
            raise RefusedRequest(f"the chunked body is not well-formed: {error}") from error
        # Where the next request begins is not known: it is not served, and the connection ends after this answer,
        # which RFC 9112 §9.3.2 lets a server do.
        self.lost_the_next = chunks.has_more
