"""Consents and payments made in a TPP's name: like its own, told with the PSU's choice, ended when nobody wants them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bank_backend.authorisations.store import authorisations
from bank_backend.consents.requests import parse_consent_request
from bank_backend.consents.store import consents
from bank_backend.grants.ending import UNDECIDED_FOR
from bank_backend.grants.making import offered_consent
from bank_backend.interactions.model import INTERACTION_LIFETIME
from bank_backend.interactions.store import interactions
from bank_backend.payments.store import payments
from bank_backend.schedule.store import scheduled_tasks
from psd2.ids import PsuId
from tests.support.bank_core import ANNA, NOW, OTHER_TENANT, TENANT
from tests.support.bank_sca import CONSENTS, PAYMENTS, RETURN_URL, BankDesk, consent_body, payment_body
from tests.unit.bank_backend.authorisations.embedding import change_standard

if TYPE_CHECKING:
    from datetime import timedelta

    from werkzeug.test import TestResponse

PETRA = PsuId("petra.hofmann")
BASE = "/internal/grants"
VISIT = {"client_id": TENANT, "client_name": "Fintech App", "return_url": RETURN_URL}
PRODUCT = "sepa-credit-transfers"


def post(desk: BankDesk, kind: str, request: Any = None, **changes: Any) -> TestResponse:
    body = {"tenant": TENANT, "kind": kind, "request": request} | changes
    return desk.internal("POST", BASE, {name: value for name, value in body.items() if value is not None})


def made(desk: BankDesk, kind: str, request: Any = None, **changes: Any) -> str:
    answer = post(desk, kind, request, **changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json["resource"])  # type: ignore[index]


def stands(desk: BankDesk, kind: str, resource: str) -> Any:
    return desk.internal("GET", f"{BASE}/{kind}/{resource}?tenant={TENANT}").json


def status(desk: BankDesk, kind: str, resource: str) -> str:
    return str(stands(desk, kind, resource)["status"])


def later(desk: BankDesk, by: timedelta) -> None:
    desk.bank.clock.advance(by)
    desk.bank.services.scheduler.run_due(TENANT)


def named(iban: str, **changes: Any) -> dict[str, Any]:
    return consent_body(access={"accounts": [{"iban": iban}], "balances": [{"iban": iban}]}, **changes)


def test_a_consent_is_the_tpp_s_own(desk: BankDesk) -> None:
    """Whoever it was made for reads it at /v1/consents, and nobody else."""
    consent = made(desk, "ais", named(desk.iban()))

    assert desk.tpp.get(f"{CONSENTS}/{consent}").json["consentStatus"] == "received"  # type: ignore[index]
    assert desk.internal("GET", f"{BASE}/ais/{consent}?tenant={OTHER_TENANT}").status_code == 403


def test_a_visit_can_begin_with_what_it_is_about(desk: BankDesk) -> None:
    """Its decision tells what was granted, with the accounts that the PSU has picked; before it there is nothing to tell."""
    answer = post(desk, "ais", visit=VISIT)
    begun = answer.json
    waiting = desk.internal("GET", f"/internal/interactions/{begun['interaction']}").json  # type: ignore[index]
    decided = desk.decide(begun["interaction"]).json  # type: ignore[index]

    assert answer.status_code == 201
    assert (waiting["resource"], waiting["status"], waiting["told"]) == (begun["resource"], "pending", None)  # type: ignore[index]
    assert decided["told"] == stands(desk, "ais", begun["resource"])["told"]  # type: ignore[index]
    assert desk.iban() in [account["iban"] for account in decided["told"]["access"]["accounts"]]  # type: ignore[index]


def test_a_visit_that_would_lead_elsewhere_makes_nothing(desk: BankDesk) -> None:
    """The pages redirect there: said by the field, before anything is made."""
    answer = post(desk, "ais", visit=VISIT | {"return_url": "https://evil.example/"})

    assert answer.status_code == 422
    assert list(answer.json["fields"]) == ["visit.return_url"]  # type: ignore[index]
    with desk.bank.database.reading() as connection:
        assert connection.execute(select(consents)).first() is None


def decided_at_once(desk: BankDesk, kind: str, request: Any = None, **changes: Any) -> TestResponse:
    """Have it made, a visit begin, and Anna approve it, in one request."""
    return post(desk, kind, request, **({"visit": VISIT, "decision": {"psu": ANNA, "result": "APPROVED"}} | changes))


def nothing_is_kept(desk: BankDesk) -> bool:
    tables = consents, payments, authorisations, interactions, scheduled_tasks
    with desk.bank.database.reading() as connection:
        made = [row for table in tables for row in connection.execute(select(table).where(table.c.tenant == TENANT))]
    return not [row for row in made if getattr(row, "kind", "") not in {"settle-card", "book-pending"}]


@pytest.mark.parametrize(
    ("kind", "request_", "changes"),
    [
        ("ais", None, {}),
        ("ais", consent_body(access={"allPsd2": "allAccounts"}), {}),
        ("pis", payment_body("own"), {"product": PRODUCT}),
        ("piis", {"account": {"iban": "own"}}, {}),
    ],
)
def test_what_is_decided_at_once_ends_as_what_is_decided_later(
    desk: BankDesk, kind: str, request_: Any, changes: dict[str, str]
) -> None:
    """The same answer as to the decision on a visit, and the same state afterwards."""
    wanted = json.loads(json.dumps(request_).replace('"own"', json.dumps(desk.iban())))
    visited = post(desk, kind, wanted, visit=VISIT, **changes).json
    later = desk.decide(visited["interaction"]).json  # type: ignore[index]
    stood = status(desk, kind, visited["resource"])  # type: ignore[index]

    answer = decided_at_once(desk, kind, wanted, **changes)
    told = answer.json

    assert answer.status_code == 201
    assert told["url"].endswith(f"/psu/{told['interaction']}")  # type: ignore[index]
    own = {"interaction", "resource", "url"}
    assert {name: told[name] for name in told.keys() - own} == {name: later[name] for name in later.keys() - own}  # type: ignore[index, union-attr]
    assert (told["status"], status(desk, kind, told["resource"])) == ("approved", stood)  # type: ignore[index]
    assert desk.decide(told["interaction"]).status_code == 409  # type: ignore[index]


def test_what_is_turned_down_at_once_is_turned_down(desk: BankDesk) -> None:
    """A no is an answer, not a refusal of the request."""
    answer = decided_at_once(desk, "ais", decision={"psu": ANNA, "result": "REJECTED"})

    assert (answer.status_code, answer.json["status"], answer.json["told"]) == (201, "rejected", None)  # type: ignore[index]
    assert status(desk, "ais", answer.json["resource"]) == "rejected"  # type: ignore[index]


@pytest.mark.parametrize(
    ("decision", "code"),
    [
        ({"psu": "nobody.here", "result": "APPROVED"}, "psu.unknown"),
        ({"psu": ANNA, "result": "APPROVED", "accounts": ["DE00"]}, "request.fields"),
        ({"psu": ANNA, "result": "APPROVED", "accounts": []}, "request.fields"),
    ],
)
def test_a_decision_that_can_not_be_taken_makes_nothing(desk: BankDesk, decision: dict[str, Any], code: str) -> None:
    """Neither consent nor visit is left; the refusal says that the decision was at fault, not what was to be made."""
    answer = decided_at_once(desk, "ais", decision=decision)

    assert (answer.json["code"], answer.json["refused"]) == (code, "decision")  # type: ignore[index]
    assert nothing_is_kept(desk)


def test_what_can_not_be_made_is_no_fault_of_the_decision(desk: BankDesk) -> None:
    """Told as without one."""
    answer = decided_at_once(desk, "ais", consent_body(frequencyPerDay=99))

    assert answer.json["path"] == "frequencyPerDay"  # type: ignore[index]
    assert "refused" not in answer.json  # type: ignore[operator]
    assert nothing_is_kept(desk)


def test_a_decision_is_taken_in_a_visit(desk: BankDesk) -> None:
    """Its client and the way back are what the PSU is told of."""
    answer = desk.internal("POST", BASE, {"tenant": TENANT, "kind": "ais", "decision": {"psu": ANNA, "result": "APPROVED"}})

    assert list(answer.json["fields"]) == ["visit"]  # type: ignore[index]
    assert nothing_is_kept(desk)


def test_what_one_of_two_signs_at_once_waits_for_the_other(desk: BankDesk) -> None:
    """As if it had come by a page."""
    held = desk.bank.services.accounts.accounts_of(TENANT, PETRA)
    shared = next(account.iban for account in held if account.signatures_required == 2)

    answer = decided_at_once(desk, "ais", named(shared), decision={"psu": PETRA, "result": "APPROVED"})
    later(desk, UNDECIDED_FOR)

    assert status(desk, "ais", answer.json["resource"]) == "partiallyAuthorised"  # type: ignore[index]


def tasks(desk: BankDesk) -> set[str]:
    with desk.bank.database.reading() as connection:
        return {row.kind for row in connection.execute(select(scheduled_tasks).where(scheduled_tasks.c.tenant == TENANT))}


def test_what_is_signed_at_once_and_never_confirmed_is_turned_down(desk: BankDesk) -> None:
    """Where the bank wants a signature confirmed it may still come to nothing; what is valid is looked at no more."""
    assert decided_at_once(desk, "ais").json["status"] == "approved"  # type: ignore[index]
    assert "withdraw-grant" not in tasks(desk)
    change_standard(desk, confirmation=True)

    answer = decided_at_once(desk, "ais")
    before = status(desk, "ais", answer.json["resource"])  # type: ignore[index]
    later(desk, UNDECIDED_FOR)

    assert (answer.json["status"], before) == ("approved", "received")  # type: ignore[index]
    assert status(desk, "ais", answer.json["resource"]) == "rejected"  # type: ignore[index]


def test_a_payment_is_the_tpp_s_own_and_moves_money_once_approved(desk: BankDesk) -> None:
    """Like one that it has initiated itself."""
    payment = made(desk, "pis", payment_body(desk.iban()), product=PRODUCT)
    before = desk.bank.balances(desk.bank.account(ANNA)).interim_booked

    desk.decide(desk.begin("pis", payment))

    assert desk.tpp.get(f"{PAYMENTS}/{payment}/status").json["transactionStatus"] in {"ACSC", "ACCC"}  # type: ignore[index]
    assert desk.bank.balances(desk.bank.account(ANNA)).interim_booked.minor == before.minor - 1250
    assert stands(desk, "pis", payment)["told"] == payment_body(desk.iban()) | {"paymentProduct": PRODUCT}


def test_a_funds_consent(desk: BankDesk) -> None:
    """By the same call, told without its status."""
    consent = made(desk, "piis", {"account": {"iban": desk.iban()}})

    assert stands(desk, "piis", consent) == {"status": "received", "told": {"account": {"iban": desk.iban()}}}


def test_the_accounts_that_the_psu_picks_are_told(desk: BankDesk) -> None:
    """Without a request it is a consent to what the PSU chooses, as wide as the bank grants it."""
    consent = made(desk, "ais")

    desk.decide(desk.begin("ais", consent), accounts=[desk.iban()])

    standing = stands(desk, "ais", consent)
    assert standing["status"] == "valid"
    assert {reference["iban"] for reference in standing["told"]["access"]["accounts"]} == {desk.iban()}
    assert (standing["told"]["recurringIndicator"], standing["told"]["frequencyPerDay"]) == (True, 4)


@pytest.mark.parametrize(
    ("changes", "frequency"), [({"recurring_consents": False}, 1), ({"frequency_per_day": 2}, 2), ({"frequency_per_day": 9}, 4)]
)
def test_what_the_psu_chooses_from_is_no_more_than_the_bank_grants(
    desk: BankDesk, changes: dict[str, Any], frequency: int
) -> None:
    """One access where the bank knows no recurring ones; without the PSU four a day, or fewer."""
    personality = replace(desk.bank.services.personalities.of(TENANT), **changes)

    asked = parse_consent_request(offered_consent(personality), today=NOW.date(), personality=personality)

    assert (asked.recurring, asked.frequency_per_day) == (personality.recurring_consents, frequency)


def test_a_bank_that_wants_accounts_named_leaves_no_choice(desk: BankDesk) -> None:
    """The refusal says which consents it takes."""
    desk.bank.services.personalities.choose(TENANT, "strict")

    answer = post(desk, "ais")

    assert "takes no bank-offered consents" in answer.json["detail"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "request_", "changes", "path"),
    [
        ("ais", consent_body(frequencyPerDay=99), {}, "frequencyPerDay"),
        ("ais", consent_body(validUntil="2020-01-01"), {}, "validUntil"),
        ("ais", consent_body(colour="blue"), {}, "colour"),
        ("pis", payment_body("DE00"), {"product": PRODUCT}, "debtorAccount.iban"),
        ("piis", {"account": {}}, {}, "account.iban"),
    ],
)
def test_what_the_tpp_may_not_ask_nobody_asks_for_it(
    desk: BankDesk, kind: str, request_: Any, changes: dict[str, str], path: str
) -> None:
    """The refusal names the field; nothing is made."""
    answer = post(desk, kind, request_, **changes)

    assert 400 <= answer.status_code < 500
    assert answer.json["path"] == path  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "pis", "product": "cash", "request": {}}, "payment.product_unknown"),
        ({"kind": "pis", "product": f"pain.001-{PRODUCT}", "request": {}}, "payment.product_unknown"),
        ({"kind": "pis", "product": PRODUCT}, "request.fields"),
        ({"kind": "basket"}, "request.fields"),
        ({"tenant": "PSDXX-NOBODY-1"}, "tenant.unknown"),
    ],
)
def test_what_can_not_be_made_is_refused(desk: BankDesk, changes: dict[str, Any], code: str) -> None:
    """By the code that tells why."""
    assert post(desk, **({"kind": "ais"} | changes)).json["code"] == code  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "changes", "turned_down"),
    [("ais", {}, "rejected"), ("pis", {"product": PRODUCT}, "RJCT")],
)
def test_what_nobody_has_decided_on_is_turned_down(
    desk: BankDesk, kind: str, changes: dict[str, str], turned_down: str
) -> None:
    """Its id is nobody's but the authorization server's: once the visit and its confirmation are over it can't be wanted."""
    resource = made(desk, kind, payment_body(desk.iban()) if kind == "pis" else None, **changes)
    desk.begin(kind, resource)

    later(desk, INTERACTION_LIFETIME)
    before = status(desk, kind, resource)
    later(desk, UNDECIDED_FOR)

    assert before in {"received", "RCVD"}
    assert status(desk, kind, resource) == turned_down


