"""A call in the request log: what was asked, what came of it, how far it came, and why it ended there."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


class Outcome(StrEnum):
    """What came of a call, as the log writes it."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    FAILED = "failed"
    ABORTED = "aborted"


class Result(StrEnum):
    """What became of a stage."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a call did not succeed; `by` is `gateway`, a service's name, or `client`."""

    by: str
    reason: str | None
    text: str
    hint: str
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a call's way, and the facts established there, each with its name."""

    name: str
    label: str
    result: Result
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `tpp` is None where the gateway could tell nobody's; `record` is the log's own."""

    request_id: str
    at: datetime
    method: str
    path: str
    status: int
    outcome: Outcome
    listener: str
    tpp: str | None
    milliseconds: float | None
    explanation: Explanation | None
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedCall:
    """A call with the stages of its way."""

    call: Call
    stages: Sequence[Stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """Some calls, newest first. `older` and `newest` are places in the log; not `is_complete`: the look had to end early."""

    calls: Sequence[Call]
    older: str | None
    newest: str | None
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are wanted; None takes any. `before` and `since` are places in the log."""

    outcome: Outcome | None = None
    reason: str | None = None
    text: str | None = None
    before: str | None = None
    since: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves any call out by what it is."""
        return (self.outcome, self.reason, self.text) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Span:
    """A time back from now, and the length of the steps in which it is counted, in seconds."""

    name: str
    words: str
    seconds: int
    step_seconds: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that ended in one step of time, by outcome; `at` is epoch seconds."""

    at: float
    counts: Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason for which calls ended, how often, in words."""

    reason: str
    count: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Calls over a span, oldest bucket first; causes, most frequent first."""

    span: Span
    buckets: Sequence[Bucket]
    causes: Sequence[Cause]
    is_complete: bool

    def total(self, outcome: Outcome) -> int:
        """Return how many calls came to this."""
        return sum(bucket.counts[outcome] for bucket in self.buckets)

    @property
    def all(self) -> int:
        """How many calls there were."""
        return sum(self.total(outcome) for outcome in Outcome)
