"""Reads the request log's documents (architecture §3.4) into calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.calls.model import (
    Bucket,
    Call,
    CallPage,
    Cause,
    ExplainedCall,
    Explanation,
    Outcome,
    Result,
    Span,
    Stage,
    Summary,
)

Document = dict[str, Any]


def call_of(document: Document) -> Call:
    """Return the call of a record."""
    explanation = document.get("explanation")
    return Call(
        request_id=document["request_id"],
        at=datetime.fromisoformat(document["ts"]),
        method=document.get("method") or "",
        path=document.get("path") or "",
        status=int(document.get("status") or 0),
        outcome=Outcome(document["outcome"]),
        listener=document.get("listener") or "",
        tpp=document.get("tpp"),
        milliseconds=(document.get("latency_ms") or {}).get("total"),
        explanation=Explanation(**explanation) if explanation else None,
        record={name: value for name, value in document.items() if name != "explanation"},
    )


def page_of(document: Document) -> CallPage:
    """Return a page of the log."""
    calls = [call_of(record) for record in document["requests"] if record.get("kind") == "request"]
    newest = f"{document['requests'][0]['ts']}_{calls[0].request_id}" if calls else None
    return CallPage(calls=calls, older=document["next"], newest=newest, is_complete=document["complete"])


def explained_call_of(document: Document) -> ExplainedCall:
    """Return a call with its stages."""
    return ExplainedCall(call=call_of(document["request"]), stages=[_stage(stage) for stage in document["stages"]])


def summary_of(document: Document, span: Span) -> Summary:
    """Return the counts of a span."""
    return Summary(
        span=span,
        buckets=[_bucket(bucket) for bucket in document["buckets"]],
        causes=[Cause(**cause) for cause in document["reasons"]],
        is_complete=document["complete"],
    )


def _stage(document: Document) -> Stage:
    facts = [(fact["what"], fact["value"]) for fact in document["established"]]
    return Stage(name=document["stage"], label=document["label"], result=Result(document["result"]), facts=facts)


def _bucket(document: Document) -> Bucket:
    return Bucket(document["at"], {outcome: document[outcome.value] for outcome in Outcome})
