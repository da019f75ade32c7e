"""The control API: contract of docs/architecture.md §3.4, and problem documents that name the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.admin.app import create_app
from gateway.register.service import Register
from gateway.register.store import SqlRegisterStore
from gateway.trust.service import Trust
from gateway.trust.store import SqlTrustStore
from psd2.clock import SystemClock
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, REDIRECT_URI
from tests.support.pki import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

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
    clock = SystemClock()
    register = Register(store=SqlRegisterStore(engine), clock=clock)
    trust = Trust(store=SqlTrustStore(engine), clock=clock)
    return create_app(register=register, trust=trust, audit_folder=tmp_path).test_client()


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
    problem_of(api.put(f"/tpps/{NUMBER}", data=json.dumps(TPP)), 415)


def test_a_client_is_registered_read_and_deleted(api: FlaskClient) -> None:
    """201, 200, 204, then 404."""
    api.put(f"/tpps/{NUMBER}", json=TPP)
    assert api.put(f"/clients/{CLIENT}", json=CLIENT_BODY).status_code == 201

    assert api.get(f"/clients/{CLIENT}").get_json() == {"client_id": CLIENT, "status": "active"} | CLIENT_BODY
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


def test_the_newest_requests_are_told(api: FlaskClient, tmp_path: Path) -> None:
    """Filtered and limited."""
    records = [
        {"ts": "2026-03-02T09:00:00Z", "tpp": NUMBER, "outcome": "refused", "reason": "mtls.expired"},
        {"ts": "2026-03-02T09:00:01Z", "tpp": NUMBER, "outcome": "admitted", "reason": None},
        {"ts": "2026-03-02T09:00:02Z", "tpp": OTHER_NUMBER, "outcome": "refused", "reason": "mtls.expired"},
    ]
    (tmp_path / "audit-1.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))

    def told(query: str) -> list[dict[str, object]]:
        found: list[dict[str, object]] = api.get(f"/requests{query}").get_json()["requests"]
        return found

    assert told("") == records[::-1]
    assert told("?limit=1") == [records[2]]
    assert told(f"?tpp={NUMBER}&outcome=refused&reason=mtls.expired") == [records[0]]


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("limit=x", "limit"), ("limit=1001", "limit"), ("x=1", "x")]
)
def test_a_faulty_query_is_told(api: FlaskClient, query: str, field: str) -> None:
    """422."""
    assert fields_of(api.get(f"/requests?{query}")) == [field]


def test_an_unknown_path_is_a_problem_document(api: FlaskClient) -> None:
    """As is a method that a path doesn't have."""
    problem_of(api.get("/nowhere"), 404)
    problem_of(api.post("/tpps"), 405)


def test_it_says_that_it_is_well(api: FlaskClient) -> None:
    """docs/architecture.md §2."""
    assert api.get("/health").get_json() == {"status": "ok"}
