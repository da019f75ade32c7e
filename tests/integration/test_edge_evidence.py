"""Evidence at a real edge: every check explained for the caller's own certificate and token, and all that happens counted."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from gateway.kinds import KINDS
from psd2.qcstatements import encode_qcstatements, flatten_roles
from psd2.qualified import Psd2Statement, QcStatements, QcType
from tests.support.admin import admin_client
from tests.support.edge import EdgeUnderTest, running_edge
from tests.support.metrics import samples_at
from tests.support.pki import ALL_ROLES, NUMBER, self_signed
from tests.support.ports import wait_until
from tests.support.signing import signed_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.edge import Answer
    from tests.support.pki import Issued

ACCOUNTS = {"method": "GET", "path": "/v1/accounts"}
RIGHT = encode_qcstatements(
    QcStatements(
        compliance=True,
        types=frozenset({QcType.WEB}),
        sscd=False,
        pds=(),
        psd2=Psd2Statement(roles=ALL_ROLES, nca_name="BaFin", nca_id="DE-BAFIN"),
    )
)
FAILURES = 8
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
COMPLIANCE = bytes.fromhex("3008060604008e460101")
EMPTY = bytes.fromhex("300a060604008e4601010c00")
VARIANTS = {
    "flat-roles": flatten_roles(RIGHT),
    "unwrapped": RIGHT[2:],
    "empty-value": bytes((RIGHT[0], RIGHT[1] + 2)) + RIGHT[2:].replace(COMPLIANCE, EMPTY),
    "role-name": RIGHT.replace(b"PSP_AI", b"AISP__"),
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend an edge to all tests of this file."""
    with running_edge(tmp_path_factory.mktemp("edge"), BRUTE_FORCE_FAILURES=str(FAILURES)) as running:
        yield running


def asked(edge: EdgeUnderTest, question: dict[str, Any], **more: Any) -> Answer:
    return edge.get("/explain", method="POST", body=json.dumps(question).encode(), **more)


