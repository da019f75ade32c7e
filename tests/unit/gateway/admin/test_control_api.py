"""The control API: contract of docs/architecture.md §3.4, and problem documents that name the field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from flask import Flask
from requests import Response

from chassis.peers import PeerUnavailable
from gateway.admin.servers_api import servers_blueprint
from tests.support.admin import admin_client, fields_of, problem_of
from tests.support.authorization import CLIENT, NUMBER, OTHER_NUMBER, REDIRECT_URI
from tests.support.pki import Authority

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

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
