"""Every operation of the Berlin Group's YAMLs, answered as they say: with success and with a refusal.

All other answers that tests of the bank get are judged too (conftest.py); here stands what makes that worth something.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from psd2.tpp_messages import MessageCode
from tests.support import berlin_group
from tests.support.bank_accounts import book_movements
from tests.support.bank_core import ANNA, TENANT
from tests.support.bank_payments import TODAY, Till
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, BankDesk, Tpp, consent_body
from tests.support.berlin_group import Exchange, Judge
from tests.support.judged_answers import judged_answers
from tests.support.xs2a_drives import DRIVES

pytestmark = pytest.mark.skipif(not berlin_group.are_present(), reason=berlin_group.ABSENT)
OPERATIONS = [each.name for each in berlin_group.operations()] if berlin_group.are_present() else []
DIVERGENCES = Path(__file__).parents[3] / "docs" / "divergences.md"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


def test_the_yamls_have_42_operations() -> None:
    assert len(OPERATIONS) == len(set(OPERATIONS)) == 42


def test_every_operation_is_driven() -> None:
    """An operation without a drive is one that nobody has seen succeed."""
    assert DRIVES.keys() == set(OPERATIONS)


@pytest.mark.parametrize("name", sorted(DRIVES))
def test_an_operation_succeeds(desk: BankDesk, name: str) -> None:
    with judged_answers(judge := Judge()) as wrong:
        DRIVES[name](desk)

    assert [status for operation, status in judge.seen if operation == name and status < 300], judge.seen
    assert not wrong


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_refuses_what_it_does_not_know(desk: BankDesk, name: str) -> None:
    """A resource never made, or a body that says nothing."""
    operation = next(each for each in berlin_group.operations() if each.name == name)
    path = operation.template.replace("{payment-service}", "payments").replace("{payment-product}", "sepa-credit-transfers")
    with judged_answers(judge := Judge()) as wrong:
        answer = desk.tpp.call(operation.method, re.sub(r"\{.+?\}", UNKNOWN, path), {} if operation.method != "GET" else None)

    assert (name, answer.status_code) in judge.seen
    assert 400 <= answer.status_code < 500
    assert not wrong


def fetch_large_statement(desk: BankDesk) -> None:
    account = desk.bank.account(ANNA)
    book_movements(desk.bank, account, [-1] * 1_001, day=date(2026, 11, 17))
    consent = desk.approved_consent()
    reader = desk.reader(consent)
    path = f"/v1/accounts/{account.id}/transactions?bookingStatus=booked&dateFrom=2026-11-01"
    told: Any = reader.get(path, Consent_ID=consent, Accept="application/xml").json
    assert reader.get(told["_links"]["download"]["href"], Consent_ID=consent).status_code == 200


def test_every_allowance_is_still_needed(desk: BankDesk) -> None:
    """A list that allows what nobody does any more would allow it to whoever comes next."""
    with judged_answers(judge := Judge()):
        for drive in DRIVES.values():
            drive(desk)
        desk.tpp.get("/v1/openapi.json")
        fetch_large_statement(desk)
        desk.tpp.post(CONSENTS, {})
        desk.tpp.post("/v1/funds-confirmations", {}, Consent_ID=UNKNOWN)
        rejected = desk.payment(instructedAmount={"currency": "EUR", "amount": "99999999.00"})
        desk.decide(desk.begin("pis", rejected))
        desk.tpp.get(f"{PAYMENTS}/{rejected}/status")
        till = Till(desk)
        till.desk.tpp.get(till.single(requestedExecutionDate=TODAY.isoformat()))
        till.approve(bulk := till.bulk())
        desk.tpp.get(bulk)
        desk.bank.services.personalities.choose(TENANT, "lenient")
        desk.tpp.post(CONSENTS, consent_body(colour="red"))
        Tpp(desk.app.test_client(), roles="PSP_AI").post(FUNDS, {"account": {"iban": desk.iban()}})
    # The gateway's own; they are met where a whole platform runs.
    for code, status in ((MessageCode.CERTIFICATE_REVOKED, 401), (MessageCode.TOKEN_INVALID, 403)):
        judge.judge(answered({"tppMessages": [{"category": "ERROR", "code": code.value}]}, status=status))

    assert judge.used == {each.name for each in berlin_group.allowances()}


@pytest.mark.parametrize("name", [each.name for each in berlin_group.allowances()])
def test_every_allowance_is_a_divergence_that_we_own_up_to(name: str) -> None:
    """The row that it names is in docs/divergences.md."""
    (allowance,) = (each for each in berlin_group.allowances() if each.name == name)
    sections = [row.split("|")[1] for row in DIVERGENCES.read_text("utf-8").splitlines() if row.startswith("| ")]
    assert [section for section in sections if allowance.divergence in section]


def answered(body: Any, **changes: Any) -> Exchange:
    """Return a right answer to `GET /v1/consents/{id}/status`, or what the changes make of it."""
    exchange: dict[str, Any] = {
        "method": "GET",
        "path": f"{CONSENTS}/{UNKNOWN}/status",
        "status": 200,
        "asked": {"x-request-id": REQUEST_ID},
        "headers": {"content-type": "application/json", "x-request-id": REQUEST_ID},
        "body": body if isinstance(body, bytes) else orjson.dumps(body),
    }
    return Exchange(**exchange | changes)


def texts(exchange: Exchange) -> list[str]:
    return [each.text for each in Judge().judge(exchange)]


JSON = {"content-type": "application/json", "x-request-id": REQUEST_ID}
STATUS = {"consentStatus": "valid"}


def test_a_right_answer_passes() -> None:
    assert texts(answered(STATUS)) == []


@pytest.mark.parametrize(
    ("body", "changes", "complaint"),
    [
        ({"consentStatus": "fine"}, {}, r"\$.consentStatus: 'fine' is none of"),
        ({}, {}, r"\$: consentStatus is missing"),
        (STATUS | {"colour": "blue"}, {}, r"\$: colour is not in the schema"),
        (STATUS, {"status": 201}, "is no status of GET /v1/consents"),
        (b"{", {}, r"\$: is no JSON"),
        (STATUS, {"headers": JSON | {"content-type": "text/html"}}, r"\$: text/html is none of application/json"),
        (STATUS, {"headers": JSON | {"x-request-id": UNKNOWN}}, "X-Request-ID: is not the request's"),
        (STATUS, {"path": f"{CONSENTS}/{UNKNOWN}/stati"}, "GET .*/stati is no operation"),
        ({"error": "no"}, {"path": "/v1/consent", "status": 404}, "refuses without tppMessages"),
        ({"tppMessages": [{"category": "ERROR", "code": "OOPS"}]}, {"status": 400}, r"\$.tppMessages\[0\].code: 'OOPS'"),
        ({}, {"status": 500}, "the refusal has no tppMessages"),
    ],
)
def test_a_wrong_answer_is_found_out(body: Any, changes: dict[str, Any], complaint: str) -> None:
    """A judge that can't refuse proves nothing: each answer is wrong in one way."""
    (found,) = texts(answered(body, **changes))
    assert re.search(complaint, found)