def test_what_was_approved_in_time_stays(desk: BankDesk) -> None:
    """The schedule looks, and leaves it."""
    consent = made(desk, "ais")
    desk.decide(desk.begin("ais", consent))

    later(desk, UNDECIDED_FOR * 2)

    assert status(desk, "ais", consent) == "valid"


def test_what_one_of_two_has_signed_waits_for_the_other(desk: BankDesk) -> None:
    """A second signature has its day."""
    held = desk.bank.services.accounts.accounts_of(TENANT, PETRA)
    shared = next(account.iban for account in held if account.signatures_required == 2)
    consent = made(desk, "ais", named(shared))
    desk.decide(desk.begin("ais", consent), psu=PETRA)

    later(desk, UNDECIDED_FOR * 2)

    assert status(desk, "ais", consent) == "partiallyAuthorised"


@pytest.mark.parametrize(("is_approved", "ended"), [(True, "terminatedByTpp"), (False, "rejected")])
def test_a_consent_is_ended(desk: BankDesk, is_approved: bool, ended: str) -> None:  # noqa: FBT001 - a case
    """Valid, as its TPP would end it; undecided, as its PSU would. A second time changes nothing."""
    consent = made(desk, "ais")
    interaction = desk.begin("ais", consent)
    if is_approved:
        desk.decide(interaction)

    for _ in range(2):
        assert desk.internal("DELETE", f"{BASE}/ais/{consent}?tenant={TENANT}").status_code == 200

    assert status(desk, "ais", consent) == ended
    assert desk.decide(interaction).status_code == 409


