"""The request log over the control API (docs/architecture.md §3.4): a page of it, one call explained, counts for a chart."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, jsonify, request

from gateway.admin.bodies import RequestsQuery, SummaryQuery
from gateway.admin.operations import operation
from gateway.admin.problems import LogBusy, NotFound
from gateway.audit.explanation import explained, stages_of
from gateway.audit.reader import AuditFilter, Cursor, Look, record_of
from gateway.audit.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.audit.reader import ShippedRecords
    from psd2.clock import Clock

# Looks take up to half a second each: two at a time leave the other threads to those who change something.
_AT_ONCE: Final = 2
_PATIENCE_SECONDS: Final = 2.0


class _Desk:
    """Lets a few look at a time; raises `LogBusy` where it takes too long to get in."""

    def __init__(self) -> None:
        self._seats = threading.BoundedSemaphore(_AT_ONCE)

    @contextmanager
    def seat(self) -> Iterator[None]:
        if not self._seats.acquire(timeout=_PATIENCE_SECONDS):
            raise LogBusy
        try:
            yield
        finally:
            self._seats.release()


def requests_blueprint(audit_folder: Path, shipped: ShippedRecords | None, clock: Clock) -> Blueprint:
    """Return the request log's resources, over what has been shipped and this machine's files."""
    api = Blueprint("requests", __name__)
    desk = _Desk()

    @api.get("/requests")
    @operation("List calls, newest first", query=RequestsQuery)
    def get_requests() -> Response:
        query = RequestsQuery.model_validate(request.args.to_dict())
        look = Look(audit_folder, query.wanted, shipped=shipped)
        with desk.seat():
            found = look.newest(query.limit)
        following = str(Cursor.of(found[-1])) if len(found) == query.limit else look.resumes_at
        return jsonify({"requests": [explained(record) for record in found], "complete": look.is_complete, "next": following})

    @api.get("/requests/<request_id>")
    @operation("Show a call with the stages it passed")
    def get_request(request_id: str) -> Response:
        with desk.seat():
            record, is_complete = record_of(audit_folder, request_id, shipped)
        if record is None:
            where = "in the log" if is_complete else "in the part of the log that could be looked at"
            raise NotFound(f"a request {request_id[:40]} {where}")
        return jsonify({"request": explained(record), "stages": stages_of(record)})

    @api.get("/requests/summary")
    @operation("Count calls by time, outcome and reason", query=SummaryQuery)
    def get_summary() -> Response:
        query = SummaryQuery.model_validate(request.args.to_dict())
        now = clock.now().timestamp()
        query.require_bounded(now)
        look = Look(audit_folder, AuditFilter(tpp=query.tpp, since=Cursor.at(query.since)), shipped=shipped)
        with desk.seat():
            summary = summary_of(look.records(), since=query.since, until=now, step=query.step)
        return jsonify(summary.document() | {"until": now, "step": query.step, "complete": look.is_complete})

    return api
