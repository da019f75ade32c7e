"""Heads of replies, and what one connection to a server remembers of them: most say much the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from chassis.told import fault_orders, refusals
from gateway.edge.client_head import REQUEST_ID
from gateway.edge.field_lines import read_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.edge.answer_fields import AnswerFields

    Field = tuple[bytes, bytes]

TOLD_REFUSAL: Final = refusals.HEADER.lower().encode("ascii")
FAULT_ORDER: Final = fault_orders.HEADER.lower().encode("ascii")
_CODING, _LENGTH, _CONNECTION = b"transfer-encoding", b"content-length", b"connection"
_FOR_THE_EDGE: Final = frozenset({_CODING, _LENGTH, _CONNECTION, TOLD_REFUSAL, FAULT_ORDER})
KEPT_ALIVE: Final = [b"keep-alive"]  # what most servers say
_MOST_KNOWN_FIELDS: Final = 64
_MOST_KNOWN_BYTES: Final = 256
_MOST_HEADS: Final = 8
_MOST_HEAD_BYTES: Final = 2_000
# New each time, or not to be kept longer than they are needed.
_ALWAYS_NEW: Final = frozenset({REQUEST_ID, b"set-cookie", b"location"})
_NEVER_KEPT: Final = (_ALWAYS_NEW - {REQUEST_ID}) | {_CODING, TOLD_REFUSAL, FAULT_ORDER}


class ReplyHead:
    """A final reply's status and fields, names in lower case; `own` holds the values of those that are for the edge.

    `request_id` is the X-Request-ID of a head that is known but for it, and not among the `fields` then.
    """

    __slots__ = ("fields", "own", "passed", "request_id", "status")

    def __init__(self, status: int, fields: Sequence[Field]) -> None:
        """Sort out what the edge acts on."""
        self.status = status
        self.fields = fields
        self.request_id: bytes | None = None
        self.own: dict[bytes, list[bytes]] = {}
        self.passed: list[AnswerFields] = []  # what goes on of it, once somebody has asked; of all heads that are the same
        for name, value in fields:
            if name in _FOR_THE_EDGE:
                self.own.setdefault(name, []).append(value)

    def under(self, request_id: bytes | None) -> ReplyHead:
        """Return the same head with this X-Request-ID."""
        head = ReplyHead.__new__(ReplyHead)
        head.status, head.fields, head.own, head.passed = self.status, self.fields, self.own, self.passed
        head.request_id = request_id
        return head


class KnownReply(NamedTuple):
    """A head without its X-Request-ID, and the length of the body behind it."""

    head: ReplyHead
    length: int


class FieldMemory:
    """The field lines that a server has sent over one connection."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, Field] = {}

    def read(self, lines: list[bytes]) -> list[Field]:
        """Return the fields; raises `MalformedLine`."""
        known = self._known
        return [known.get(line) or self._read_line(line) for line in lines]

    def _read_line(self, line: bytes) -> Field:
        field = read_field(line)
        if field[0] not in _ALWAYS_NEW and len(line) <= _MOST_KNOWN_BYTES:
            if len(self._known) >= _MOST_KNOWN_FIELDS:
                self._known.clear()
            self._known[line] = field
        return field


class ReplyMemory:
    """The last few heads of one connection, by their bytes without the line of X-Request-ID, and the lines of others."""

    def __init__(self) -> None:
        """Know none."""
        self.fields = FieldMemory()
        self._known: dict[bytes, KnownReply] = {}

    def recall(self, rest: bytes) -> KnownReply | None:
        """Return what was read of this head before."""
        return self._known.get(rest)

    def keep(self, rest: bytes, status: int, fields: Sequence[Field]) -> None:
        """Remember a head after which the connection goes on, if it says what may be said again of a body of known length."""
        names = [name for name, _ in fields]
        if len(rest) > _MOST_HEAD_BYTES or names.count(REQUEST_ID) > 1 or not _NEVER_KEPT.isdisjoint(names):
            return
        head = ReplyHead(status, [field for field in fields if field[0] != REQUEST_ID])
        if head.own.get(_CONNECTION, KEPT_ALIVE) != KEPT_ALIVE or _LENGTH not in head.own:
            return
        if len(self._known) >= _MOST_HEADS:
            self._known.clear()
        self._known[rest] = KnownReply(head, int(head.own[_LENGTH][0]))
