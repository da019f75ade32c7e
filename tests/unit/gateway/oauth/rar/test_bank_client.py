"""The bank's consents and payments over HTTP: every answer is checked before it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.oauth.bank import BankUnavailable, ResourceUnknown
from gateway.oauth.rar.bank import NewResource, ResourceRefused, StandingResource
from gateway.oauth.scope import BerlinScope, Service
from tests.support.authorization import NUMBER
from tests.unit.gateway.oauth.test_bank_client import PlayedSession, bank_of

NEW = NewResource(tenant=NUMBER, service=Service.PIS, product="sepa-credit-transfers", request={"creditorName": "Acme"})
SCOPE = BerlinScope(Service.AIS, "c1")
WHERE = f"/internal/grants/ais/c1?tenant={NUMBER}"


def test_making_says_for_whom_and_what() -> None:
    """The bank's id comes back."""
    session = PlayedSession(201, {"resource": "p1"})

    assert bank_of(session).make(NEW) == "p1"
    body = {"tenant": NUMBER, "kind": "pis", "product": "sepa-credit-transfers", "request": {"creditorName": "Acme"}}
    assert session.asked == [("POST", "/internal/grants", body)]


def test_a_refusal_brings_every_fault_with_its_place() -> None:
    """One fault stands for itself, several stand in `errors`."""
    problem: dict[str, Any] = {"code": "request.format", "detail": "a", "path": "x", "status": 400}
    errors = [{"path": "x", "detail": "a"}, {"path": "y", "detail": "b"}]

    with pytest.raises(ResourceRefused) as one:
        bank_of(PlayedSession(400, problem)).make(NEW)
    with pytest.raises(ResourceRefused) as several:
        bank_of(PlayedSession(400, problem | {"errors": errors})).make(NEW)

    assert one.value.faults == [("x", "a")]
    assert several.value.faults == [("x", "a"), ("y", "b")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (0, None),
        (500, {"code": "internal", "detail": "x"}),
        (403, {"code": "caller.not_accepted", "detail": "x"}),
        (400, {"detail": "without a code"}),
        (201, {"resource": "../p1"}),
        (201, {}),
        (200, {"resource": "p1"}),
    ],
)
def test_an_answer_that_makes_no_sense_makes_nothing(status: int, body: object) -> None:
    """Nor does one that never came."""
    with pytest.raises(BankUnavailable):
        bank_of(PlayedSession(status, body)).make(NEW)


def test_what_stands() -> None:
    """Asked for in its TPP's name."""
    session = PlayedSession(200, {"status": "valid", "told": {"access": {}}})

    assert bank_of(session).standing(SCOPE, tenant=NUMBER) == StandingResource(status="valid", told={"access": {}})
    assert session.asked == [("GET", WHERE, None)]


@pytest.mark.parametrize(("status", "error"), [(404, ResourceUnknown), (403, ResourceUnknown), (500, BankUnavailable)])
def test_what_does_not_stand(status: int, error: type[Exception]) -> None:
    """An unknown consent is a 403 with the Berlin Group, an unknown payment a 404."""
    with pytest.raises(error):
        bank_of(PlayedSession(status, {})).standing(SCOPE, tenant=NUMBER)


def test_an_end_that_was_not_acknowledged_is_none() -> None:
    """Whoever asked for it has to know."""
    session = PlayedSession(200, {})
    bank_of(session).end(SCOPE, tenant=NUMBER)

    assert session.asked == [("DELETE", WHERE, None)]
    with pytest.raises(BankUnavailable):
        bank_of(PlayedSession(404, {})).end(SCOPE, tenant=NUMBER)
