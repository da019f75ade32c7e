"""Parses HTTP/1.1 requests strictly, for gunicorn's asgi protocol: llhttp reads the head and chunks, we find the borders.

gunicorn's own C parser takes bare LF, obsolete folding and non-ASCII targets, each a way to smuggle a request (RFC 9112 §11.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools
from gunicorn.asgi.parser import LimitRequestHeaders, ParseError

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSIONS: Final = {"1.0": (1, 0), "1.1": (1, 1)}
_HEAD_END: Final = b"\r\n\r\n"
# Fields of which one may stand in a request (RFC 9110 §5.3): a second one could be read by the next server instead.
_SINGLE: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"authorization"})


class MalformedRequest(ParseError):  # type: ignore[misc]
    """A request that is not well-formed; the message says what is wrong with it, without quoting it."""


class _SecondMessage(Exception):
    """Bytes of a further request follow a chunked body."""


class StrictParser:
    """The parser of one connection; its attributes and methods are those that gunicorn's protocol uses."""

    def __init__(
        self,
        *,
        on_headers_complete: Callable[[], object],
        on_body: Callable[[bytes], object],
        on_message_complete: Callable[[], object],
        max_head_bytes: int,
        max_header_count: int,
    ) -> None:
        """Tell the callbacks what arrives; all three are called from within `feed`."""
        self._on_headers_complete = on_headers_complete
        self._on_body = on_body
        self._on_message_complete = on_message_complete
        self._max_head_bytes = max_head_bytes
        self._max_header_count = max_header_count
        self.reset()

    def reset(self) -> None:
        """Make ready for the next request."""
        self._llhttp: httptools.HttpRequestParser | None = None
        self._buffer = b""
        self._body_left = 0
        self._framing_bytes = 0
        self._tail = b""
        self._names: set[bytes] = set()
        self._head_is_read = False
        self.method = b""
        self.path = b""
        self.http_version = (1, 1)
        self.asgi_headers: list[tuple[bytes, bytes]] = []
        self.content_length: int | None = None
        self.is_chunked = False
        self.should_keep_alive = True
        self.expects_continue = False
        self.is_complete = False
        self.remaining_truncated = False

    @property
    def has_partial_head(self) -> bool:
        """Whether a head has begun to arrive and is not whole."""
        return bool(self._buffer)

    @property
    def holds_enough(self) -> bool:
        """Whether so much of the next request has come already that reading on should wait until this one is answered."""
        return len(self._tail) >= self._max_head_bytes

    def remaining(self) -> bytes:
        """Return what came after the request that is complete."""
        return self._tail

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; raises `MalformedRequest`, `LimitRequestHeaders`."""
        if self.is_complete:
            self._tail += data
        elif self._llhttp is None:
            self._feed_head(data)
        elif self.is_chunked:
            self._feed_chunks(data)
        else:
            self._feed_body(data)

    def _feed_head(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        end = buffer.find(_HEAD_END, max(0, len(self._buffer) - 3)) + len(_HEAD_END)
        if max(end, len(buffer) if end < len(_HEAD_END) else 0) > self._max_head_bytes:
            raise LimitRequestHeaders(f"the head has more than {self._max_head_bytes} bytes")
        if end < len(_HEAD_END):
            self._wait_for_more(buffer)
            return
        self._buffer, rest = b"", buffer[end:]
        self._read_head(buffer[:end] if rest else buffer)
        self._on_headers_complete()
        self._begin_body(rest)

    def _wait_for_more(self, buffer: bytes) -> None:
        # A line that ended in a bare LF is refused now: its sender waits for an answer, not for the deadline.
        if buffer.count(b"\n") != buffer.count(b"\r\n"):
            raise MalformedRequest("a line ends without CR")
        self._buffer = buffer

    def _read_head(self, head: bytes) -> None:
        if head[:1].isspace():
            raise MalformedRequest("there is white space before the request line")
        self._llhttp = httptools.HttpRequestParser(self)
        try:
            self._llhttp.feed_data(head)
        except httptools.HttpParserUpgrade:
            # Raised for CONNECT and for Upgrade, once the head is read: the latter is just a header to us.
            if self.method == b"CONNECT":
                raise MalformedRequest("CONNECT is no method of this server") from None
        except httptools.HttpParserError as error:
            raise _cause(error, "the head") from error
        self._head_is_read = True
        self._require_one_meaning()

    def _require_one_meaning(self) -> None:
        if self.http_version == (0, 0):
            raise MalformedRequest("the version is neither HTTP/1.0 nor HTTP/1.1")
        if self.is_chunked and (self.content_length is not None or self.http_version == (1, 0)):
            raise MalformedRequest("Transfer-Encoding with Content-Length, or in HTTP/1.0")
        if not self.path.startswith(b"/"):
            raise MalformedRequest("the target is not in origin-form")
        if self.http_version == (1, 1) and b"host" not in self._names:
            raise MalformedRequest("there is no Host header")

    def _begin_body(self, rest: bytes) -> None:
        if self.is_chunked:
            if rest:
                self._feed_chunks(rest)
            return
        self._body_left = self.content_length or 0
        if self._body_left == 0:
            self._complete(rest)
        elif rest:
            self._feed_body(rest)

    def _feed_body(self, data: bytes) -> None:
        body, rest = data[: self._body_left], data[self._body_left :]
        self._body_left -= len(body)
        self._on_body(body)
        if self._body_left == 0:
            self._complete(rest)

    def _complete(self, rest: bytes) -> None:
        self.is_complete = True
        self._tail = rest
        self._on_message_complete()

    def _feed_chunks(self, data: bytes) -> None:
        if self._llhttp is None:  # feed() has seen to it
            return
        self._framing_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_complete:
                raise _cause(error, "the chunked body") from error
            # Where the next request begins is not known: it is not served, and the connection ends after this answer.
            self.remaining_truncated = True
        # Trailer fields are kept until they end, extensions are read until then, and neither counts as body.
        if self._framing_bytes > self._max_head_bytes and not self.is_complete:
            raise MalformedRequest(f"more than {self._max_head_bytes} bytes of chunk extensions or trailer fields")

    # --- called by llhttp ---

    def on_message_begin(self) -> None:
        """Stop where a second message would begin within the bytes of the first."""
        if self.is_complete:
            raise _SecondMessage

    def on_url(self, target: bytes) -> None:
        """Note the target; it comes in one piece, because the head is fed whole."""
        self.path += target

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header line, and what it says about framing."""
        if self._head_is_read:
            return  # a trailer field: dropped (RFC 9110 §6.5.1)
        name = name.lower()
        self.asgi_headers.append((name, value))
        if len(self.asgi_headers) > self._max_header_count:
            raise LimitRequestHeaders("too many headers")
        if name in _SINGLE:
            self._note_single(name, value)
        elif name == b"expect":
            self.expects_continue = value.lower() == b"100-continue"

    def _note_single(self, name: bytes, value: bytes) -> None:
        if name in self._names:
            raise MalformedRequest(f"{name.decode('ascii')} is there twice")
        self._names.add(name)
        if name == b"content-length":
            self.content_length = int(value)
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise MalformedRequest("the only transfer coding taken is chunked")
            self.is_chunked = True

    def on_headers_complete(self) -> None:
        """Note what llhttp knows of the head."""
        if self._llhttp is not None:
            self.method = self._llhttp.get_method()
            self.http_version = _VERSIONS.get(self._llhttp.get_http_version(), (0, 0))
            self.should_keep_alive = self._llhttp.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of a chunked body."""
        self._framing_bytes = 0
        self._on_body(body)

    def on_message_complete(self) -> None:
        """Note the end of a chunked body; that of a counted one is found by counting."""
        if self.is_chunked:
            self.is_complete = True
            self._on_message_complete()


def _cause(error: httptools.HttpParserError, part: str) -> ParseError:
    """Return what a callback raised, or else llhttp's own words."""
    if isinstance(error.__context__, ParseError):
        return error.__context__
    return MalformedRequest(f"{part} is not well-formed: {error}")
