"""The control API: contract of docs/architecture.md §3.4, and problem documents that name the field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from flask import Flask
from requests import Response

from chassis.peers import PeerUnavailable
from gateway.admin.servers_api import servers_blueprint
from psd2.clock import SystemClock
from psd2.ids import new_time_ordered_uuid
from tests.support.admin import admin_client
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, REDIRECT_URI
from tests.support.pki import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

NINE = 1_772_442_000  # 2 March 2026, nine o'clock
TPP = {
    "name": "Acme Pay",
    "country": "DE",
    "nca_id": "DE-BAFIN",
    "nca_name": "BaFin",
    "roles": ["PSP_AI", "PSP_PI"],
    "status": "active",
}
CLIENT_BODY = {
    "authorisation_number": NUMBER,
    "name": "Acme Pay",
    "redirect_uris": [REDIRECT_URI],
    "profile": "berlin",
    "token_endpoint_auth_method": "tls_client_auth",
}


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    return admin_client(engine, tmp_path)


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert {"type", "status", "code", "title", "detail"} <= set(body)
    return body


def fields_of(answer: TestResponse) -> list[str]:
    return [entry["field"] for entry in problem_of(answer, 422)["errors"]]


def test_a_tpp_is_registered_changed_and_read(api: FlaskClient) -> None:
    """201, then 200; read back as it was written."""
    assert api.put(f"/tpps/{NUMBER}", json=TPP).status_code == 201
    assert api.put(f"/tpps/{NUMBER}", json=TPP | {"status": "blocked"}).status_code == 200

    expected = {"authorisation_number": NUMBER} | TPP | {"status": "blocked"}
    assert api.get(f"/tpps/{NUMBER}").get_json() == expected
    assert api.get("/tpps").get_json() == {"tpps": [expected]}


BLOCK = f"/certificates/{'ab' * 32}/block"


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        (f"/tpps/{NUMBER}", TPP, TPP | {"status": "blocked"}),
        ("/clients/client-9", CLIENT_BODY, CLIENT_BODY | {"name": "Acme"}),
        (BLOCK, {"reason": "stolen"}, {"reason": "sold"}),
    ],
)
def test_of_two_who_have_seen_the_same_one_is_told_that_it_came_late(
    api: FlaskClient, path: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """TPPs, clients and blocks have entity tags as documents have; whoever states none overwrites what stands."""
    api.put(f"/tpps/{NUMBER}", json=TPP | {"name": "Before"})
    is_there = api.get(path).status_code == 200
    made = api.put(path, json=first, headers={} if is_there else {"If-None-Match": "*"})
    seen = made.headers["ETag"]
    assert (made.status_code, api.get(path).headers["ETag"]) == (200 if is_there else 201, seen)
    assert api.put(path, json=first, headers={"If-None-Match": "*"}).status_code == 412

    assert api.put(f"{path}?dry_run=true", json=second, headers={"If-Match": seen}).status_code == 200
    changed = api.put(path, json=second, headers={"If-Match": seen})
    assert (changed.status_code, changed.headers["ETag"] != seen) == (200, True)
    late = api.put(path, json=first, headers={"If-Match": seen})
    assert (problem_of(late, 412)["code"], late.headers["ETag"]) == ("precondition.failed", changed.headers["ETag"])
    assert api.get(path).headers["ETag"] == changed.headers["ETag"]
    assert api.put(path, json=first).headers["ETag"] == seen


@pytest.mark.parametrize("path", ["/clients/client-9", BLOCK])
def test_only_what_was_seen_is_deleted(api: FlaskClient, path: str) -> None:
    api.put(f"/tpps/{NUMBER}", json=TPP)
    seen = api.put(path, json={"reason": "stolen"} if path == BLOCK else CLIENT_BODY).headers["ETag"]
    problem_of(api.delete(path, headers={"If-Match": '"other"'}), 412)
    problem_of(api.delete(path, headers={"If-Match": "no tag"}), 400)
    assert api.get(path).status_code == 200
    assert api.delete(path, headers={"If-Match": seen}).status_code == 204
    problem_of(api.delete(path, headers={"If-Match": seen}), 404)
    problem_of(api.get(path), 404)


def test_roles_may_be_written_as_licences(api: FlaskClient) -> None:
    """AISP is PSP_AI."""
    assert api.put(f"/tpps/{NUMBER}", json=TPP | {"roles": ["AISP"]}).get_json()["roles"] == ["PSP_AI"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 141}, "name"),
        ({"name": 7}, "name"),
        ({"country": "FR"}, "country"),
        ({"nca_id": "FR-ACPR"}, "nca_id"),
        ({"roles": []}, "roles"),
        ({"roles": "PSP_AI"}, "roles"),
        ({"roles": ["PSP_AI", "PSP_XX"]}, "roles[1]"),
        ({"status": "asleep"}, "status"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_faulty_tpp_is_told_by_field(api: FlaskClient, change: dict[str, object], field: str) -> None:
    """422; nothing is registered."""
    assert fields_of(api.put(f"/tpps/{NUMBER}", json=TPP | change)) == [field]
    assert api.get(f"/tpps/{NUMBER}").status_code == 404


def test_a_malformed_authorisation_number_is_told(api: FlaskClient) -> None:
    """With what would be right."""
    answer = api.put("/tpps/BAFIN-1", json=TPP)

    assert fields_of(answer) == ["authorisation_number"]
    assert "PSDDE-BAFIN-123456" in answer.get_json()["detail"]


def test_several_faults_are_told_at_once(api: FlaskClient) -> None:
    """So that nobody has to find them one by one."""
    assert fields_of(api.put(f"/tpps/{NUMBER}", json={"name": "", "roles": 3})) == [
        "name",
        "country",
        "nca_id",
        "nca_name",
        "roles",
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_what_is_no_object_is_told(api: FlaskClient, body: bytes) -> None:
    """Not a 500."""
    assert fields_of(api.put(f"/tpps/{NUMBER}", data=body, content_type="application/json")) == ["body"]


def test_another_content_type_is_told(api: FlaskClient) -> None:
    """415."""
    problem_of(api.put(f"/tpps/{NUMBER}", data=orjson.dumps(TPP)), 415)


def test_a_client_is_registered_read_and_deleted(api: FlaskClient) -> None:
    """201, 200, 204, then 404."""
    api.put(f"/tpps/{NUMBER}", json=TPP)
    assert api.put(f"/clients/{CLIENT}", json=CLIENT_BODY).status_code == 201

    told = api.get(f"/clients/{CLIENT}").get_json()
    assert told | {"client_id": CLIENT, "status": "active"} | CLIENT_BODY == told
    assert (told["application_type"], told["jwks"], told["dpop_bound_access_tokens"]) == ("web", None, False)
    assert "registration_access_token_sha256" not in told
    assert api.delete(f"/clients/{CLIENT}").status_code == 204
    problem_of(api.get(f"/clients/{CLIENT}"), 404)
    problem_of(api.delete(f"/clients/{CLIENT}"), 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": ["http://tpp.example/cb"]}, "redirect_uris[0]"),
        ({"redirect_uris": [REDIRECT_URI, 7]}, "redirect_uris[1]"),
        ({"profile": "oidc"}, "profile"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"authorisation_number": OTHER_NUMBER}, "authorisation_number"),
    ],
)
def test_a_faulty_client_is_told_by_field(api: FlaskClient, change: dict[str, object], field: str) -> None:
    """Public clients and clients with secrets can't be registered at all."""
    api.put(f"/tpps/{NUMBER}", json=TPP)

    assert fields_of(api.put(f"/clients/{CLIENT}", json=CLIENT_BODY | change)) == [field]
    assert api.get(f"/clients/{CLIENT}").status_code == 404


