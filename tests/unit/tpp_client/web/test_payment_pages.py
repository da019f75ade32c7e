"""Payments: the bank's words at the fields, one's own payments only, once however often sent."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.tpp_client.fakes import answer
from tests.unit.tpp_client.web.conftest import SAID, refusal

if TYPE_CHECKING:
    from tests.unit.tpp_client.fake_bank import FakeBank
    from tests.unit.tpp_client.web.conftest import Browser

INITIATE = "POST /v1/payments/sepa-credit-transfers"
STATUS = "GET /v1/payments/sepa-credit-transfers/p1/status"
ORDER = {
    "debtor": "DE1",
    "creditor_name": "Max Frei",
    "creditor_iban": "de2 ",
    "amount": "12.50",
    "remittance": "Lunch",
}


def initiated(bank: FakeBank) -> list[Any]:
    return [one for one in bank.requests if one.method == "POST" and "/v1/payments/" in one.url]


def paid(browser: Browser, **changes: str) -> Any:
    return browser.post("/payments/new", **(ORDER | {"order_id": str(uuid.uuid4())} | changes))


def test_an_order_goes_to_the_bank_and_the_browser_with_it(browser: Browser, bank: FakeBank) -> None:
    """As it was typed, spaces aside; the scope names the payment."""
    response = paid(browser)

    assert response.status_code == 303
    query = parse_qs(urlsplit(response.location).query)
    assert query["scope"] == ["PIS:p1"]
    body = json.loads(initiated(bank)[0].body)
    assert body["creditorAccount"] == {"iban": "DE2"}
    assert body["instructedAmount"] == {"currency": "EUR", "amount": "12.50"}


def test_the_status_is_followed_and_kept(browser: Browser, bank: FakeBank) -> None:
    """Back from the bank, the page shows what it says now; what is final is not asked again."""
    state = parse_qs(urlsplit(paid(browser).location).query)["state"][0]
    back = browser.come_back(state)

    assert back.location == "/payments/p1"
    assert "ACSC" in browser.get("/payments/p1").text
    looked = bank.calls.count(STATUS)
    assert "ACSC" in browser.get("/payments/p1").text
    assert bank.calls.count(STATUS) == looked


def test_the_token_of_a_payment_is_given_back_at_once(browser: Browser, bank: FakeBank) -> None:
    """Nothing needs it any more."""
    browser.come_back(parse_qs(urlsplit(paid(browser).location).query)["state"][0])

    assert bank.calls.count("POST /revoke") == 1


def test_sent_twice_it_is_one_request_to_the_bank(browser: Browser, bank: FakeBank) -> None:
    """A double click carries the same X-Request-ID, under which the bank initiates once."""
    order_id = str(uuid.uuid4())
    paid(browser, order_id=order_id)
    paid(browser, order_id=order_id)

    assert {one.headers["X-Request-ID"] for one in initiated(bank)} == {order_id}
    assert browser.get("/payments").text.count("Max Frei") == 1


@pytest.mark.parametrize("order_id", ["", "1", "x\r\nX-Evil: 1", "9" * 3000])
def test_a_tampered_order_id_is_replaced(browser: Browser, bank: FakeBank, order_id: str) -> None:
    """What goes into a header is a UUID."""
    paid(browser, order_id=order_id)

    assert str(uuid.UUID(initiated(bank)[0].headers["X-Request-ID"])) == initiated(bank)[0].headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("debtorAccount.iban", "debtor"),
        ("creditorAccount.iban", "creditor_iban"),
        ("creditorName", "creditor_name"),
        ("instructedAmount.amount", "amount"),
        ("remittanceInformationUnstructured", "remittance"),
    ],
)
def test_the_banks_words_stand_at_the_field_they_are_about(browser: Browser, bank: FakeBank, path: str, field: str) -> None:
    """What was typed is kept; the title says that something is wrong."""
    bank.answers[INITIATE] = refusal(400, "FORMAT_ERROR", "that is not how it is written", path)
    page = paid(browser)

    assert page.status_code == 422
    assert f'id="{field}-fault">that is not how it is written' in page.text
    assert 'value="Max Frei"' in page.text
    assert "<title>Error: " in page.text
    assert all(text in page.text for text in SAID.values())  # for developers, in what went over the wire


def test_a_refusal_about_no_field_is_a_page(browser: Browser, bank: FakeBank) -> None:
    """With everything the bank said."""
    bank.answers[INITIATE] = refusal(403, "PRODUCT_INVALID", "not for this account")
    page = paid(browser)

    assert page.status_code == 502
    told = page.text.partition("What went over the wire")[0]
    assert all(text in told for text in ("not for this account", *SAID.values()))


@pytest.mark.parametrize("amount", ["", "12,50", "1.234", "-", "ten", "1" * 200])
def test_an_amount_that_can_not_be_read_exactly_is_refused_here(browser: Browser, bank: FakeBank, amount: str) -> None:
    """It never becomes another amount, and the bank is not asked."""
    page = paid(browser, amount=amount)

    assert page.status_code == 422
    assert "amount-fault" in page.text
    assert initiated(bank) == []


def test_another_browsers_payment_is_not_found_nor_asked_for(browser: Browser, other: Browser, bank: FakeBank) -> None:
    """All browsers are one TPP to the bank, which would tell; the app does not ask."""
    paid(browser)
    other.connect()
    looked = bank.calls.count(STATUS)

    for path in ("/payments/p1", "/payments/p1/status"):
        assert other.get(path).status_code == 404
    assert other.post("/payments/p1/authorise").status_code == 404
    assert "Max Frei" not in other.get("/payments").text
    assert bank.calls.count(STATUS) == looked


def test_a_payment_that_waits_can_be_approved_later(browser: Browser, bank: FakeBank) -> None:
    """The way to the bank begins anew, with another state."""
    bank.answers[STATUS] = lambda _: answer(200, {"transactionStatus": "RCVD"})
    first = parse_qs(urlsplit(paid(browser).location).query)["state"]
    again = browser.post("/payments/p1/authorise")

    assert again.status_code == 303
    query = parse_qs(urlsplit(again.location).query)
    assert query["scope"] == ["PIS:p1"]
    assert query["state"] != first
    assert 'hx-trigger="every 3s"' in browser.get("/payments/p1").text


def test_a_payment_that_is_done_is_not_approved_again(browser: Browser) -> None:
    """Back to its page instead."""
    paid(browser)

    assert browser.post("/payments/p1/authorise").location == "/payments/p1"


def test_what_was_typed_is_never_markup(browser: Browser) -> None:
    """On the receipt, in the list, in the form with its faults."""
    hostile = '"><script>alert(1)</script>'
    paid(browser, creditor_name=hostile, remittance=hostile)

    pages = [browser.get("/payments/p1"), browser.get("/payments"), paid(browser, creditor_name=hostile, amount=hostile)]
    assert all("<script>alert" not in page.text for page in pages)


def test_the_connected_accounts_are_offered_and_no_other_taken(browser: Browser, bank: FakeBank) -> None:
    """None is chosen silently."""
    browser.connect()
    form = browser.get("/payments/new").text
    assert '<option selected value="">Choose an account' in form
    assert 'value="DE1"' in form

    assert paid(browser, debtor="DE9").status_code == 422
    assert initiated(bank) == []


def test_the_form_works_where_the_sandbox_tells_of_nobody(browser: Browser, bank: FakeBank) -> None:
    """Suggestions are a comfort only."""
    bank.answers["GET /sandbox/v1/data"] = lambda _: answer(404, b"")

    assert browser.get("/payments/new").status_code == 200
