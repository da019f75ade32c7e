"""Heads that a connection repeats: clients say the same in each request of a resource, but for its X-Request-ID.

What is remembered is the head without that line, which is read anew; what else is new each time, or not to be kept longer
than it is needed, is not remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.edge.client_head import ALWAYS_NEW, REQUEST_ID
from gateway.edge.field_lines import MalformedLine, read_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.edge.client_head import ClientHead

_BEGIN: Final = b"\r\nx-request-id:"
_MOST_HEADS: Final = 4
_MOST_BYTES: Final = 2_000
_NEVER_KEPT: Final = (ALWAYS_NEW | {b"cookie"}) - {REQUEST_ID}


class KnownHead(NamedTuple):
    """A request line and the fields behind it, as they were read: well-formed, and without a second meaning."""

    method: str
    target: bytes
    version: tuple[int, int]
    head: ClientHead


class HeadMemory:
    """The last few heads of one connection, by their bytes without the line of X-Request-ID."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, KnownHead] = {}

    def recall(self, rest: bytes) -> KnownHead | None:
        """Return what was read of this head before."""
        return self._known.get(rest)

    def keep(self, rest: bytes, lines: Sequence[bytes], known: KnownHead) -> None:
        """Remember a head of these field lines."""
        names = [line.partition(b":")[0].lower() for line in lines]
        if len(rest) > _MOST_BYTES or names.count(REQUEST_ID) > 1 or not _NEVER_KEPT.isdisjoint(names):
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[rest] = known


def without_request_id(head: bytes) -> tuple[bytes, bytes]:
    """Return a whole head without its first X-Request-ID line, and that line; empty where there is none."""
    begin = head.lower().find(_BEGIN)
    if begin < 0:
        return head, b""
    end = head.index(b"\r\n", begin + 2)
    return head[:begin] + head[end:], head[begin + 2 : end]


def request_id_of(line: bytes) -> bytes | None:
    """Return the value of an X-Request-ID line; raises `MalformedLine`."""
    if not line:
        return None
    name, value = read_field(line)
    if name != REQUEST_ID:
        raise MalformedLine("a header line is not well-formed")
    return value
