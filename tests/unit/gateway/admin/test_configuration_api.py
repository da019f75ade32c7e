"""The configuration over the control API: versions by entity tags, dry runs, batches, and who did what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from psd2.clock import FixedClock
from tests.support.admin import admin_client
from tests.support.authorization import NUMBER
from tests.support.pki import Authority
from tests.unit.gateway.admin.test_control_api import CLIENT_BODY, TPP

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient
    from sqlalchemy import Engine
    from werkzeug.test import TestResponse

NOON = datetime.now(UTC).replace(microsecond=0)
NEW = {"If-None-Match": "*"}
GOLD = "/config/plans/gold"
SHOP = {"address": "/a", "plan": "gold", "secret": "open sesame"}


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> FlaskClient:
    return admin_client(engine, tmp_path, clock=FixedClock(NOON))


def problem_of(answer: TestResponse, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    return body


def made(api: FlaskClient, path: str = GOLD, body: dict[str, Any] | None = None) -> dict[str, str]:
    """Make a document; return the header that changes it."""
    answer = api.put(path, json=body or {"rate": 10}, headers=NEW)
    assert answer.status_code == 201, answer.text
    return {"If-Match": answer.headers["ETag"]}


def test_a_document_is_created_read_replaced_and_deleted(api: FlaskClient) -> None:
    """Each answer carries the entity tag that the next change needs."""
    seen = made(api)
    replaced = api.put(GOLD, json={"rate": 20}, headers=seen)
    page = api.get(GOLD)

    assert replaced.get_json() == {
        "kind": "plans",
        "name": "gold",
        "action": "replaced",
        "version": 2,
        "etag": page.headers["ETag"],
        "difference": [{"field": "rate", "before": 10, "after": 20}],
    }
    assert page.get_json()["document"] == {"rate": 20}
    assert {page.get_json()[key] for key in ("origin", "actor")} == {"operator"}
    assert page.get_json()["at"] == NOON.isoformat()
    assert api.delete(GOLD, headers={"If-Match": replaced.headers["ETag"]}).get_json()["action"] == "deleted"
    problem_of(api.get(GOLD), 404)


def test_a_change_says_which_version_it_has_seen(api: FlaskClient) -> None:
    """428 where it says nothing."""
    seen = made(api)
    for answer in (api.put(GOLD, json={"rate": 1}), api.delete(GOLD), api.post(f"{GOLD}/rollback", json={"version": 1})):
        assert problem_of(answer, 428)["code"] == "http.428"
    assert api.get(GOLD).headers["ETag"] == seen["If-Match"]


def test_of_two_writers_one_is_told_that_it_came_late(api: FlaskClient) -> None:
    """412, with the entity tag of what stands."""
    seen = made(api)
    first = api.put(GOLD, json={"rate": 20}, headers=seen)
    late = api.put(GOLD, json={"rate": 30}, headers=seen)

    assert problem_of(late, 412)["code"] == "precondition.failed"
    assert late.headers["ETag"] == first.headers["ETag"]
    problem_of(api.delete(GOLD, headers=seen), 412)
    problem_of(api.put(GOLD, json={"rate": 30}, headers=NEW), 412)
    problem_of(api.put("/config/plans/none", json={"rate": 30}, headers=seen), 412)
    assert api.get(GOLD).get_json()["document"] == {"rate": 20}


def test_a_weak_tag_never_matches_and_a_list_of_tags_may_hold_the_right_one(api: FlaskClient) -> None:
    """RFC 9110 §13.1.1; `*` is whatever stands."""
    tag = made(api)["If-Match"]
    problem_of(api.put(GOLD, json={"rate": 1}, headers={"If-Match": f"W/{tag}"}), 412)
    assert api.put(GOLD, json={"rate": 2}, headers={"If-Match": f'"x", {tag}'}).status_code == 200
    assert api.put(GOLD, json={"rate": 3}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"If-Match": "1-abc"}, {"If-Match": ""}, {"If-None-Match": '"x"'}, {"If-Match": "*", "If-None-Match": "*"}]
)
def test_a_condition_that_cannot_be_read_is_told(api: FlaskClient, headers: dict[str, str]) -> None:
    """400, and nothing is changed."""
    made(api)
    problem_of(api.put(GOLD, json={"rate": 1}, headers=headers), 400)
    assert api.get(GOLD).get_json()["document"] == {"rate": 10}


def test_faults_are_told_with_their_document_and_field(api: FlaskClient) -> None:
    """All at once."""
    answer = api.put("/config/shops/a", json={"sans": ["x" * 11], "plan": 3}, headers=NEW)

    body = problem_of(answer, 422)
    assert [(fault["document"], fault["field"]) for fault in body["errors"]] == [
        ("shops/a", "address"),
        ("shops/a", "plan"),
        ("shops/a", "sans[0]"),
    ]
    assert "shops/a: sans[0]:" in body["detail"]


def test_a_page_says_what_a_document_comes_to_and_who_uses_it(api: FlaskClient) -> None:
    """In the words of its kind."""
    made(api)
    made(api, "/config/shops/a", SHOP)

    assert api.get("/config/shops/a").get_json()["description"] == {"rate": 10}
    assert api.get("/config/shops/a").get_json()["references"] == [{"field": "plan", "document": "plans/gold"}]
    assert api.get(GOLD).get_json()["used_by"] == [{"document": "shops/a", "field": "plan"}]
    in_use = problem_of(api.delete(GOLD, headers={"If-Match": "*"}), 409)
    assert (in_use["code"], in_use["used_by"]) == ("document.in_use", [{"document": "shops/a", "field": "plan"}])


def test_a_dry_run_answers_as_the_real_one_and_changes_nothing(api: FlaskClient) -> None:
    """For each way of changing, refusals included; in whatever it answers nobody can tell the two apart."""
    seen = made(api)
    api.put(GOLD, json={"rate": 20}, headers=seen)
    before = api.get(GOLD).get_json()
    now = {"If-Match": before["etag"]}
    batch = {"changes": [{"kind": "plans", "name": "silver", "document": {"rate": 1}}]}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", GOLD, {"json": {"rate": 0}, "headers": now}),
        ("PUT", GOLD, {"json": {"rate": 5}, "headers": seen}),
        ("PUT", "/config/plans/new", {"json": {"rate": 5}, "headers": NEW}),
        ("POST", "/config", {"json": batch}),
        ("POST", f"{GOLD}/rollback", {"json": {"version": 1}, "headers": now}),
    ]
    tried = [api.open(path, method=method, query_string={"dry_run": "true"}, **call) for method, path, call in calls]
    tried.append(api.delete(f"{GOLD}?dry_run=true", headers=now))
    assert api.get(GOLD).get_json() == before
    assert len(api.get("/config/plans").get_json()["documents"]) == 1
    assert len(api.get("/audit").get_json()["records"]) == 2

    real = [api.open(path, method=method, **call) for method, path, call in calls]
    assert [(answer.status_code, answer.get_json(), answer.headers.get("ETag")) for answer in tried[:-1]] == [
        (answer.status_code, answer.get_json(), answer.headers.get("ETag")) for answer in real
    ]
    assert tried[-1].get_json()["action"] == "deleted"


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=", "dryrun=true", "dry-run=true", "dry_run=true&x=1"])
def test_a_misspelt_dry_run_is_not_the_real_one(api: FlaskClient, query: str) -> None:
    """422 rather than a change."""
    problem_of(api.put(f"{GOLD}?{query}", json={"rate": 1}, headers=NEW), 422)
    problem_of(api.get(GOLD), 404)


@pytest.mark.parametrize("query", ["dry_run=false&dry_run=true", "dry_run=true&dry_run=false"])
def test_a_dry_run_that_is_asked_for_and_not_is_no_change(api: FlaskClient, query: str) -> None:
    """400 rather than the first of the two."""
    problem_of(api.put(f"{GOLD}?{query}", json={"rate": 1}, headers=NEW), 400)
    problem_of(api.get(GOLD), 404)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_json_can_not_say_is_not_taken_for_nothing(api: FlaskClient, number: str) -> None:
    """As null it would lift what the field asks for."""
    body = f'{{"changes": [{{"kind": "plans", "name": "gold", "document": {{"rate": 1, "note": {number}}}}}]}}'
    problem = problem_of(api.post("/config", data=body, content_type="application/json"), 422)
    assert "JSON can't say" in str(problem)


def test_tpps_clients_and_trust_can_be_tried_too(api: FlaskClient) -> None:
    """Each answers as the real change, and leaves nothing: no TPP, no client, no block, no record."""
    sha256, authority = "ab" * 32, Authority()
    changes: list[tuple[str, str, Any]] = [
        ("PUT", f"/tpps/{NUMBER}", TPP),
        ("PUT", "/clients/c", CLIENT_BODY),
        ("PUT", "/trust-stores/tpp", {"anchors": [authority.pem]}),
        ("PUT", f"/certificates/{sha256}/block", {"reason": "stolen"}),
        ("DELETE", f"/certificates/{sha256}/block", None),
        ("DELETE", "/clients/c", None),
    ]
    for number, (method, path, body) in enumerate(changes):
        tried = [api.open(f"{path}?dry_run=true", method=method, json=body) for _ in range(2)]
        assert len(api.get("/audit").get_json()["records"]) == number
        real = api.open(path, method=method, json=body)
        assert {(each.status_code, each.data) for each in tried} == {(real.status_code, real.data)}
    assert len(api.get("/audit").get_json()["records"]) == len(changes)


def test_what_can_not_be_tried_says_so_and_does_nothing(api: FlaskClient) -> None:
    """Rather than being the real one."""
    authority = Authority()
    api.put("/trust-stores/tpp", json={"anchors": [authority.pem]})
    crl = authority.crl(number=3).public_bytes(Encoding.DER)

    problem_of(api.put("/trust-stores/tpp/crl?dry_run=true", data=crl, content_type="application/pkix-crl"), 400)
    assert len(api.get("/audit").get_json()["records"]) == 1


def test_a_batch_is_made_whole_or_not_at_all(api: FlaskClient) -> None:
    """Deletions among it; each change may say what it has seen."""
    tag = made(api)["If-Match"]
    silver = {"kind": "plans", "name": "silver", "document": {"rate": 1}}
    gone = {"kind": "plans", "name": "gold", "document": None, "if_match": tag}
    for bad, status in (
        (silver | {"name": "bronze", "document": {"rate": 0}}, 422),
        (silver | {"kind": "plan"}, 422),
        (gone | {"if_match": '"0-x"'}, 412),
        (gone | {"if_match": ""}, 412),
        (gone | {"name": "none", "if_match": None}, 404),
    ):
        problem_of(api.post("/config", json={"changes": [silver, bad]}), status)
    assert [each["name"] for each in api.get("/config/plans").get_json()["documents"]] == ["gold"]

    answer = api.post("/config", json={"changes": [silver, gone]})
    assert [(each["name"], each["action"]) for each in answer.get_json()["changes"]] == [
        ("silver", "created"),
        ("gold", "deleted"),
    ]


def test_history_tells_each_version_and_any_can_come_back(api: FlaskClient) -> None:
    """Newest first; deletions are among them, and even what was deleted comes back."""
    seen = made(api)
    api.delete(GOLD, headers=seen)

    versions = api.get(f"{GOLD}/history").get_json()["versions"]
    assert [(each["version"], each["deleted"], each["difference"]) for each in versions] == [
        (2, True, [{"field": "rate", "before": 10}]),
        (1, False, [{"field": "rate", "after": 10}]),
    ]
    assert api.get(f"{GOLD}?version=1").get_json()["document"] == {"rate": 10}
    assert api.post(f"{GOLD}/rollback", json={"version": 1}, headers=NEW).get_json()["version"] == 3
    problem_of(api.post(f"{GOLD}/rollback", json={"version": 2}, headers={"If-Match": "*"}), 404)


def test_secrets_are_in_no_answer(api: FlaskClient) -> None:
    """Nor in the audit."""
    made(api)
    seen = made(api, "/config/shops/a", SHOP)
    body = api.get("/config/shops/a").get_json()["document"]
    assert body["secret"] == "(secret of version 1: secret)"
    answers = [
        api.put("/config/shops/a", json=body | {"address": "/b"}, headers=seen),
        api.put("/config/shops/a", json=SHOP | {"secret": "sesame two"}, headers={"If-Match": "*"}),
        *(api.get(f"/config/shops/a{rest}") for rest in ("", "?version=1", "/history")),
        *(api.get(path) for path in ("/audit", "/config", "/config/shops")),
        api.put("/config/shops/a", json=SHOP | {"address": "sesame"}, headers={"If-Match": "*"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 8 + [422]
    assert "sesame" not in "".join(answer.text for answer in answers[:-1])


def test_kinds_are_told_with_their_schemas_and_whether_all_is_well(api: FlaskClient) -> None:
    """`usable`: the stored set could be in force."""
    made(api)
    overview = api.get("/config").get_json()

    assert [(kind["name"], kind["documents"]) for kind in overview["kinds"]] == [("plans", 1), ("shops", 0)]
    assert overview["kinds"][0]["schema"]["properties"]["rate"]["maximum"] == 1000
    assert (overview["usable"], overview["faults"]) == (True, [])


def test_documents_are_listed_page_by_page(api: FlaskClient) -> None:
    """By name."""
    for name in ("c", "a", "b"):
        made(api, f"/config/plans/{name}")
    page = api.get("/config/plans?limit=2").get_json()
    rest = api.get(f"/config/plans?limit=2&after={page['next']}").get_json()

    assert [each["name"] for each in page["documents"] + rest["documents"]] == ["a", "b", "c"]
    assert rest["next"] is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"[" * 100_000])
def test_what_is_no_document_is_told(api: FlaskClient, body: bytes) -> None:
    """Not a 500."""
    problem_of(api.put(GOLD, data=body, content_type="application/json", headers=NEW), 400)
    problem_of(api.put(GOLD, data=body, headers=NEW), 415)


def test_what_is_not_there_is_told(api: FlaskClient) -> None:
    """Kinds too."""
    assert "known are plans, shops" in problem_of(api.get("/config/plan"), 404)["detail"]
    for answer in (
        api.put("/config/plan/gold", json={}, headers=NEW),
        api.get(GOLD),
        api.get(f"{GOLD}?version=4"),
        api.get(f"{GOLD}/history"),
        api.delete(GOLD, headers={"If-Match": "*"}),
    ):
        assert answer.status_code in {404, 412}
        problem_of(answer, answer.status_code)


# --- who did what ---


def test_every_change_is_recorded_with_its_caller_and_for_whom_it_acts(api: FlaskClient) -> None:
    """The newest first, page by page."""
    made(api)
    api.put(GOLD, json={"rate": 20}, headers={"If-Match": "*", "X-Sandbox-Actor": "Ada"})

    page = api.get("/audit?limit=1").get_json()
    rest = api.get(f"/audit?before={page['next']}").get_json()

    (newest,), (oldest,) = page["records"], rest["records"]
    assert (newest["actor"], newest["on_behalf_of"], newest["action"]) == ("operator", "Ada", "replaced")
    assert (newest["object_kind"], newest["object_name"]) == ("plans", "gold")
    assert newest["difference"] == [{"field": "rate", "before": 10, "after": 20}]
    assert (oldest["on_behalf_of"], rest["next"]) == (None, None)


def test_changes_of_tpps_clients_and_trust_are_recorded_too(api: FlaskClient) -> None:
    """What is sent again and changes nothing is no change."""
    authority, sha256 = Authority(), "ab" * 32
    crl = authority.crl(number=3).public_bytes(Encoding.DER)
    for _ in range(2):
        api.put(f"/tpps/{NUMBER}", json=TPP)
        api.put("/clients/c", json=CLIENT_BODY)
        api.put("/trust-stores/tpp", json={"anchors": [authority.pem]})
        api.put("/trust-stores/tpp/crl", data=crl, content_type="application/pkix-crl")
        api.put(f"/certificates/{sha256}/block", json={"reason": "stolen"})
    api.put(f"/tpps/{NUMBER}", json=TPP | {"status": "blocked"})
    api.delete(f"/certificates/{sha256}/block")
    api.delete("/clients/c")

    records = list(reversed(api.get("/audit").get_json()["records"]))
    assert [(record["action"], record["object_kind"], record["object_name"]) for record in records] == [
        ("created", "tpps", NUMBER),
        ("created", "clients", "c"),
        ("created", "trust-stores", "tpp"),
        ("created", "crls", records[3]["object_name"]),
        ("created", "block-list", sha256),
        ("replaced", "tpps", NUMBER),
        ("deleted", "block-list", sha256),
        ("deleted", "clients", "c"),
    ]
    assert records[5]["difference"] == [{"field": "status", "before": "active", "after": "blocked"}]
    assert api.get("/audit/verification").get_json()["intact"]


@pytest.mark.parametrize("name", ["", "x" * 141, "a\tb", "\xe9"])
def test_whom_a_caller_acts_for_is_plain_text(api: FlaskClient, name: str) -> None:
    """Nothing is changed otherwise."""
    problem_of(api.put(GOLD, json={"rate": 1}, headers=NEW | {"X-Sandbox-Actor": name}), 400)
    problem_of(api.get(GOLD), 404)


def test_a_change_whose_caller_is_not_known_is_not_made(engine: Engine, tmp_path: Path) -> None:
    """It could not be recorded."""
    api = admin_client(engine, tmp_path, caller=None)
    problem_of(api.put(GOLD, json={"rate": 1}, headers=NEW), 500)
    assert api.get(GOLD).status_code == 404


def test_the_audit_is_verified_on_request(api: FlaskClient) -> None:
    """With the head that somebody noted."""
    made(api)
    first = api.get("/audit/verification").get_json()
    assert (first["intact"], first["records"]) == (True, 1)
    api.put(GOLD, json={"rate": 20}, headers={"If-Match": "*"})

    assert api.get("/audit/verification", query_string={"head": first["head"]}).get_json()["intact"]
    forged = "1:" + "0" * 64
    answer = api.get("/audit/verification", query_string={"head": forged}).get_json()
    assert (answer["intact"], "rewritten" in answer["complaint"]) == (False, True)
    problem_of(api.get("/audit/verification?head=x"), 422)
