"""A request log for tests of the portal: the gateway's own, over files that a test writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask

from gateway.admin.problems import handle_errors
from gateway.admin.requests_api import requests_blueprint
from psd2.ids import new_time_ordered_uuid

if TYPE_CHECKING:
    from pathlib import Path

    from psd2.clock import Clock
    from sandbox.answers import PeerRefused

REFUSED = {"outcome": "refused", "status": 401, "reason": "mtls.expired", "detail": "expired at noon"}


class CallLog:
    """`RequestLog` of `sandbox.calls`, and what writes into it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "audit-1.jsonl"
        self._clock = clock
        app = Flask("log")
        app.register_blueprint(requests_blueprint(folder, None, clock))
        handle_errors(app)
        self._api = app.test_client()
        self.questions: list[dict[str, Any]] = []
        self.refusal: PeerRefused | None = None

    def add(self, tpp: str | None, *, seconds_ago: float = 0, **members: object) -> str:
        """Write the record of a call; return its id."""
        at = self._clock.now().timestamp() - seconds_ago
        request_id = new_time_ordered_uuid(int(at * 1000))
        record = {
            "ts": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
            "kind": "request",
            "request_id": request_id,
            "method": "GET",
            "path": "/v1/accounts",
            "outcome": "admitted",
            "status": 200,
            "reason": None,
            "detail": "private",
            "tpp": tpp,
            "listener": "edge",
            "asks": {"certificate": "required", "role": "PSP_AI", "scope": "AIS"},
            "latency_ms": {"admission": 0.2, "upstream": 3.0, "total": 3.3},
            **members,
        }
        with self._file.open("ab") as file:
            file.write(orjson.dumps(record) + b"\n")
        return request_id

    def log_page(self, query: dict[str, str]) -> dict[str, Any]:
        answer = self._api.get("/requests", query_string=query)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.get_json()
        return document

    def log_record(self, request_id: str) -> dict[str, Any] | None:
        answer = self._api.get(f"/requests/{request_id}")
        document: dict[str, Any] | None = answer.get_json() if answer.status_code == 200 else None
        return document

    def log_summary(self, query: dict[str, str]) -> dict[str, Any]:
        answer = self._api.get("/requests/summary", query_string=query)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.get_json()
        return document

    def explain(self, question: dict[str, Any]) -> dict[str, Any]:
        """Note the question; refuse it as told, or answer that the certificate has expired."""
        self.questions.append(question)
        if self.refusal is not None:
            raise self.refusal
        expired = {"reason": "mtls.expired", "text": "The certificate has expired."}
        seen = [{"what": "API", "value": "xs2a"}]
        return {
            "verdict": "refused",
            "answer": {"status": 401, "code": "CERTIFICATE_EXPIRED", **expired},
            "checks": [
                _check("Route", "passed", seen=seen),
                _check("Certificate", "failed", hint="Renew it.", **expired),
                _check("Limits", "not_reached", note="ask there"),
            ],
        }


def _check(label: str, verdict: str, **more: object) -> dict[str, object]:
    return {"check": label.lower(), "label": label, "verdict": verdict, "clause": "RFC 5280", "seen": [], **more}
