"""Whose calls are shown to whom: decided here and nowhere else, by the authorisation number of an owned TPP."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from sandbox.calls.documents import explained_call_of, page_of, summary_of
from sandbox.calls.dry_run import dry_run_of
from sandbox.calls.model import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psd2.clock import Clock
    from sandbox.calls.documents import Document
    from sandbox.calls.dry_run import DescribedRequest, DryRun
    from sandbox.calls.model import Call, CallFilter, CallPage, ExplainedCall, Summary
    from sandbox.tpps.model import Tpp

SPANS: Final = (
    Span("hour", "the last hour", 3_600, 120),
    Span("day", "the last 24 hours", 86_400, 3_600),
    Span("week", "the last 7 days", 7 * 86_400, 6 * 3_600),
)
MOST_ON_A_PAGE: Final = 30
# Where TPPs and their PSUs' browsers come in; what goes on at the portal is no TPP's call.
_TPP_LISTENERS: Final = frozenset({"edge", "front"})
_PLACE = re.compile(r"[0-9]{4}-[0-9T:.+Z-]{10,36}_([0-9a-f-]{0,36}|~)")
_REQUEST_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UnknownCall(LookupError):
    """No call of this id that the visitor may see; whether there is another's is not told."""


class RequestLog(Protocol):
    """The gateway's request log; each call raises `PeerUnavailable` or `PeerRefused`."""

    def log_page(self, query: dict[str, str]) -> Document:
        """Return the newest records that the query admits."""

    def log_record(self, request_id: str) -> Document | None:
        """Return one record explained, None where there is none."""

    def log_summary(self, query: dict[str, str]) -> Document:
        """Return counts by time and outcome."""

    def explain(self, question: Document) -> Document:
        """Return what the gateway would answer to a request."""


class Calls:
    """The calls of TPPs."""

    def __init__(self, log: RequestLog, clock: Clock) -> None:
        """Read this log."""
        self._log = log
        self._clock = clock

    def page(self, tpp: Tpp, wanted: CallFilter) -> CallPage:
        """Return a page of the TPP's calls, newest first."""
        return page_of(self._log.log_page({**_query(wanted), "tpp": _number(tpp), "since": _since(tpp, wanted)}))

    def one(self, request_id: str, *, owned: Sequence[Tpp]) -> ExplainedCall:
        """Return a call of one of these TPPs, or one that could be told to be nobody's; raises `UnknownCall`."""
        text = request_id.strip().lower()
        document = self._log.log_record(text) if _REQUEST_ID.fullmatch(text) else None
        if document is None:
            raise UnknownCall
        found = explained_call_of(document)
        if not _may_be_seen(found.call, owned):
            raise UnknownCall
        return found

    def summary(self, tpp: Tpp, span: Span) -> Summary:
        """Return how many calls the TPP made over a span, and what came of them."""
        now = self._clock.now().timestamp()
        since = (now // span.step_seconds) * span.step_seconds - span.seconds + span.step_seconds
        query = {"tpp": _number(tpp), "since": str(max(since, 0)), "step": str(span.step_seconds)}
        return summary_of(self._log.log_summary(query), span)

    def dry_run(self, tpp: Tpp, described: DescribedRequest) -> DryRun:
        """Return what the gateway would answer to the TPP's request now; raises `PeerRefused` for one that can't be read."""
        return dry_run_of(self._log.explain(described.question(_number(tpp))))


def is_place(text: str) -> bool:
    """Answer whether a text is written like a place in the log."""
    return _PLACE.fullmatch(text) is not None


def _may_be_seen(call: Call, owned: Sequence[Tpp]) -> bool:
    """Answer whether a call is one of these TPPs', or attributed to none, whose random id only its caller knows."""
    if call.listener not in _TPP_LISTENERS:
        return False
    if call.tpp is None:
        return True
    # A number that was somebody else's before brings none of that time's calls with it.
    return any(call.tpp == _number(tpp) and call.at.timestamp() >= tpp.created_at for tpp in owned)


def _number(tpp: Tpp) -> str:
    return str(tpp.authorisation_number)


def _since(tpp: Tpp, wanted: CallFilter) -> str:
    registered = f"{datetime.fromtimestamp(tpp.created_at, UTC).isoformat(timespec='microseconds')}_"
    return max(registered, wanted.since or "")


def _query(wanted: CallFilter) -> dict[str, str]:
    query = {
        "outcome": wanted.outcome,
        "reason": wanted.reason,
        "text": wanted.text,
        "before": wanted.before,
        "limit": str(MOST_ON_A_PAGE),
    }
    return {name: value for name, value in query.items() if value is not None}
