"""The bank over HTTP: every answer is checked before it is believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from chassis.peers import PeerAnswer, PeerSession, PeerUnavailable
from gateway.oauth.bank import (
    BankUnavailable,
    BegunInteraction,
    Decision,
    DecisionRefused,
    Interaction,
    InteractionStatus,
    NewInteraction,
    NewVisit,
    ResourceNotAwaiting,
    ResourceUnknown,
)
from gateway.oauth.bank_client import HttpBank
from gateway.oauth.ciba.bank import DecoupledNotOffered, NewAsk, PsuNotKnown
from gateway.oauth.rar.bank import NewResource, ResourceRefused
from gateway.oauth.scope import BerlinScope, Service
from tests.support.authorization import ISSUER, NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

NEW = NewInteraction(
    tenant=NUMBER,
    kind="ais",
    resource="c1",
    client_id="client-1",
    client_name="Acme",
    return_url=f"{ISSUER}/authorize/resume/x",
)
NEW_RESOURCE = NewResource(tenant=NUMBER, service=Service.AIS, product=None, request=None)
VISIT = NewVisit(client_id="client-1", client_name="Acme", return_url=f"{ISSUER}/authorize/resume/x")
YES = Decision(psu="anna", approved=True, accounts=None)
BEGUN = {"interaction": "i1", "url": f"{ISSUER}/psu/i1"}
STATE = {"interaction": "i1", "status": "approved", "psu": "anna", "resource": "c1", "kind": "ais", "tenant": NUMBER}


class PlayedSession:
    """Answers each request with what the test says, and notes what was asked."""

    def __init__(self, status: int = 200, body: object = None, *, text: str | None = None) -> None:
        self.asked: list[tuple[str, str, object]] = []
        self._status = status
        self._content = (json.dumps(body) if text is None else text).encode()

    def request(self, method: str, path: str, **options: Any) -> PeerAnswer:
        self.asked.append((method, path, options.get("json")))
        if self._status == 0:
            raise PeerUnavailable("bank", "refused to connect")
        return PeerAnswer(self._status, {}, self._content)


def bank_of(session: PlayedSession) -> HttpBank:
    return HttpBank(cast("PeerSession", session), front_url=ISSUER)


def test_beginning_tells_the_contracts_members() -> None:
    """docs/architecture.md §3.2."""
    session = PlayedSession(201, BEGUN)

    assert bank_of(session).begin(NEW) == BegunInteraction(id="i1", url=f"{ISSUER}/psu/i1", resource="c1")
    assert session.asked == [
        (
            "POST",
            "/internal/interactions",
            {
                "tenant": NUMBER,
                "kind": "ais",
                "resource": "c1",
                "client_id": "client-1",
                "client_name": "Acme",
                "return_url": f"{ISSUER}/authorize/resume/x",
            },
        )
    ]


@pytest.mark.parametrize(("status", "error"), [(404, ResourceUnknown), (409, ResourceNotAwaiting), (0, BankUnavailable)])
def test_a_refusal_to_begin_keeps_its_meaning(status: int, error: type[Exception]) -> None:
    """Unknown, not awaiting, and out of reach are three things."""
    with pytest.raises(error):
        bank_of(PlayedSession(status, {"code": "x"})).begin(NEW)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "psu.unknown", PsuNotKnown),
        (404, "service.not_offered", DecoupledNotOffered),
        (404, "resource.unknown", ResourceUnknown),
        (409, "resource.state", ResourceNotAwaiting),
        (0, "", BankUnavailable),
    ],
)
def test_a_refusal_to_ask_a_psu_keeps_its_meaning(status: int, code: str, error: type[Exception]) -> None:
    """Whom there is not, what the bank does not do, and what there is not are three things."""
    new = NewAsk(tenant=NUMBER, scope=BerlinScope(Service.AIS, "c1"), psu="anna", seconds=60, binding_message=None)
    with pytest.raises(error):
        bank_of(PlayedSession(status, {"code": code})).ask(new)


@pytest.mark.parametrize(
    "url", ["https://evil.example/psu/i1", "https://localhost:8441.evil.example/psu", "//evil.example", "/psu/i1", ISSUER]
)
def test_a_page_elsewhere_is_not_believed(url: str) -> None:
    """The browser would be sent there: the bank's mistake must not make us an open redirector."""
    with pytest.raises(BankUnavailable, match="is not on"):
        bank_of(PlayedSession(201, BEGUN | {"url": url})).begin(NEW)
    with pytest.raises(BankUnavailable, match="is not on"):
        bank_of(PlayedSession(201, BEGUN | {"url": url, "resource": "c1"})).make_and_begin(NEW_RESOURCE, VISIT)


def test_what_is_made_and_put_before_the_psu_is_asked_for_in_one_call() -> None:
    """The body of a making, with the visit beside it."""
    session = PlayedSession(201, BEGUN | {"resource": "c1"})

    begun = bank_of(session).make_and_begin(NEW_RESOURCE, VISIT)

    assert begun == BegunInteraction(id="i1", url=f"{ISSUER}/psu/i1", resource="c1")
    visit = {"client_id": "client-1", "client_name": "Acme", "return_url": f"{ISSUER}/authorize/resume/x"}
    assert session.asked == [("POST", "/internal/grants", {"tenant": NUMBER, "kind": "ais", "visit": visit})]