def test_an_approved_payment_is_not_undone(desk: BankDesk) -> None:
    """What was paid is paid; cancelling has rules of its own (BG IG §5.6)."""
    payment = made(desk, "pis", payment_body(desk.iban(), requestedExecutionDate="2026-12-18"), product=PRODUCT)
    desk.decide(desk.begin("pis", payment))

    desk.internal("DELETE", f"{BASE}/pis/{payment}?tenant={TENANT}")

    assert status(desk, "pis", payment) == "ACTC"


def test_another_tpp_s_consent_is_not_ended(desk: BankDesk) -> None:
    """The tenant in the query decides whose it is."""
    consent = desk.approved_consent()

    desk.internal("DELETE", f"{BASE}/ais/{consent}?tenant={OTHER_TENANT}")

    assert status(desk, "ais", consent) == "valid"


def test_the_portal_makes_nothing(desk: BankDesk) -> None:
    """The door is the gateway's, for what it asks itself: it forwards nobody here."""
    wanted = {"tenant": TENANT, "kind": "ais"}

    assert desk.internal("POST", BASE, wanted, caller="portal").status_code == 403
    assert desk.internal("POST", BASE, wanted, **{"X-Sandbox-Listener": "edge"}).status_code == 403
    assert nothing_is_kept(desk)


