"""Reads one reply of an internal server, strictly and without I/O: bytes in, head and body pieces out (RFC 9112 §6, §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httptools

_MOST_HEAD_BYTES: Final = 64 * 1024
_SWITCHING_PROTOCOLS: Final = 101
_FIRST_FINAL_STATUS: Final = 200
_NO_BODY: Final = frozenset({204, 304})
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class UnreadableReply(ValueError):
    """A reply that is not well-formed, or whose end could not be told from a broken connection."""


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """A final reply's status and header lines, names in lower case."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Reply:
    """The reply to one request. After `feed`, look at `head`, `buffered` and `is_complete`."""

    def __init__(self, *, to_head_request: bool) -> None:
        """Await a reply; the one to a HEAD request has no body, whatever its head says."""
        self._to_head_request = to_head_request
        self._llhttp: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._unframed_bytes = 0
        self._pieces: list[bytes] = []
        self.head: ReplyHead | None = None
        self.buffered = 0
        self.has_begun = False
        self.is_complete = False
        self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; raises `UnreadableReply`."""
        self.has_begun = True
        if self._llhttp is None:
            raise UnreadableReply("bytes follow that nobody has asked for")
        self._unframed_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.is_complete:
                raise UnreadableReply(str(error.__context__ or error)) from error
            self.keep_alive = False  # something follows that nobody has asked for
        # Heads, interim replies, chunk extensions and trailer fields are no body: without this, nothing would bound them.
        if self._unframed_bytes > _MOST_HEAD_BYTES and not self.is_complete:
            raise UnreadableReply(f"more than {_MOST_HEAD_BYTES} bytes of head or framing")
        if self.is_complete:
            self._llhttp = None  # the two refer to each other: let go, there is nothing for the garbage collector to find

    def take(self) -> bytes:
        """Return what has arrived of the body and was not taken yet."""
        pieces, self._pieces, self.buffered = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    # --- called by llhttp ---

    def on_message_begin(self) -> None:
        """Stop at a reply after the last."""
        if self.is_complete:
            raise UnreadableReply("a second reply arrived")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header line, or a trailer field, which nobody reads."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Take the head of a final reply; an interim one is passed over (RFC 9110 §15.2)."""
        llhttp = self._llhttp
        if llhttp is None:
            return
        status = llhttp.get_status_code()
        headers = [(name.lower(), value) for name, value in self._headers]
        self._headers = []
        if sum(len(name) + len(value) for name, value in headers) > _MOST_HEAD_BYTES:
            raise UnreadableReply(f"the head has more than {_MOST_HEAD_BYTES} bytes")
        if status < _FIRST_FINAL_STATUS:
            if status == _SWITCHING_PROTOCOLS:
                raise UnreadableReply("the server switches protocols unasked")
            return
        has_body = not self._to_head_request and status not in _NO_BODY
        if has_body and not any(name in _FRAMING for name, _ in headers):
            # Only the connection's end would end it, and a broken connection ends too (RFC 9112 §8).
            raise UnreadableReply("it has neither Content-Length nor chunks")
        self.keep_alive = llhttp.should_keep_alive()
        self.head = ReplyHead(status, headers)
        self.is_complete = not has_body

    def on_body(self, body: bytes) -> None:
        """Keep a piece."""
        if self.is_complete:
            self.keep_alive = False  # a body where there is none
            return
        self._unframed_bytes = 0
        self._pieces.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        """Note the end of the final reply."""
        if self.head is not None:
            self.is_complete = True