def test_what_is_made_and_decided_on_is_asked_for_in_one_call() -> None:
    """With what the PSU decides beside the visit; what became of it is read as after any decision."""
    session = PlayedSession(201, BEGUN | STATE)

    begun = bank_of(session).make_and_begin(NEW_RESOURCE, VISIT, YES)

    decided = Interaction(
        id="i1", status=InteractionStatus.APPROVED, psu="anna", kind="ais", resource="c1", tenant=NUMBER, told=None
    )
    assert begun == BegunInteraction(id="i1", url=f"{ISSUER}/psu/i1", resource="c1", decided=decided)
    ((_, path, body),) = session.asked
    assert (path, cast("dict[str, object]", body)["decision"]) == ("/internal/grants", {"psu": "anna", "result": "APPROVED"})


@pytest.mark.parametrize("part", ["decision", None])
def test_whose_fault_a_refusal_is_the_bank_tells(part: str | None) -> None:
    """The PSU's who is stood in for, or the request's for something that the bank does not make."""
    problem = {"code": "psu.unknown", "detail": "no PSU anna", "fields": {"psu": "is unknown"}, "refused": part}

    with pytest.raises(DecisionRefused if part else ResourceRefused):
        bank_of(PlayedSession(422, problem)).make_and_begin(NEW_RESOURCE, VISIT, YES)


def test_a_decision_that_the_bank_says_nothing_of_is_none() -> None:
    """That something was made, and a visit to it begun, does not say what was decided there."""
    with pytest.raises(BankUnavailable):
        bank_of(PlayedSession(201, BEGUN | {"resource": "c1"})).make_and_begin(NEW_RESOURCE, VISIT, YES)


def test_a_faulty_visit_is_no_fault_of_the_tpps() -> None:
    """What we say of it ourselves is not the request's."""
    problem = {"code": "request.fields", "detail": "x", "fields": {"visit.return_url": "must be an address under ..."}}

    with pytest.raises(BankUnavailable, match="visit"):
        bank_of(PlayedSession(422, problem)).make_and_begin(NEW_RESOURCE, VISIT)


def test_a_decision_is_read() -> None:
    """As the contract has it."""
    session = PlayedSession(200, STATE | {"told": {"recurringIndicator": True}})

    assert bank_of(session).interaction("i/1") == Interaction(
        id="i1",
        status=InteractionStatus.APPROVED,
        psu="anna",
        kind="ais",
        resource="c1",
        tenant=NUMBER,
        told={"recurringIndicator": True},
    )
    assert session.asked[0][:2] == ("GET", "/internal/interactions/i%2F1")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, STATE | {"status": "maybe"}, id="unknown status"),
        pytest.param(200, {name: value for name, value in STATE.items() if name != "tenant"}, id="no tenant"),
        pytest.param(200, STATE | {"psu": 7}, id="psu a number"),
        pytest.param(200, STATE | {"resource": ""}, id="empty resource"),
        pytest.param(200, STATE | {"told": "all"}, id="told a text"),
        pytest.param(200, [], id="no object"),
        pytest.param(204, STATE, id="other success"),
        pytest.param(404, STATE, id="unknown interaction"),
        pytest.param(500, STATE, id="failure"),
        pytest.param(302, STATE, id="redirect"),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_decision(status: int, body: object) -> None:
    """Closed, not open: no code comes of it."""
    with pytest.raises(BankUnavailable):
        bank_of(PlayedSession(status, body)).interaction("i1")


def test_an_answer_that_is_no_json_is_no_decision() -> None:
    """As above."""
    with pytest.raises(BankUnavailable):
        bank_of(PlayedSession(200, text="<html>")).interaction("i1")


@pytest.mark.parametrize(
    ("accounts", "body"),
    [
        (None, {"psu": "anna", "result": "APPROVED"}),
        (["a1"], {"psu": "anna", "result": "APPROVED", "accounts": ["a1"]}),
        ([], {"psu": "anna", "result": "APPROVED", "accounts": []}),
    ],
)
def test_deciding_tells_the_contracts_members(accounts: list[str] | None, body: object) -> None:
    """Absent accounts and no accounts are two things."""
    session = PlayedSession(200, STATE)
    bank_of(session).decide("i1", Decision(psu="anna", approved=True, accounts=accounts))

    assert session.asked == [("POST", "/internal/interactions/i1/decision", body)]


@pytest.mark.parametrize(("status", "code"), [(404, "psu.unknown"), (409, "interaction.state"), (422, "request.fields")])
def test_a_refused_decision_keeps_its_reason(status: int, code: str) -> None:
    """For the TPP's developer, with the fields."""
    problem = {"code": code, "detail": "because", "fields": {"accounts[0]": "is not an account of anna"}}

    with pytest.raises(DecisionRefused) as caught:
        bank_of(PlayedSession(status, problem)).decide("i1", Decision(psu="anna", approved=False, accounts=None))

    assert (caught.value.code, caught.value.detail) == (code, "because")
    assert caught.value.errors == [{"field": "accounts[0]", "problem": "is not an account of anna"}]


REFUSALS: list[Callable[[], PlayedSession]] = [
    lambda: PlayedSession(422, text="<html>"),
    lambda: PlayedSession(409, []),
    lambda: PlayedSession(500, {"code": "x", "detail": "y"}),
    lambda: PlayedSession(0),
]


@pytest.mark.parametrize("played", REFUSALS)
def test_a_decision_without_a_clear_answer_is_none(played: Callable[[], PlayedSession]) -> None:
    """The caller is told to try again."""
    with pytest.raises(BankUnavailable):
        bank_of(played()).decide("i1", Decision(psu="anna", approved=True, accounts=None))