def test_every_fault_of_a_client_is_told_at_once(api: FlaskClient) -> None:
    """Each by its field."""
    api.put(f"/tpps/{NUMBER}", json=TPP)
    faulty = CLIENT_BODY | {"tls_client_auth_san_ip": "x", "jwks_uri": "http://tpp.example/jwks"}

    assert fields_of(api.put(f"/clients/{CLIENT}", json=faulty)) == ["tls_client_auth_san_ip", "jwks_uri"]


def test_a_client_of_another_tpp_is_a_conflict(api: FlaskClient) -> None:
    """409."""
    other = TPP | {"country": "FR", "nca_id": "FR-ACPR"}
    api.put(f"/tpps/{NUMBER}", json=TPP)
    api.put(f"/tpps/{OTHER_NUMBER}", json=other)
    api.put(f"/clients/{CLIENT}", json=CLIENT_BODY)

    answer = api.put(f"/clients/{CLIENT}", json=CLIENT_BODY | {"authorisation_number": OTHER_NUMBER})

    assert problem_of(answer, 409)["errors"][0]["field"] == "client_id"


def test_a_trust_store_and_its_crl_are_taken(api: FlaskClient) -> None:
    """The answer names what is trusted now, and which list is in force."""
    authority = Authority()
    answer = api.put("/trust-stores/tpp", json={"anchors": [authority.pem], "intermediates": []})
    assert [entry["kind"] for entry in answer.get_json()["certificates"]] == ["anchor"]

    der = authority.crl(number=3).public_bytes(serialization.Encoding.DER)
    taken = api.put("/trust-stores/tpp/crl", data=der, content_type="application/pkix-crl")

    assert (taken.status_code, taken.get_json()["number"]) == (200, "3")


