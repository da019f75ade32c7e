"""The trace that a request belongs to: its sender's, or one that begins here and is called as the request is.

The edge's own step of the trace needs no number of its own: the end of the request's id, which is random, names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.trace_context import TraceParent

if TYPE_CHECKING:
    from gateway.admission.request import Request

_SPAN_DIGITS = 16


def own_step(request: Request) -> TraceParent:
    """Return what servers behind the edge are told: the trace, and the edge's step of it as their parent."""
    digits = request.id.replace("-", "")
    if request.trace is None:
        return TraceParent(digits, digits[-_SPAN_DIGITS:], is_sampled=True)
    return TraceParent(request.trace.trace_id, digits[-_SPAN_DIGITS:], request.trace.is_sampled)
