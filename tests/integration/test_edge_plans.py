"""Plans, limits and blocked addresses at a real edge with two workers: what clients see, what servers get, what is recorded."""

from __future__ import annotations

import hashlib
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.edge import running_edge
from tests.support.ports import wait_until
from tests.support.scripted_upstream import echo, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.edge import Answer, EdgeUnderTest

TOKEN = "mfrggzdfmztwq2lknnwg23tpobyxe43u"


def deployment(name: str, plan: dict[str, str], path: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a deployment at `/NAME/thing` that does without a certificate."""
    route = {"path": path or f"/{name}/thing", "methods": ["GET"]}
    usual = {"listener": "edge", "upstream": "bank", "mtls": "optional", "errors": "problem"}
    return usual | {"plan": plan, "routes": [route]} | more


def documents() -> dict[str, Any]:
    """Return the configuration: a place for tokens a deployment, a quota of 5, a quota that may be exceeded, a rate."""
    token = {"id": "a", "sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}
    required = {"subscription": "required"}
    deployments = {
        "in-header": deployment("in-header", required | {"location": "header", "name": "X-Api-Key"}),
        "in-query": deployment("in-query", required | {"location": "query", "name": "key"}),
        "in-path": deployment("in-path", required | {"location": "path"}, "/in-path/{secret}/thing"),
        "in-auth": deployment("in-auth", required | {"location": "auth", "name": "Token"}),
        "in-host": deployment("in-host", required | {"location": "host", "name": "localhost"}),
        "of-five": deployment("of-five", required | {"location": "header", "name": "X-Api-Key"}),
        "of-four": deployment("of-four", required | {"location": "header", "name": "X-Api-Key"}),
        "of-three": deployment("of-three", required | {"location": "header", "name": "X-Api-Key"}),
        "of-two-and-more": deployment("of-two-and-more", required | {"location": "header", "name": "X-Api-Key"}),
        "by-address": deployment(
            "by-address", {"subscription": "off"}, limits=[{"key": "address", "rate": {"per_second": 0.1, "burst": 3}}]
        ),
    }
    free = [name for name in deployments if name.startswith("in-")]
    plans = {
        "free": {"entitlements": [{"deployments": free, "quotas": [{"amount": 1000, "per": "month"}]}]},
        "five": {"entitlements": [{"deployments": ["of-five"], "quotas": [{"amount": 5, "per": "month"}]}]},
        "four": {"entitlements": [{"deployments": ["of-four"], "quotas": [{"amount": 4, "per": "month"}]}]},
        "three": {"entitlements": [{"deployments": ["of-three"], "quotas": [{"amount": 3, "per": "month"}]}]},
        "two": {
            "entitlements": [
                {"deployments": ["of-two-and-more"], "quotas": [{"amount": 2, "per": "month", "on_breach": "allow"}]}
            ]
        },
    }
    subscribers = {"acme": {"plans": list(plans), "tokens": [token]}}
    return {"deployments": deployments, "plans": plans, "subscribers": subscribers}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeUnderTest]:
    """Lend an edge that blocks an address after some failures, for a moment."""
    folder = tmp_path_factory.mktemp("plans")
    file = folder / "configuration.json"
    file.write_text(json.dumps(documents()))
    settings = {"BRUTE_FORCE_FAILURES": "9", "BRUTE_FORCE_SECONDS": "3600", "BRUTE_FORCE_BLOCK_SECONDS": "600"}
    with running_edge(folder / "home", CONFIGURATION=str(file), **settings) as edge:
        yield edge


PLACES: list[dict[str, Any]] = [
    {"path": "/in-header/thing", "headers": {"X-Api-Key": TOKEN}},
    {"path": f"/in-query/thing?a=1&key={TOKEN}&b=2"},
    {"path": f"/in-path/{TOKEN}/thing"},
    {"path": "/in-auth/thing", "headers": {"Authorization": f"Token {TOKEN}"}},
]


@pytest.mark.parametrize("request_", PLACES, ids=[place["path"].split("/")[1] for place in PLACES])
def test_a_token_opens_the_way_and_goes_no_further(edge: EdgeUnderTest, request_: dict[str, Any]) -> None:
    """The server gets the request without it, the audit log has the subscriber in its place."""
    answer = edge.get(**request_)
    assert answer.status == 200
    assert answer.headers["ratelimit-policy"] == '"quota-month";q=1000;w=2592000'
    assert TOKEN not in repr(edge.bank.received[-1])
    record = edge.record_of(answer)
    assert (record["subscriber"], record["plan"]) == ("acme", "free")
    assert record["limit"]["policy"].startswith("plan free: ")
    assert TOKEN not in json.dumps(record)


def test_a_token_before_the_domain_opens_the_way(edge: EdgeUnderTest) -> None:
    """It stands in TLS and in Host, and the log shows neither."""
    context = edge.context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    name = f"{TOKEN}.localhost"
    with edge.connect(server_name=name, context=context) as connection:
        answer = edge.over(connection, "/in-host/thing", headers={"Host": f"{name}:{edge.ports.edge}"})
    assert answer.status == 200
    assert edge.bank.received[-1].value("host") == f"localhost:{edge.ports.edge}"
    record = edge.record_of(answer)
    assert (record["subscriber"], record["host"], record["sni"]) == ("acme", "{token}.localhost", "{token}.localhost")
    assert TOKEN not in json.dumps(record)


def test_strangers_are_refused(edge: EdgeUnderTest) -> None:
    """403, in the style of the route."""
    answer = edge.get("/in-header/thing")
    assert (answer.status, answer.reason) == (403, "plan.not_subscribed")


def ask(edge: EdgeUnderTest, name: str) -> Answer:
    return edge.get(f"/{name}/thing", headers={"X-Api-Key": TOKEN})


def used_up(edge: EdgeUnderTest, name: str, *, status: int, times: int) -> list[Answer]:
    """Ask until so many had this answer, then some more; one worker may refuse for a moment what another still holds."""
    answers: list[Answer] = []

    def is_used_up() -> bool:
        answers.append(ask(edge, name))
        return [answer.status for answer in answers].count(status) == times

    wait_until(is_used_up, seconds=30, what=f"{times} answers {status}")
    answers += [ask(edge, name) for _ in range(7)]
    assert [answer.status for answer in answers].count(status) == times
    assert {answer.status for answer in answers} == {status, 429}
    return answers


def test_a_quota_is_exact_over_both_workers(edge: EdgeUnderTest) -> None:
    """Of many requests on connections of their own five pass; then 429, with when to come again."""
    answers = used_up(edge, "of-five", status=200, times=5)
    refused = [answer for answer in answers if answer.status == 429]
    assert {answer.reason for answer in refused} == {"limit.quota"}
    assert int(refused[0].headers["retry-after"]) > 0
    assert refused[0].headers["ratelimit"].startswith('"quota-month";r=0;t=')
    record = edge.record_of(refused[0])
    assert record["limit"] == {"policy": "plan five: of-five: quota-month", "key": "subscriber", "remaining": 0}


def test_a_quota_that_may_be_exceeded_says_so(edge: EdgeUnderTest) -> None:
    """The request passes; its answer and its record name the quota."""
    answers = [ask(edge, "of-two-and-more") for _ in range(6)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["quota-exceeded"] == '"quota-month"'
    assert edge.record_of(answers[-1])["limit"]["exceeded"] == ["quota-month"]


def test_questions_about_a_call_spend_nothing_of_its_quota(edge: EdgeUnderTest) -> None:
    """Asked more often than it may be called, it may still be called as often."""
    question = {"method": "GET", "path": "/of-three/thing", "headers": {"X-Api-Key": TOKEN}}

    def verdicts() -> set[str]:
        body = json.dumps(question).encode()
        answers = [edge.get("/explain", method="POST", body=body, certificate=edge.qwac) for _ in range(8)]
        return {answer.json["verdict"] for answer in answers}

    assert verdicts() == {"admitted"}
    used_up(edge, "of-three", status=200, times=3)


def test_what_the_server_answers_decides_what_counts(edge: EdgeUnderTest) -> None:
    """A 5xx gives the quota back, on the straight way of a request as on the other; a 4xx does not."""
    failing = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    try:
        edge.bank.reply = raw(failing)
        assert 503 in {ask(edge, "of-four").status for _ in range(8)} <= {503, 429}
        edge.bank.reply = raw(failing.replace(b"503 Service Unavailable", b"404 Not Found"))
        used_up(edge, "of-four", status=404, times=4)
    finally:
        edge.bank.reply = echo


def test_a_rate_by_address_needs_no_plan(edge: EdgeUnderTest) -> None:
    """Three at once, whoever asks."""
    statuses = [edge.get("/by-address/thing").status for _ in range(8)]
    assert statuses.count(200) == 3
    assert statuses.count(429) == 5


def test_the_token_before_a_domain_is_in_no_record(edge: EdgeUnderTest) -> None:
    """Not even of a request that is refused before anybody has looked for it."""
    answer = edge.get("/nowhere", headers={"Host": f"{TOKEN}.localhost"})
    assert answer.status == 421  # its SNI is another name
    assert TOKEN not in json.dumps(edge.record_of(answer))


def test_who_fails_too_often_is_blocked_by_every_worker(edge: EdgeUnderTest) -> None:
    """Bad tokens are answered as such only so often; then nobody of that address is let in, whatever is right or wrong."""
    answers = [edge.get("/in-header/thing", headers={"X-Api-Key": f"guess-{number}"}) for number in range(14)]
    statuses = [answer.status for answer in answers]
    assert 0 < statuses.count(403) <= 9
    assert set(statuses[9:]) == {429}
    assert answers[-1].reason == "limit.brute_force"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 660  # a worker may count from a moment ago

    def is_blocked_everywhere() -> bool:
        return {ask(edge, "in-header").status for _ in range(6)} == {429}

    wait_until(is_blocked_everywhere, seconds=30, what="the block")
    assert edge.get("/nowhere").reason == "limit.brute_force"
