"""Admissions that stand: for the same question, in the same state, and not for long."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.admission import standing
from gateway.admission.admit import Admission
from gateway.admission.refusal import Refusal
from gateway.admission.request import Connection, Request
from gateway.admission.standing import MOST_SECONDS, EndOfStanding, admitted
from gateway.admission.tokens import AccessToken
from gateway.policies.model import Listener

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1.8e9
ROUTE: Any = SimpleNamespace(trust_store="tpp")
TOKEN = AccessToken(
    sha256="0" * 64,
    client_id="c",
    authorisation_number="n",
    scope="AIS:1",
    subject=None,
    thumbprint="t",
    expires_at=NOW + 0.5,
    revoked_at=None,
)


class Knowledge:
    """Counts its changes, and how often it was asked."""

    def __init__(self) -> None:
        self.state = 0
        self.asked = 0
        self.token: AccessToken | None = None
        self.trusted: Any = None
        self.judge: Any = object()

    def judge_of(self, _store: str) -> Any:
        if isinstance(self.judge, Exception):
            raise self.judge
        return self.judge

    def changed(self) -> None:
        self.state += 1


@pytest.fixture
def knowledge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lend a knowledge by which everybody is admitted, with its token."""

    def admit(_request: Request, knowledge: Knowledge, _now: float, admission: Admission) -> None:
        knowledge.asked += 1
        admission.token, admission.trusted = knowledge.token, knowledge.trusted
        admission.route = ROUTE

    monkeypatch.setattr(standing, "admit", admit)
    return Knowledge()


def request(**changes: Any) -> Request:
    connection = Connection(listener=Listener.EDGE, address="192.0.2.1", tls=None, leaf=None)
    asked: dict[str, Any] = {"id": "1", "method": "GET", "path": "/a", "query": b"", "host": "h", "authorization": b"a"}
    return Request(**{"connection": connection, "tpp_request_id": None} | asked | changes)


def test_the_same_question_is_judged_once(knowledge: Any) -> None:
    """Whatever its id, and that of the TPP."""
    first = request()
    kept = admitted(first, knowledge, NOW, Admission())
    assert admitted(replace(first, id="2", tpp_request_id=b"r"), knowledge, NOW, Admission()) is kept
    assert knowledge.asked == 1


@pytest.mark.parametrize(
    "change", [{"method": "PUT"}, {"path": "/b"}, {"query": b"q"}, {"host": "i"}, {"authorization": b"b"}], ids=str
)
def test_another_question_is_judged_by_itself(knowledge: Any, change: dict[str, Any]) -> None:
    """One part of it is enough."""
    first = request()
    admitted(first, knowledge, NOW, Admission())
    admitted(replace(first, **change), knowledge, NOW, Admission())
    assert knowledge.asked == 2


def test_all_that_a_check_may_read_is_part_of_the_question() -> None:
    """A new field of a request is: what it holds must not be left out of what admissions are kept by."""
    own = {each.name for each in fields(Request)} - {
        "connection",
        "id",
        "tpp_request_id",
        "claims",
        "trace",
        "step",
        "lines",  # of them a proof is read, and an admission by one does not stand
        "proof",
    }  # what comes of the claims is the connection
    assert request().asked == tuple(getattr(request(), each.name) for each in fields(Request) if each.name in own)


def test_another_connection_is_judged_by_itself(knowledge: Any) -> None:
    """Its certificate and address are its own."""
    admitted(request(), knowledge, NOW, Admission())
    admitted(request(), knowledge, NOW, Admission())
    assert knowledge.asked == 2


@pytest.mark.parametrize("change", [lambda k: k.changed(), lambda k: EndOfStanding(k).prepare(None)()])
def test_whatever_changes_ends_it(knowledge: Any, change: Callable[[Any], None]) -> None:
    """What the feed tells of, and a new configuration."""
    first = request()
    admitted(first, knowledge, NOW, Admission())
    change(knowledge)
    admitted(first, knowledge, NOW, Admission())
    assert knowledge.asked == 2


def test_another_judge_judges_anew(knowledge: Any) -> None:
    """Also before anybody has told of him; and where there is none, the request has to wait for one."""
    knowledge.trusted = SimpleNamespace(holds_until=math.inf)
    first = request()
    admitted(first, knowledge, NOW, Admission())
    admitted(first, knowledge, NOW, Admission())
    assert knowledge.asked == 1
    knowledge.judge = object()
    admitted(first, knowledge, NOW, Admission())
    assert knowledge.asked == 2
    knowledge.judge = LookupError()
    with pytest.raises(LookupError):
        admitted(first, knowledge, NOW, Admission())


@pytest.mark.parametrize(("token", "seconds"), [(None, MOST_SECONDS), (TOKEN, 0.5)], ids=["a second", "the token's end"])
def test_none_outlasts_its_time(knowledge: Any, token: AccessToken | None, seconds: float) -> None:
    """Nor does it stand when the clock is set back."""
    knowledge.token = token
    first = request()
    admitted(first, knowledge, NOW, Admission())
    admitted(first, knowledge, math.nextafter(NOW + seconds, 0), Admission())
    assert knowledge.asked == 1
    admitted(first, knowledge, NOW + seconds, Admission())
    admitted(first, knowledge, NOW - 1, Admission())
    assert knowledge.asked == 3


def test_none_outlasts_its_certificate(knowledge: Any) -> None:
    """Nor what is known of its revocation."""
    knowledge.trusted = SimpleNamespace(holds_until=NOW + 0.5)
    first = request()
    admitted(first, knowledge, NOW, Admission())
    admitted(first, knowledge, math.nextafter(NOW + 0.5, 0), Admission())
    assert knowledge.asked == 1
    admitted(first, knowledge, NOW + 0.5, Admission())
    assert knowledge.asked == 2


def test_a_refusal_is_not_kept(knowledge: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its own reason each time."""

    def refuse(*_args: object) -> None:
        knowledge.asked += 1
        raise Refusal("token.unknown")

    monkeypatch.setattr(standing, "admit", refuse)
    first = request()
    for _ in range(2):
        with pytest.raises(Refusal):
            admitted(first, knowledge, NOW, Admission())
    assert knowledge.asked == 2


def test_a_connection_keeps_only_so_many(knowledge: Any) -> None:
    """A client that asks for ever new paths fills no memory."""
    first = request()
    for number in range(100):
        admitted(replace(first, path=f"/{number}"), knowledge, NOW, Admission())
    (kept,) = first.connection.memory.values()
    assert len(kept.admissions) <= 16
    long = replace(first, path="/" + "a" * 3_000)
    admitted(long, knowledge, NOW, Admission())
    assert long.asked not in kept.admissions