def test_flask_makes_the_same(desk: BankDesk) -> None:
    """A body that is coded for its transfer is read by Flask, and has the same answer."""
    wanted = {"tenant": TENANT, "kind": "ais", "visit": VISIT}

    straight, by_flask = desk.internal("POST", BASE, wanted), desk.internal("POST", BASE, wanted, **{"Transfer-Encoding": "x"})

    assert (straight.status_code, by_flask.status_code) == (201, 201)
    assert straight.json.keys() == by_flask.json.keys()  # type: ignore[union-attr]


def test_what_one_of_two_has_signed_is_ended_by_its_tpp(desk: BankDesk) -> None:
    """No PSU has refused it: it is not turned down."""
    held = desk.bank.services.accounts.accounts_of(TENANT, PETRA)
    consent = made(desk, "ais", named(next(account.iban for account in held if account.signatures_required == 2)))
    desk.decide(desk.begin("ais", consent), psu=PETRA)

    desk.internal("DELETE", f"{BASE}/ais/{consent}?tenant={TENANT}")

    assert status(desk, "ais", consent) == "terminatedByTpp"


def test_a_product_that_this_bank_does_not_have_is_refused(desk: BankDesk) -> None:
    """By its personality, as at /v1/payments."""
    desk.bank.services.personalities.choose(TENANT, "redirect-only")

    answer = post(desk, "pis", payment_body(desk.iban()), product="target-2-payments")

    assert answer.json["code"] == "payment.product_unknown"  # type: ignore[index]


def test_what_is_about_to_be_decided_on_is_left_alone(desk: BankDesk) -> None:
    """Its TPP has started another authorisation, which waits for the PSU: the consent has the day that any other has."""
    consent = made(desk, "ais", named(desk.iban()))
    assert desk.tpp.post(f"{CONSENTS}/{consent}/authorisations").status_code == 201

    later(desk, UNDECIDED_FOR)

    assert status(desk, "ais", consent) == "received"
