"""The trace that a request belongs to: its sender's, or one that begins here and is called as the request is.

The edge's own step of the trace needs no number of its own: the end of the request's id, which is random, names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.told.trace_context import TraceParent

if TYPE_CHECKING:
    from gateway.admission.request import Request

_SPAN_DIGITS = 16


def own_step(request: Request) -> TraceParent:
    """Return what servers behind the edge are told: the trace, and the edge's step of it as their parent."""
    if request.step is None:
        digits, trace = request.id.replace("-", ""), request.trace
        trace_id, is_sampled = (digits, True) if trace is None else (trace.trace_id, trace.is_sampled)
        request.step = TraceParent(trace_id, digits[-_SPAN_DIGITS:], is_sampled)  # both server and record are told
    return request.step
