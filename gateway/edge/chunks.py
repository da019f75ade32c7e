"""A chunked body, read by llhttp, strictly (RFC 9112 §7.1); trailer fields are read to their end and kept by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httptools

if TYPE_CHECKING:
    from collections.abc import Callable

# llhttp reads messages, not bodies: this is the head of one whose body is chunked.
_HEAD: Final = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"


class MalformedChunks(ValueError):
    """Bytes that are no chunks; the message says what is wrong."""


class Chunks:
    """The body of one message. `on_piece` gets its pieces, `on_end` is called once it is whole."""

    def __init__(self, on_piece: Callable[[bytes], None], on_end: Callable[[], None], *, most_framing_bytes: int) -> None:
        """Await the first chunk."""
        self._on_piece = on_piece
        self._on_end = on_end
        self._most_framing_bytes = most_framing_bytes
        self._framing_bytes = 0
        self.is_complete = False
        self.has_more = False
        self._llhttp: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._llhttp.feed_data(_HEAD)

    def feed(self, data: bytes) -> None:
        """Take bytes of the connection; raises `MalformedChunks`. What is behind the end sets `has_more` and is lost."""
        if self._llhttp is None:
            self.has_more = True
            return
        self._framing_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_complete:
                raise MalformedChunks(str(error)) from error
            self.has_more = True
        # Trailer fields and chunk extensions are read until they end, and neither counts as body.
        if self._framing_bytes > self._most_framing_bytes and not self.is_complete:
            raise MalformedChunks(f"more than {self._most_framing_bytes} bytes of chunk extensions or trailer fields")
        if self.is_complete:
            self._llhttp = None  # the two refer to each other: let go, there is nothing for the garbage collector to find

    # --- called by llhttp ---

    def on_message_begin(self) -> None:
        """Stop where a second message would begin within the bytes of the first."""
        if self.is_complete:
            raise MalformedChunks("something follows")

    def on_body(self, body: bytes) -> None:
        """Hand on a piece."""
        self._framing_bytes = 0
        self._on_piece(body)

    def on_message_complete(self) -> None:
        """Tell the end."""
        self.is_complete = True
        self._on_end()