def explained(edge: EdgeUnderTest, question: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = asked(edge, question, **more)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def check(found: dict[str, Any], name: str) -> dict[str, Any]:
    (one,) = [each for each in found["checks"] if each["check"] == name]
    assert isinstance(one, dict)
    return one


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {each["check"]: each["verdict"] for each in found["checks"]}


def test_a_call_that_would_pass_is_explained_and_not_made(edge: EdgeUnderTest) -> None:
    """Every check with what was seen and the clause; the bank hears nothing, the log has one record, of the question."""
    before = len(edge.bank.received)
    answer = asked(edge, ACCOUNTS, certificate=edge.qwac, token=edge.register.token(edge.qwac))

    found = answer.json
    assert (found["verdict"], found["answer"]) == ("admitted", None)
    assert found["request"] == ACCOUNTS | {"deployment": "xs2a-accounts", "route": "/v1/accounts"}
    asked_for = {name for name, verdict in verdicts(found).items() if verdict == "passed"}
    assert asked_for >= {"tls", "route", "certificate", "revocation", "qwac", "register", "token", "binding", "role", "scope"}
    assert {"what": "TPP", "value": "PSDDE-BAFIN-100001"} in check(found, "register")["seen"]
    assert all(each["clause"] for each in found["checks"])
    assert len(edge.bank.received) == before
    record = edge.record_of(answer)
    assert (record["route"], record["tpp"], record["status"]) == ("/explain", "PSDDE-BAFIN-100001", 200)


def test_every_fault_is_named_with_what_helps(edge: EdgeUnderTest) -> None:
    """What the gateway would answer is the first of them."""
    stranger = self_signed()
    found = explained(edge, ACCOUNTS, certificate=stranger, token=edge.register.token(edge.qwac, revoked=True))

    assert found["answer"]["reason"] == edge.get("/v1/accounts", certificate=stranger, token="x").reason == "mtls.untrusted"
    assert [each["reason"] for each in found["checks"] if "reason" in each] == ["mtls.untrusted", "token.revoked"]
    assert check(found, "token")["hint"]
    assert check(found, "role")["verdict"] == "not_reached"


def test_whoever_comes_without_anything_is_told_what_is_missing(edge: EdgeUnderTest) -> None:
    """No certificate, no token: it is whom the answer is for."""
    found = explained(edge, ACCOUNTS)
    assert (found["answer"]["reason"], found["certificate"]) == ("mtls.missing", None)


@pytest.mark.parametrize(("variant", "statements"), VARIANTS.items(), ids=VARIANTS)
def test_malformed_statements_that_are_read_are_named(edge: EdgeUnderTest, variant: str, statements: bytes) -> None:
    """The gateway takes them; another bank's may not, and their owner should know."""
    certificate = edge.authority.qwac(statements=statements)
    found = explained(edge, ACCOUNTS, certificate=certificate, token=edge.register.token(certificate))
    (departure,) = found["certificate"]["departures"]
    assert (found["verdict"], departure["variant"]) == ("admitted", variant)
    assert departure["text"]
    assert departure["clause"]


def pasted(edge: EdgeUnderTest, other: Issued, **more: Any) -> dict[str, Any]:
    return explained(edge, ACCOUNTS | {"certificate": other.pem}, **more)


def test_a_pasted_certificate_is_judged_and_marked_as_not_proved(edge: EdgeUnderTest) -> None:
    """Of another TPP's nothing is told that the gateway knows; of one's own all is."""
    own, others = edge.authority.qwac(), edge.authority.qwac(number="PSDDE-BAFIN-100002")
    for caller, other, told in ((edge.qwac, own, "passed"), (edge.qwac, others, "withheld"), (None, own, "withheld")):
        found = pasted(edge, other, certificate=caller)
        assert found["certificate"] | {"departures": []} == {"sha256": other.sha256, "proved": False, "departures": []}
        assert (verdicts(found)["certificate"], verdicts(found)["register"]) == ("passed", told)


def test_a_signature_is_judged_over_the_described_request(edge: EdgeUnderTest) -> None:
    """The same judgement as on the way; one that is wrong is the bank's to refuse."""
    seal, body = edge.authority.qseal(), '{"access": {}}'
    question = {"method": "POST", "path": "/v1/consents", "body": body}
    for signed, verdict in ((body, "passed"), ("{}", "failed")):
        headers = {name: value for name, value in signed_headers(seal, signed.encode()).items() if name.lower() != "host"}
        found = explained(edge, question | {"headers": headers}, certificate=edge.qwac)
        assert (verdicts(found)["signature"], found["verdict"]) == (verdict, "admitted")


@pytest.fixture(scope="module")
def control_api(edge: EdgeUnderTest) -> FlaskClient:
    """Lend the control API of the edge's own database."""
    return admin_client(edge.register.engine, edge.home.path, kinds=KINDS, caller="portal")


def told_to(control_api: FlaskClient, tpp: str, **question: Any) -> dict[str, Any]:
    """Return what a TPP's developer is told in the portal."""
    answer = control_api.post("/explain", json={**ACCOUNTS, "tpp": tpp, "address": "127.0.0.1", **question})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_tpps_developer_is_told_the_same_without_its_key(edge: EdgeUnderTest, control_api: FlaskClient) -> None:
    """By the hash of its token, or that hash's beginning as records have it; only the key is not proved."""
    secret = edge.register.token(edge.qwac)
    sha256 = hashlib.sha256(secret.encode()).hexdigest()
    by_itself = explained(edge, ACCOUNTS, certificate=edge.qwac, token=secret)
    for token in (sha256, sha256[:16]):
        told = told_to(control_api, NUMBER, certificate=edge.qwac.pem, token=token)
        assert (told["verdict"], told["request"]) == ("admitted", by_itself["request"])
        assert told["certificate"] == by_itself["certificate"] | {"proved": False}
        assert verdicts(told) == verdicts(by_itself) | {"limits": "not_reached"}


def test_a_change_is_told_at_once(edge: EdgeUnderTest, control_api: FlaskClient) -> None:
    """Nothing is remembered that has changed since: here a certificate that is blocked, and freed."""
    certificate = edge.authority.qwac()
    assert verdicts(told_to(control_api, NUMBER, certificate=certificate.pem))["block_list"] == "passed"
    edge.register.trust.block(certificate.sha256, "stolen")
    assert told_to(control_api, NUMBER, certificate=certificate.pem)["answer"]["reason"] == "mtls.blocked"
    edge.register.trust.unblock(certificate.sha256)
    assert verdicts(told_to(control_api, NUMBER, certificate=certificate.pem))["block_list"] == "passed"


def test_of_others_a_tpps_developer_is_told_nothing(edge: EdgeUnderTest, control_api: FlaskClient) -> None:
    """Another's token is as unknown as one that nobody has; of another's certificate only what it says itself is told."""
    sha256 = hashlib.sha256(edge.register.token(edge.qwac).encode()).hexdigest()
    anothers, nobodys = (told_to(control_api, "PSDDE-BAFIN-100002", token=token) for token in (sha256, "ab" * 32))
    assert anothers == nobodys
    assert (check(anothers, "token")["reason"], check(anothers, "token")["seen"]) == ("token.unknown", [])
    blocked = edge.authority.qwac()
    edge.register.trust.block(blocked.sha256, "stolen")
    told = told_to(control_api, "PSDDE-BAFIN-100002", certificate=blocked.pem)
    assert (verdicts(told)["block_list"], verdicts(told)["register"]) == ("withheld", "withheld")


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"token": "secret"}, "token"),
        ({"tpp": ""}, "tpp"),
        ({"address": "nowhere"}, "address"),
        ({"certificate": "-----BEGIN CERTIFICATE-----x"}, "question"),
        ({"headers": {"Authorization": "Bearer x"}}, "headers"),
        ({"path": "accounts"}, "path"),
    ],
)
def test_a_question_to_the_control_api_is_read_strictly(control_api: FlaskClient, question: dict[str, Any], field: str) -> None:
    asked = {**ACCOUNTS, "tpp": NUMBER, "address": "127.0.0.1", **question}
    answer = control_api.post("/explain", json=asked)
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, field)


