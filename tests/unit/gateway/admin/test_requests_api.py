"""The request log by the control API: the newest calls, one with its stages, and their counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest

from psd2.clock import SystemClock
from psd2.ids import new_time_ordered_uuid
from tests.support.admin import admin_client, fields_of, problem_of
from tests.support.authorization import NUMBER, OTHER_NUMBER

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine


NINE = 1_772_442_000  # 2 March 2026, nine o'clock


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    return admin_client(engine, tmp_path)


def log_of(folder: Path, *records: dict[str, object]) -> None:
    (folder / "audit-1.jsonl").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))


def a_record(second: int, **members: object) -> dict[str, object]:
    """Return the record of a call; `second` is when it was made."""
    at = NINE + second
    return {
        "ts": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
        "kind": "request",
        "request_id": new_time_ordered_uuid(int(at * 1000)),
        "method": "GET",
        "path": "/v1/accounts",
        "outcome": "admitted",
        "status": 200,
        "reason": None,
        "detail": None,
        "tpp": NUMBER,
        **members,
    }


REFUSED = {"outcome": "refused", "status": 401, "reason": "mtls.expired", "detail": "expired at noon"}


def test_the_newest_requests_are_told_page_by_page_and_filtered(api: FlaskClient, tmp_path: Path) -> None:
    """`next` of a full page is where the following one begins; of the last there is none."""
    records = [a_record(0, **REFUSED), a_record(1), a_record(2, tpp=OTHER_NUMBER, **REFUSED)]
    log_of(tmp_path, *records)

    def told(**query: object) -> tuple[list[object], str | None]:
        answer = api.get("/requests", query_string=query).get_json()
        assert answer["complete"]
        return [record["request_id"] for record in answer["requests"]], answer["next"]

    oldest, middle, newest = (record["request_id"] for record in records)
    assert told() == ([newest, middle, oldest], None)
    assert told(tpp=NUMBER, outcome="refused", reason="mtls.expired") == ([oldest], None)
    assert told(text="ACCOUNTS", tpp=OTHER_NUMBER) == ([newest], None)
    assert told(certificate="ef" * 32) == ([], None)
    page, following = told(limit=2)
    assert page == [newest, middle]
    assert told(limit=2, before=following) == ([oldest], None)
    assert told(since=f"{records[1]['ts']}_{middle}") == ([newest], None)


def test_one_call_is_told_with_its_stages_and_explained(api: FlaskClient, tmp_path: Path) -> None:
    """The private detail stays in the log."""
    record = a_record(0, **REFUSED)
    log_of(tmp_path, record)

    answer = api.get(f"/requests/{record['request_id']}").get_json()

    assert answer["request"]["explanation"]["reason"] == "mtls.expired"
    assert "Renew it" in answer["request"]["explanation"]["hint"]
    assert "detail" not in answer["request"]
    assert [stage["stage"] for stage in answer["stages"] if stage["result"] == "failed"] == ["certificate"]


def test_a_call_that_nobody_made_is_not_there(api: FlaskClient) -> None:
    """404, whatever the id looks like."""
    for request_id in (new_time_ordered_uuid(0), "x", "%2e%2e"):
        problem_of(api.get(f"/requests/{request_id}"), 404)


def test_calls_are_counted_by_time_outcome_and_reason(api: FlaskClient, tmp_path: Path) -> None:
    """In buckets without a gap, of this TPP alone."""
    now = SystemClock().now().timestamp()
    since = now - 300 - NINE
    log_of(
        tmp_path,
        a_record(int(since) - 10),
        a_record(int(since) + 10),
        a_record(int(since) + 20, **REFUSED),
        a_record(int(since) + 130, **REFUSED),
        a_record(int(since) + 140, tpp=OTHER_NUMBER),
    )

    answer = api.get(f"/requests/summary?tpp={NUMBER}&since={since + NINE}&step=60").get_json()

    counts = [(bucket["admitted"], bucket["refused"]) for bucket in answer["buckets"]]
    assert counts == [(1, 1), (0, 0), (0, 1), (0, 0), (0, 0), (0, 0)]
    assert answer["reasons"] == [{"reason": "mtls.expired", "count": 2, "text": "The client certificate has expired."}]
    assert answer["complete"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?limit=0", "limit"),
        ("?limit=x", "limit"),
        ("?limit=1001", "limit"),
        ("?x=1", "x"),
        ("?outcome=fine", "outcome"),
        ("?before=yesterday", "before"),
        ("?certificate=AB", "certificate"),
        ("?since=", "since"),
        ("/summary?since=0&step=60", "step"),
        ("/summary?step=60", "since"),
        ("/summary?since=nan&step=60", "since"),
        ("/summary?since=0&step=0", "step"),
    ],
)
def test_a_faulty_query_is_told(api: FlaskClient, query: str, field: str) -> None:
    """422."""
    assert fields_of(api.get(f"/requests{query}")) == [field]