def test_a_faulty_trust_store_is_told_by_entry(api: FlaskClient) -> None:
    """422."""
    body = {"anchors": [Authority().pem, "x"], "intermediates": []}

    assert fields_of(api.put("/trust-stores/tpp", json=body)) == ["anchors[1]"]


def test_an_outdated_crl_is_a_conflict(api: FlaskClient) -> None:
    """409, so that the publisher knows it is behind."""
    authority = Authority()
    api.put("/trust-stores/tpp", json={"anchors": [authority.pem], "intermediates": []})
    for number, status in ((5, 200), (4, 409)):
        der = authority.crl(number=number).public_bytes(serialization.Encoding.DER)
        answer = api.put("/trust-stores/tpp/crl", data=der, content_type="application/pkix-crl")
        assert answer.status_code == status


def test_a_crl_larger_than_other_bodies_is_read(api: FlaskClient) -> None:
    """A hundred thousand revocations are megabytes: refused for what it is, not for its size."""
    answer = api.put("/trust-stores/tpp/crl", data=b"0" * (5 * 1024 * 1024), content_type="application/pkix-crl")

    assert fields_of(answer) == ["crl"]
    problem_of(api.put("/trust-stores/tpp/crl", data=b"0" * (17 * 1024 * 1024), content_type="application/pkix-crl"), 413)


def test_a_certificate_is_blocked_and_freed(api: FlaskClient) -> None:
    """201, 200, 204, 404."""
    path = f"/certificates/{'ab' * 32}/block"
    assert api.put(path, json={"reason": "stolen"}).status_code == 201
    assert api.put(path, json={"reason": "stolen"}).status_code == 200
    assert api.delete(path).status_code == 204
    problem_of(api.delete(path), 404)
    assert fields_of(api.put("/certificates/xyz/block", json={"reason": "stolen"})) == ["sha256"]
    assert fields_of(api.put(path, json={"reason": ""})) == ["reason"]


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


class Neighbour:
    """A server that is well, or not there."""

    def __init__(self, name: str, status: int | None) -> None:
        self.name = name
        self._status = status

    def health(self, *, timeout: float) -> Response:
        assert timeout <= 5
        if self._status is None:
            raise PeerUnavailable(self.name, "connection refused")
        answer = Response()
        answer.status_code = self._status
        return answer


def test_the_health_of_servers_that_answer_to_the_gateway_alone_is_passed_on() -> None:
    """Well, unwell, and not there."""
    app = Flask("servers")
    app.register_blueprint(servers_blueprint([Neighbour("a", 200), Neighbour("b", 503), Neighbour("c", None)]))

    servers = app.test_client().get("/servers").get_json()["servers"]

    assert [(each["name"], each["healthy"], each["complaint"]) for each in servers] == [
        ("a", True, None),
        ("b", False, "/health answered 503"),
        ("c", False, "connection refused"),
    ]


def test_an_unknown_path_is_a_problem_document(api: FlaskClient) -> None:
    """As is a method that a path doesn't have."""
    problem_of(api.get("/nowhere"), 404)
    problem_of(api.post("/tpps"), 405)


def test_it_says_that_it_is_well(api: FlaskClient) -> None:
    """docs/architecture.md §2."""
    assert api.get("/health").get_json() == {"status": "ok"}
