"""Interactions on the back channel: begun, followed, decided once, and only by the gateway (architecture §3.2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bank_backend.interactions.store import SqlInteractionStore
from tests.support.bank_core import ANNA, JONAS, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, RETURN_URL, BankDesk

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

BASE = "/internal/interactions"


def begin(desk: BankDesk, consent: str, **changes: Any) -> TestResponse:
    body = {
        "tenant": TENANT,
        "kind": "ais",
        "resource": consent,
        "client_id": TENANT,
        "client_name": "Fintech App",
        "return_url": RETURN_URL,
    }
    return desk.internal("POST", BASE, body | changes)


def state(desk: BankDesk, interaction: str) -> Any:
    return desk.internal("GET", f"{BASE}/{interaction}").json


def problem(answer: TestResponse) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]  # type: ignore[index]


def test_a_visit_begins_pending_with_an_address(desk: BankDesk) -> None:
    """201 with the absolute front URL; GET tells what it is about."""
    consent = desk.consent()

    answer = begin(desk, consent)

    interaction = answer.json["interaction"]  # type: ignore[index]
    assert answer.status_code == 201
    assert answer.json["url"] == f"https://localhost:8441/psu/{interaction}"  # type: ignore[index]
    assert state(desk, interaction) == {
        "interaction": interaction,
        "status": "pending",
        "psu": None,
        "resource": consent,
        "kind": "ais",
        "tenant": TENANT,
        "told": None,
    }


@pytest.mark.parametrize(("result", "status"), [("APPROVED", "approved"), ("REJECTED", "rejected")])
def test_a_headless_decision(desk: BankDesk, result: str, status: str) -> None:
    """200 as GET; the record says that no password and no code were asked."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)

    answer = desk.decide(interaction, result=result)

    assert answer.status_code == 200
    assert answer.json == state(desk, interaction)
    assert (answer.json["status"], answer.json["psu"]) == (status, ANNA)  # type: ignore[index]
    assert desk.bank.services.visits.interaction(interaction).headless


def test_a_headless_approval_finalises_the_authorisation(desk: BankDesk) -> None:
    """The TPP sees the same scaStatus as after a visit with a browser; the bank's record tells them apart."""
    consent = desk.consent()
    desk.decide(desk.begin("ais", consent))

    (authorisation,) = desk.tpp.get(f"{CONSENTS}/{consent}/authorisations").json["authorisationIds"]  # type: ignore[index]

    assert desk.tpp.get(f"{CONSENTS}/{consent}/authorisations/{authorisation}").json == {"scaStatus": "finalised"}


@pytest.mark.parametrize("first", ["APPROVED", "REJECTED"])
@pytest.mark.parametrize("second", ["APPROVED", "REJECTED"])
def test_a_visit_is_decided_once(desk: BankDesk, first: str, second: str) -> None:
    """409 interaction.state for any second decision, and the first one stands."""
    interaction = desk.begin("ais", desk.consent())
    before = desk.decide(interaction, result=first).json

    answer = desk.decide(interaction, result=second)

    assert problem(answer) == (409, "interaction.state")
    assert state(desk, interaction) == before


def test_a_stale_copy_decides_nothing(desk: BankDesk) -> None:
    """Were two decisions to read the same pending visit, the second to write would be turned away."""
    interaction = desk.begin("ais", desk.consent())
    stale = desk.bank.services.visits.interaction(interaction)
    desk.decide(interaction)

    with desk.bank.database.writing() as connection:
        is_written = SqlInteractionStore().save(connection, stale)

    assert not is_written
    assert state(desk, interaction)["status"] == "approved"


