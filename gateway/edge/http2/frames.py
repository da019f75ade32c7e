"""Watches a client's frames before they are read: how large a head may grow, and how many frames it may take to say little.

What is bounded here: frames that are too long (RFC 9113 §4.2), heads in many pieces, resets of streams just opened
(CVE-2023-44487), and PING, SETTINGS, PRIORITY, WINDOW_UPDATE and nearly empty DATA without end (CVE-2019-9511 to 9518).
"""

from __future__ import annotations

from typing import Final

_PREFACE_BYTES: Final = 24
_FRAME_HEADER_BYTES: Final = 9
LONGEST_FRAME: Final = 16_384
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _CONTINUATION = 0x0, 0x1, 0x3, 0x4, 0x9
_END_STREAM, _END_HEADERS = 0x1, 0x4
_SMALL_DATA_BYTES: Final = 64
# What a frame costs of the client's allowance. A whole stream is made and unmade for a reset, all are gone through for
# SETTINGS.
_COSTS: Final = {_HEADERS: 0.0, _DATA: 0.0, _RST_STREAM: 4.0, _SETTINGS: 4.0}
_ORDINARY_COST: Final = 1.0
_ALLOWANCE: Final = 400.0
_ALLOWED_PER_SECOND: Final = 20.0
_EARNED_BY_ANSWER: Final = 4.0
_EARNED_BY_BYTE: Final = 1 / 1_024  # a client that takes our data has to open its windows


class TooLongFrame(Exception):
    """A frame that is longer than we have said it may be."""


class TooManyFrames(Exception):
    """A client that makes work with what is no request."""


class FrameWatch:
    """One connection's frames, seen by their headers alone."""

    def __init__(self, *, max_head_bytes: int, now: float) -> None:
        """Await the preface."""
        self._max_head_bytes = max_head_bytes
        self._left_of_frame = _PREFACE_BYTES
        self._frame_header = b""
        self._type = -1
        self._head_bytes = 0
        self._is_head_open = False
        self.begun = 0  # frames, but for those that go on with a head
        self._allowance = _ALLOWANCE
        self._seen_at = now

    @property
    def has_partial_head(self) -> bool:
        """Whether something has begun to arrive that is not whole, a body apart."""
        in_frame = bool(self._frame_header) or (self._left_of_frame > 0 and self._type != _DATA)
        return self._is_head_open or in_frame

    def feed(self, data: bytes, now: float) -> None:
        """Look at what has come; raises `TooLongFrame`, `TooManyFrames`."""
        self._allowance = min(_ALLOWANCE, self._allowance + (now - self._seen_at) * _ALLOWED_PER_SECOND)
        self._seen_at = now
        position, end = 0, len(data)
        while position < end:
            if self._left_of_frame:
                step = min(self._left_of_frame, end - position)
                self._left_of_frame -= step
                position += step
                continue
            header = self._frame_header + data[position : position + _FRAME_HEADER_BYTES - len(self._frame_header)]
            position += len(header) - len(self._frame_header)
            self._frame_header = header
            if len(header) == _FRAME_HEADER_BYTES:
                self._frame_header = b""
                self._begin(int.from_bytes(header[:3], "big"), header[3], header[4])

    def earn(self, sent_bytes: int) -> None:
        """Allow more to a client that takes so much of an answer."""
        self._allowance = min(_ALLOWANCE, self._allowance + sent_bytes * _EARNED_BY_BYTE)

    def answered(self) -> None:
        """Allow more to a client whose request was answered."""
        self._allowance = min(_ALLOWANCE, self._allowance + _EARNED_BY_ANSWER)

    def spend(self, cost: float) -> None:
        """Take from the allowance; raises `TooManyFrames`."""
        self._allowance -= cost
        if self._allowance < 0:
            raise TooManyFrames("more frames than the requests need")

    def _begin(self, length: int, kind: int, flags: int) -> None:
        if length > LONGEST_FRAME:
            raise TooLongFrame(f"a frame of {length} bytes, at most {LONGEST_FRAME}")
        self._left_of_frame, self._type = length, kind
        self.begun += kind != _CONTINUATION
        is_small = kind == _DATA and length < _SMALL_DATA_BYTES and not flags & _END_STREAM
        cost = _ORDINARY_COST if is_small else _COSTS.get(kind, _ORDINARY_COST)
        if cost:
            self.spend(cost)
        if kind in (_HEADERS, _CONTINUATION):
            self._count_head(length, is_first=kind == _HEADERS, is_last=bool(flags & _END_HEADERS))

    def _count_head(self, length: int, *, is_first: bool, is_last: bool) -> None:
        self._head_bytes = length if is_first else self._head_bytes + length
        self._is_head_open = not is_last
        if self._head_bytes > self._max_head_bytes + LONGEST_FRAME:
            raise TooManyFrames(f"a head of more than {self._max_head_bytes} bytes")