@pytest.mark.parametrize("header", ["location", "aspsp-sca-approach"])
def test_a_new_resource_says_where_it_is_and_how_it_is_authorised(header: str) -> None:
    """The YAML leaves both optional, the guidelines don't."""
    body = {"consentStatus": "received", "consentId": UNKNOWN, "_links": {"self": {"href": f"{CONSENTS}/{UNKNOWN}"}}}
    headers = JSON | {"location": f"{CONSENTS}/{UNKNOWN}", "aspsp-sca-approach": "REDIRECT"}
    made: dict[str, Any] = {"method": "POST", "path": CONSENTS, "status": 201}

    assert texts(answered(body, headers=headers, **made)) == []
    del headers[header]
    assert len(texts(answered(body, headers=headers, **made))) == 1


@pytest.mark.parametrize(
    ("service", "complaints"),
    [("payments", ["frequency", "startDate"]), ("periodic-payments", []), ("bulk-payments", ["payments"])],
)
def test_the_payment_service_chooses_the_schema(service: str, complaints: list[str]) -> None:
    """A periodic payment would satisfy the schema of a single one, if unknown fields were let pass."""
    account = {"iban": "DE75512108001245126199"}
    body = {
        "debtorAccount": account,
        "creditorAccount": account,
        "creditorName": "Stadtwerke",
        "instructedAmount": {"currency": "EUR", "amount": "12.50"},
        "startDate": "2026-12-01",
        "frequency": "Monthly",
    }
    found = texts(answered(body, path=f"/v1/{service}/sepa-credit-transfers/{UNKNOWN}"))

    assert all(any(name in text for text in found) for name in complaints)
    assert bool(found) is bool(complaints)


def test_the_bank_is_judged(desk: BankDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the application says reaches the judge as it was said."""
    path = f"{CONSENTS}/{desk.consent()}/status"
    monkeypatch.setattr("bank_backend.consents.api.ok", lambda _, body: body | {"colour": "blue"})
    with judged_answers(Judge()) as wrong:
        desk.tpp.get(path)

    assert [each for each in wrong if not each.startswith("our own document")] == [
        "getConsentStatus 200 X-Request-ID: is not the request's",
        "getConsentStatus 200 $: colour is not in the schema",
    ]