def test_a_question_that_cannot_be_read_is_answered_with_what_is_wrong(edge: EdgeUnderTest) -> None:
    answer = asked(edge, {"method": "GET", "path": "/x", "token": "secret"}, certificate=edge.qwac)
    assert (answer.status, answer.reason) == (400, "explain.body")
    assert "token" in answer.json["detail"]
    assert "secret" not in answer.body.decode()


def test_what_happens_at_the_edge_is_counted_and_survives_a_killed_worker(edge: EdgeUnderTest) -> None:
    """Requests, refusals, handshakes, pool: of all workers, and none of it goes back when one dies and another takes over."""
    edge.get("/v1/accounts", certificate=edge.qwac, token=edge.register.token(edge.qwac))
    edge.get("/v1/accounts")
    with pytest.raises(ssl.SSLError):
        edge.connect(context=_without_common_cipher(edge))
    wanted = [
        ("gateway_requests_total", {"listener": "edge", "deployment": "xs2a-accounts", "outcome": "admitted"}),
        ("gateway_refusals_total", {"reason": "mtls.missing"}),
        ("gateway_handshakes_total", {"listener": "edge", "version": "TLSv1.3", "resumed": "no"}),
        ("gateway_failed_handshakes_total", {"listener": "edge", "reason": "tls.no_shared_cipher"}),
        ("gateway_request_seconds_count", {"stage": "upstream"}),
        ("gateway_upstream_connections", {"upstream": "bank", "state": "open"}),
        ("gateway_workers", {}),
    ]

    def is_all_counted() -> bool:
        counted = samples_at(edge.home.run)
        return all(counted.get(name, **labels) for name, labels in wanted)

    wait_until(is_all_counted, seconds=30, what="everything to be counted")
    before, (worker, *_) = samples_at(edge.home.run), edge.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: len(set(edge.workers()) - {worker}) == 2, seconds=60, what="another worker")
    wait_until(lambda: edge.get("/v1/accounts").status == 401, seconds=30, what="an answer")
    after = samples_at(edge.home.run)
    counters = [name for name in before.values if name[0].endswith(("_total", "_count"))]
    assert counters
    assert all(after.values[name] >= before.values[name] for name in counters)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_a_failed_handshake_is_recorded_with_openssls_reason(edge: EdgeUnderTest) -> None:
    """No common version, no common cipher, an alert from a client that does not trust us; with the name it asked for."""
    old = edge.context()
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    for context in (_without_common_cipher(edge), old, ssl.create_default_context()):
        with pytest.raises(ssl.SSLError):
            edge.connect(context=context)
    wanted = {"tls.no_shared_cipher", "tls.unsupported_protocol", "tls.tlsv1_alert_unknown_ca"}

    def seen() -> dict[str, dict[str, Any]]:
        return {record["reason"]: record for record in edge.records(kind="handshake")}

    wait_until(lambda: wanted <= seen().keys(), seconds=30, what="the records")
    for reason in wanted:
        record = seen()[reason]
        assert (record["listener"], record["client_ip"], record["outcome"]) == ("edge", "127.0.0.1", "failed")
        assert reason.removeprefix("tls.").replace("_", " ") in record["detail"].lower().replace("_", " ")
    assert seen()["tls.no_shared_cipher"]["sni"] == "localhost"