def test_an_unknown_psu_decides_nothing(desk: BankDesk) -> None:
    """404 psu.unknown; the visit stays open."""
    interaction = desk.begin("ais", desk.consent())

    assert problem(desk.decide(interaction, psu="nobody")) == (404, "psu.unknown")
    assert state(desk, interaction)["status"] == "pending"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"result": "MAYBE"}, "result"),
        ({"accounts": []}, "accounts"),
        ({"accounts": ["DE75512108001245126199"]}, "accounts"),
        ({"accounts": "all"}, "accounts"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_faulty_decision_names_its_fields(desk: BankDesk, more: dict[str, Any], field: str) -> None:
    """422 with a reason for each; the visit stays open."""
    interaction = desk.begin("ais", desk.consent())

    answer = desk.decide(interaction, **more)

    assert problem(answer) == (422, "request.fields")
    assert set(answer.json["fields"]) == {field}  # type: ignore[index]
    assert state(desk, interaction)["status"] == "pending"


def test_a_psu_who_does_not_hold_the_account_can_not_approve(desk: BankDesk) -> None:
    """422 naming the PSU; nothing moved, nothing decided."""
    payment = desk.payment()
    interaction = desk.begin("pis", payment)

    answer = desk.decide(interaction, psu=JONAS)

    assert problem(answer) == (422, "request.fields")
    assert state(desk, interaction)["status"] == "pending"


def test_after_fifteen_minutes_it_has_expired(desk: BankDesk) -> None:
    """Expired to the back channel, closed to decisions; the consent itself waits on."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)

    desk.bank.clock.advance(timedelta(minutes=15))

    assert state(desk, interaction)["status"] == "expired"
    assert problem(desk.decide(interaction)) == (409, "interaction.state")
    assert desk.decide(desk.begin("ais", consent)).status_code == 200


def test_a_second_visit_to_a_resource_ends_the_first(desk: BankDesk) -> None:
    """A resource is decided in one place."""
    consent = desk.consent()
    first, second = desk.begin("ais", consent), desk.begin("ais", consent)

    assert problem(desk.decide(first)) == (409, "interaction.state")
    assert desk.decide(second).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"resource": "11111111-2222-4333-8444-555555555555"}, (404, "resource.unknown")),
        ({"tenant": OTHER_TENANT}, (404, "resource.unknown")),
        ({"kind": "pis"}, (404, "resource.unknown")),
        ({"kind": "bis"}, (422, "request.fields")),
        ({"return_url": "https://evil.example/authorize"}, (422, "request.fields")),
        ({"return_url": "https://localhost:8441.evil.example/"}, (422, "request.fields")),
        ({"return_url": "javascript:alert(1)"}, (422, "request.fields")),
        ({"client_name": ""}, (422, "request.fields")),
    ],
)
def test_no_visit_begins_to_what_is_not_there(desk: BankDesk, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    """Unknown resource, another tenant's, another kind's; and no way back to anywhere but the front."""
    assert problem(begin(desk, desk.consent(), **changes)) == expected


def test_no_visit_begins_to_what_is_decided(desk: BankDesk) -> None:
    """409 resource.state."""
    assert problem(begin(desk, desk.approved_consent())) == (409, "resource.state")


def test_what_the_tpp_has_withdrawn_is_not_approved(desk: BankDesk) -> None:
    """Deleted during the visit: approval is refused, refusal ends the visit."""
    consent = desk.consent()
    interaction = desk.begin("ais", consent)
    desk.tpp.delete(f"{CONSENTS}/{consent}")

    assert problem(desk.decide(interaction)) == (409, "resource.state")
    assert desk.decide(interaction, result="REJECTED").json["status"] == "rejected"  # type: ignore[index]
    assert desk.tpp.get(f"{CONSENTS}/{consent}/status").json == {"consentStatus": "terminatedByTpp"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_the_gateway_by_itself(desk: BankDesk, method: str) -> None:
    """Neither the portal, nor a request that came in through a public listener: deciding is not for the world."""
    interaction = desk.begin("ais", desk.consent())
    path = f"{BASE}/{interaction}" + ("/decision" if method == "POST" else "")
    body = {"psu": ANNA, "result": "APPROVED"}

    by_portal = desk.internal(method, path, body, caller="portal")
    forwarded = desk.internal(method, path, body, **{"X-Sandbox-Listener": "edge"})

    assert [problem(answer) for answer in (by_portal, forwarded)] == [(403, "caller.not_accepted")] * 2
    assert state(desk, interaction)["status"] == "pending"
