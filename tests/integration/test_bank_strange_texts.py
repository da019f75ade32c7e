"""Texts that one engine keeps and the other does not, at every door of the bank: refused in words, on both engines alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.bank_core import TENANT, lent_bank
from tests.support.bank_sca import CONSENTS, FUNDS, PAYMENTS, RETURN_URL, BankDesk, consent_body, payment_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases

NUL = "a\0b"


@pytest.fixture
def desk(databases: Databases) -> Iterator[BankDesk]:
    bank = lent_bank(databases)
    yield BankDesk(bank)
    bank.database.engine.dispose()


def test_a_tpp_is_told_that_no_text_holds_a_nul(desk: BankDesk) -> None:
    """In the address, in the query, and in every text of a body."""
    tpp, consent = desk.tpp, desk.approved_consent()
    reader, account = desk.reader(consent), desk.bank.account(type(TENANT)("anna.weber")).id
    answers = [
        *(tpp.get(f"{path}/a%00b") for path in (CONSENTS, PAYMENTS, FUNDS)),
        tpp.delete(f"{CONSENTS}/a%00b"),
        reader.get("/v1/accounts/a%00b", Consent_ID=consent),
        reader.get(f"/v1/accounts/{account}/transactions?bookingStatus=booked&entryReferenceFrom=a%00b", Consent_ID=consent),
        tpp.get("/sandbox/v1/inbox?psu=a%00b"),
        tpp.post(PAYMENTS, payment_body(desk.iban(), creditorName=NUL)),
        tpp.post(CONSENTS, consent_body(access={"accounts": [{"iban": NUL}]})),
        tpp.post(FUNDS, {"account": {"iban": desk.iban()}, "cardNumber": NUL}),
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert all("NUL" in answer.text for answer in answers)


@pytest.mark.parametrize("field", ["resource", "client_id", "client_name", "tenant"])
def test_the_gateway_is_told_so_too(desk: BankDesk, field: str) -> None:
    body: dict[str, Any] = {
        "tenant": TENANT,
        "kind": "ais",
        "resource": desk.consent(),
        "client_id": TENANT,
        "client_name": "Fintech App",
        "return_url": RETURN_URL,
    }

    assert desk.internal("POST", "/internal/interactions", body | {field: NUL}).status_code == 400


def test_a_person_is_told_on_a_page(desk: BankDesk) -> None:
    """A login with a NUL is nobody's."""
    visit, browser = desk.begin("ais", desk.consent()), desk.browser()
    browser.get(f"/psu/{visit}")

    answer = browser.post(f"/psu/{visit}/login", login=NUL, password="x")

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


def test_a_backslash_before_the_escape_is_no_nul(desk: BankDesk) -> None:
    """What JSON writes with two backslashes is one backslash and five characters."""
    answer = desk.tpp.post(PAYMENTS, payment_body(desk.iban(), remittanceInformationUnstructured="C:\\u0000"))

    assert answer.status_code == 201
