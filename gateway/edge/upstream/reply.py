"""Reads one reply of an internal server, strictly and without I/O: bytes in, head and body pieces out (RFC 9112 §6, §7)."""

from __future__ import annotations

import re
from typing import Final

from gateway.edge.chunks import Chunks, MalformedChunks
from gateway.edge.client_head import named_hop_by_hop
from gateway.edge.field_lines import HEAD_END, MalformedLine, has_bare_line_feed, is_length, split_head
from gateway.edge.head_memory import request_id_of, without_request_id
from gateway.edge.upstream.reply_heads import KEPT_ALIVE, ReplyHead, ReplyMemory

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t -~\x80-\xff]*+)?")
_MOST_HEAD_BYTES: Final = 64 * 1024
_SHORT_BYTES: Final = 64 * 1024
_SWITCHING_PROTOCOLS: Final = 101
_FIRST_FINAL_STATUS: Final = 200
_NO_BODY: Final = frozenset({204, 304})
_CODING, _LENGTH, _CONNECTION = b"transfer-encoding", b"content-length", b"connection"
_NONE: Final[list[bytes]] = []
_NOTHING: Final = (None,)


class UnreadableReply(ValueError):
    """A reply that is not well-formed, or whose end could not be told from a broken connection."""


class Reply:
    """The reply to one request. After `feed`, look at `head`, `buffered` and `is_complete`."""

    def __init__(self, memory: ReplyMemory, *, to_head_request: bool) -> None:
        """Await a reply; the one to a HEAD request has no body, whatever its head says."""
        self._memory = memory
        self._to_head_request = to_head_request
        self._buffer = b""
        self._head_bytes = 0
        self._body_left = 0
        self._chunks: Chunks | None = None
        self._pieces: list[bytes] = []
        self.head: ReplyHead | None = None
        self.buffered = 0
        self.has_begun = False
        self.is_complete = False
        self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection; raises `UnreadableReply`."""
        self.has_begun = True
        if self.is_complete:
            raise UnreadableReply("bytes follow that nobody has asked for")
        if self.head is None:
            data = self._feed_head(data)
            if self.head is None:
                return
        if self._chunks is not None:
            self._feed_chunks(self._chunks, data)
        else:
            self._feed_body(data)

    @property
    def is_short(self) -> bool:
        """Whether no more than a little is to come, as far as is known."""
        return self._chunks is None and self._body_left <= _SHORT_BYTES

    def take(self) -> bytes:
        """Return what has arrived of the body and was not taken yet."""
        pieces, self._pieces, self.buffered = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _feed_head(self, data: bytes) -> bytes:
        """Read the final reply's head, if it is here, behind any number of interim ones; return what follows."""
        begun = len(self._buffer)
        buffer = self._buffer + data if begun else data
        while self.head is None:
            end = buffer.find(HEAD_END, max(0, begun - 3)) + len(HEAD_END)
            is_whole = end >= len(HEAD_END)
            # Nothing else would bound interim replies.
            if self._head_bytes + (end if is_whole else len(buffer)) > _MOST_HEAD_BYTES:
                raise UnreadableReply(f"the head has more than {_MOST_HEAD_BYTES} bytes")
            if not is_whole:
                if has_bare_line_feed(buffer, begun):
                    raise UnreadableReply("a line ends without CR")
                self._buffer = buffer
                return b""
            self._head_bytes += end
            self._read_head(buffer[:end])
            buffer, begun = buffer[end:], 0
        self._buffer = b""
        return buffer

    def _read_head(self, head: bytes) -> None:
        rest, request_id = without_request_id(head)
        known = self._memory.recall(rest)
        if known is None:
            self._read_anew(head, rest)
            return
        prototype, length = known
        try:
            self.head = prototype.under(request_id_of(request_id))
        except MalformedLine as error:
            raise UnreadableReply(str(error)) from error
        self.keep_alive = True
        if not self._omits_body(prototype.status):
            self._body_left = length

    def _read_anew(self, head: bytes, rest: bytes) -> None:
        """Take the head of a final reply; an interim one is passed over (RFC 9110 §15.2)."""
        first, *lines = split_head(head)
        match = _STATUS_LINE.fullmatch(first)
        if match is None:
            raise UnreadableReply("the status line is not well-formed")
        try:
            fields = self._memory.fields.read(lines)
        except MalformedLine as error:
            raise UnreadableReply(str(error)) from error
        status = int(match[2])
        if status == _SWITCHING_PROTOCOLS:
            raise UnreadableReply("the server switches protocols unasked")
        if status >= _FIRST_FINAL_STATUS:
            self._take_head(ReplyHead(status, fields), is_old=match[1] == b"0")
            if self.keep_alive:
                self._memory.keep(rest, status, fields)

    def _take_head(self, head: ReplyHead, *, is_old: bool) -> None:
        self.head = head
        codings, lengths = head.own.get(_CODING, _NONE), head.own.get(_LENGTH, _NONE)
        if len(codings) > 1 or len(lengths) > 1:
            raise UnreadableReply("its framing is there twice")
        coding, length = (codings or _NOTHING)[0], (lengths or _NOTHING)[0]
        connection = head.own.get(_CONNECTION)
        is_kept = connection is None or connection == KEPT_ALIVE or b"close" not in named_hop_by_hop(connection)
        self.keep_alive = is_kept and not is_old
        if coding is not None and (length is not None or coding.lower() != b"chunked"):
            raise UnreadableReply("the only transfer coding taken is chunked, without a length")
        if length is not None and not is_length(length):
            raise UnreadableReply("the Content-Length is no number")
        if self._omits_body(head.status):
            return
        if coding is not None:
            self._chunks = Chunks(self._body_arrived, self._body_ended, most_framing_bytes=_MOST_HEAD_BYTES)
        elif length is not None:
            self._body_left = int(length)
        else:
            # Only the connection's end would end it, and a broken connection ends too (RFC 9112 §8).
            raise UnreadableReply("it has neither Content-Length nor chunks")

    def _omits_body(self, status: int) -> bool:
        return self._to_head_request or status in _NO_BODY

    def _feed_body(self, data: bytes) -> None:
        left = self._body_left - len(data)
        if left < 0:
            self.keep_alive = False  # something follows that nobody has asked for
            data = data[: self._body_left]
        self._body_left = max(left, 0)
        if data:
            self._body_arrived(data)
        if left <= 0:
            self.is_complete = True

    def _feed_chunks(self, chunks: Chunks, data: bytes) -> None:
        if not data:
            return
        try:
            chunks.feed(data)
        except MalformedChunks as error:
            raise UnreadableReply(f"its chunks are not well-formed: {error}") from error
        if chunks.has_more:
            self.keep_alive = False

    def _body_arrived(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.buffered += len(piece)

    def _body_ended(self) -> None:
        self.is_complete = True