def _without_common_cipher(edge: EdgeUnderTest) -> ssl.SSLContext:
    context = edge.context(version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA256")
    return context


def told_trace(edge: EdgeUnderTest, *headers: tuple[str, str]) -> tuple[list[list[str]], dict[str, Any]]:
    """Return traceparent and tracestate as the bank gets them, and what the audit record says of the trace."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    answer = edge.say(f"GET /v1/consents/1 HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
    told = [[value for name, value in answer.json["headers"] if name == each] for each in ("traceparent", "tracestate")]
    return told, edge.record_of(answer)["trace"]


def test_a_trace_is_passed_on_with_the_edges_own_step(edge: EdgeUnderTest) -> None:
    """The bank hears of the client's trace, and of the edge as the step that has called it; so does the log."""
    (told, state), recorded = told_trace(edge, ("traceparent", f"00-{TRACE}-{PARENT}-00"), ("tracestate", "a=1"))
    assert told == [f"00-{TRACE}-{recorded['step']}-00"]
    assert (recorded["id"], recorded["parent"], state) == (TRACE, PARENT, ["a=1"])
    assert recorded["step"] not in {PARENT, "0" * 16}


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("traceparent", "nonsense"),),
        (("traceparent", f"00-{'0' * 32}-{PARENT}-01"),),
        (("traceparent", f"00-{TRACE}-{PARENT}-01"), ("traceparent", f"00-{TRACE}-{PARENT}-01")),
    ],
    ids=["none", "nonsense", "zeros", "two"],
)
def test_without_a_right_traceparent_a_trace_begins(edge: EdgeUnderTest, headers: tuple[tuple[str, str], ...]) -> None:
    """What is malformed is replaced, and the tracestate that came with it does not go on."""
    (told, state), recorded = told_trace(edge, *headers, ("tracestate", "a=1"))
    assert told == [f"00-{recorded['id']}-{recorded['step']}-01"]
    assert recorded["id"] != TRACE
    assert (recorded["parent"], state) == (None, [])


def test_questions_are_limited_themselves(edge: EdgeUnderTest) -> None:
    question = json.dumps(ACCOUNTS).encode()
    with edge.connect(edge.qwac) as connection:
        answers = [edge.over(connection, "/explain", method="POST", body=question) for _ in range(80)]
    assert {answer.status for answer in answers} == {200, 429}
    assert {answer.reason for answer in answers if answer.status == HTTPStatus.TOO_MANY_REQUESTS} == {"limit.rate"}


def test_guesses_at_tokens_count_as_failed_attempts(edge: EdgeUnderTest) -> None:
    """Else a dry run would be the way around the limit on them. The last test here: this address is blocked from now on."""
    seen: list[Answer] = []

    def is_blocked() -> bool:
        seen.append(asked(edge, ACCOUNTS, certificate=edge.qwac, token="guessed"))
        return seen[-1].status == 429 and seen[-1].reason == "limit.brute_force"

    wait_until(is_blocked, seconds=60, what="the address to be blocked")
    assert sum(answer.status == 200 for answer in seen) <= FAILURES
