"""W3C Trace Context: whose trace a request belongs to, and which step of it has sent it (Level 1, §3.2)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import structlog

HEADER: Final = "traceparent"
_ENVIRON: Final = "HTTP_TRACEPARENT"
# §3.2.2: version, trace-id, parent-id, flags. A later version may say more behind another hyphen (§4.3).
_VALUE: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_INVALID_VERSION: Final = "ff"
_NONE: Final = frozenset("0")
_SAMPLED: Final = 0x01
_SAID: Final[ContextVar[str | None]] = ContextVar("traceparent", default=None)


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A trace, and the step of it that has sent the request; both in hex. `is_sampled`: its sender may have recorded it."""

    trace_id: str
    parent_id: str
    is_sampled: bool

    @staticmethod
    def read(value: str | None) -> TraceParent | None:
        """Return what the header says, None without one and for one that is malformed: then a new trace begins (§4.3)."""
        match = _VALUE.fullmatch(value) if value is not None else None
        if match is None:
            return None
        version, trace_id, parent_id, flags, more = match.groups()
        if version == _INVALID_VERSION or (version == "00" and more) or _NONE in (set(trace_id), set(parent_id)):
            return None
        return TraceParent(trace_id, parent_id, bool(int(flags, 16) & _SAMPLED))

    def __str__(self) -> str:
        """Write it as the header has it."""
        return f"00-{self.trace_id}-{self.parent_id}-{'01' if self.is_sampled else '00'}"


def note_trace(environ: dict[str, object]) -> None:
    """Have every log line of this thread bear the trace of a WSGI request (`name_trace`), until the next request there."""
    value = environ.get(_ENVIRON)
    _SAID.set(value if isinstance(value, str) else None)


def name_trace(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the trace to a log line; a processor of structlog. The header is read here: few requests log anything."""
    trace = TraceParent.read(_SAID.get())
    if trace is not None:
        event.setdefault("trace_id", trace.trace_id)
        event.setdefault("parent_id", trace.parent_id)
    return event
